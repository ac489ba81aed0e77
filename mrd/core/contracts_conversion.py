"""The primary endpoint: who converted and why, and the rate."""

from __future__ import annotations

from mrd.core.contracts_clinical import YN
from mrd.core.tables import Column, Table
from mrd.core.words import CALLS

C = Column

DISEASE = ("flow", "flow-blood", "entry-no-flow", "entry-flow-below", "none")
CONVERSION_REASONS = (
    "converted", "not-treated", "no-disease", "refractory", "positive", "blasts", "indeterminate", "inadequate",
    "not-evaluable", "death", "relapse", "new-therapy", "blood-only", "missing",
)  # fmt: skip

CONVERSION = Table(
    "conversion",
    1,
    "subject of the trial",
    (
        C("subject", "s", "subject", required=True),
        C("treated", "s", "had a first dose: in the denominator", required=True, codes=YN),
        C("evaluable", "s", "treated, and a marrow of the window could be told below or not", required=True, codes=YN),
        C("cr_cri", "s", "treated, and CR or CRi was reached inside the window", required=True, codes=YN),
        C(
            "disease",
            "s",
            "what shows the disease at baseline; every code but flow and flow-blood is a flag",
            required=True,
            codes=DISEASE,
        ),
        C("first_dose", "d", "day of the first dose"),
        C("window_end", "d", "day the window closed"),
        C("closed_by", "s", "column of subjects that closed the window, or window_days"),
        C("n_marrows", "i", "marrows of the window", required=True, low=0),
        C("n_told", "i", "of these, marrows with a verdict", required=True, low=0),
        C("converted", "s", "converted by the primary rule", required=True, codes=YN),
        C("reason", "s", "why, by the primary rule", required=True, codes=CONVERSION_REASONS),
        C("converted_last", "s", "the last adequate marrow of the window is below", required=True, codes=YN),
        C("converted_any", "s", "any marrow of the window is below", required=True, codes=YN),
        C("converted_best", "s", "primary rule where all that is not known counts as below", required=True, codes=YN),
        C("converted_worst", "s", "primary rule where all that is not known counts as not below", required=True, codes=YN),
        C("visit", "s", "visit of the deciding marrow"),
        C("specimen", "s", "deciding marrow"),
        C("collected", "d", "day of the deciding marrow"),
        C("call", "s", "call of the deciding marrow", codes=CALLS),
        C("calls_row", "i", "its row in calls, ordered by subject and visit, from 1", low=1),
    ),
    key=("subject",),
)

SUMMARY = Table(
    "summary",
    1,
    "analysis set and rule: the MRD-negativity rate",
    (
        C("set", "s", "denominator", required=True, codes=("treated", "evaluable", "cr-cri")),
        C("rule", "s", "rule of conversion", required=True, codes=("last", "any", "best", "worst")),
        C("primary", "s", "this is the primary analysis", required=True, codes=YN),
        C("n_converted", "i", "subjects that converted", required=True, low=0),
        C("n_subjects", "i", "subjects of the set", required=True, low=0),
        C("percent", "f", "100 n_converted / n_subjects", "%", low=0, high=100),
        C("ci_low", "f", "lower end of the exact (Clopper-Pearson) interval", "%", low=0, high=100),
        C("ci_high", "f", "upper end of the exact (Clopper-Pearson) interval", "%", low=0, high=100),
        C("confidence", "f", "confidence of the interval", "%", required=True, low=0, high=100),
    ),
    key=("set", "rule"),
)
