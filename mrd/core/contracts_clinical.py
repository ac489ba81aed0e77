"""The subjects of a trial and the clinical tables that it hands in, and the reviewers' decisions."""

from __future__ import annotations

from mrd.core.tables import Column, Table
from mrd.core.words import CALLS

C = Column
YN = ("Y", "N")
INDUCTION, CONSOLIDATION, TRANSPLANT, NEW_THERAPY = "induction", "consolidation", "transplant", "new-therapy"
TREATMENTS = (INDUCTION, CONSOLIDATION, TRANSPLANT, NEW_THERAPY)
ANC, PLATELETS, TRANSFUSION = "ANC", "PLT", "PLTTRANS"
COUNT_UNIT, CELL_UNIT = "10^9/L", "/uL"
DISPOSITIONS = ("death", "last-alive", "relapse", "refractory", "withdrawal", "lost-to-follow-up", "completed")
RESPONSES_TOLD = ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "RELAPSE", "NE")

SUBJECTS = Table(
    "subjects",
    1,
    "subject of the trial",
    (
        C("subject", "s", "subject", required=True),
        C("first_dose", "d", "day of the first dose; empty = not treated"),
        C("consolidation", "d", "day consolidation started"),
        C("transplant", "d", "day of transplant"),
        C("new_therapy", "d", "day another anti-leukaemic therapy started"),
        C("relapse", "d", "day of relapse"),
        C("refractory", "d", "day the disease was judged refractory to the regimen of the trial"),
        C("death", "d", "day of death"),
        C("last_alive", "d", "day last known alive"),
        C("cr_date", "d", "day of the first CR or CRi under the regimen of the trial"),
        C("disease_at_entry", "s", "disease state on entry", codes=("relapsed", "refractory", "newly diagnosed")),
    ),
    key=("subject",),
    open=True,
)

RESPONSES = Table(
    "responses",
    1,
    "marrow that was read by morphology",
    (
        C("subject", "s", "subject", required=True),
        C("assessed", "d", "day of the marrow", required=True),
        C("marrow_blasts", "f", "blasts in the marrow", "%", low=0, high=100, short="BLASTS"),
        C("circulating", "s", "blasts in the blood", codes=YN, optional=True, short="CIRCBLST"),
        C("extramedullary", "s", "disease outside the marrow", codes=YN, optional=True, short="EXTRAMED"),
        C("anc", "f", "neutrophils that belong to the assessment", COUNT_UNIT, low=0, optional=True),
        C("platelets", "f", "platelets that belong to the assessment", COUNT_UNIT, low=0, optional=True, short="PLT"),
        C("cells_counted", "i", "nucleated marrow cells that were counted", low=0, optional=True, short="CELLCNT"),
        C("cellularity", "f", "cellularity of the marrow", "%", low=0, high=100, optional=True, short="CELLULAR"),
        C("response", "s", "response as the investigator judged it", codes=RESPONSES_TOLD, optional=True),
    ),
    key=("subject", "assessed"),
    open=True,
)
"""The optional response table; further columns pass through."""

EXPOSURE = Table(
    "exposure",
    1,
    "treatment that was started: a cycle, consolidation, transplant or another therapy",
    (
        C("subject", "s", "subject", required=True),
        C("treatment", "s", "what was started", required=True, codes=TREATMENTS, short="TREATMNT"),
        C("cycle", "i", "cycle of induction or consolidation, from 1", low=1, optional=True),
        C("start", "p", "first day; complete for induction", required=True),
        C("end", "p", "last day", optional=True),
    ),
    key=("subject", "treatment", "start"),
    open=True,
)

LABS = Table(
    "labs",
    1,
    "blood count or platelet transfusion",
    (
        C("subject", "s", "subject", required=True),
        C("test", "s", "neutrophils, platelets, or a platelet transfusion", required=True, codes=(ANC, PLATELETS, TRANSFUSION)),
        C("collected", "d", "day of the draw or the transfusion", required=True, short="COLLDT"),
        C("sequence", "i", "tells several rows of one day apart", low=1, optional=True, short="SEQ"),
        C("value", "f", "count; empty for a transfusion", low=0),
        C("unit", "s", "unit of the count", codes=(COUNT_UNIT, CELL_UNIT)),
    ),
    key=("subject", "test", "collected", "sequence"),
    open=True,
)

ADVERSE_EVENTS = Table(
    "adverse_events",
    1,
    "adverse event",
    (
        C("subject", "s", "subject", required=True),
        C("sequence", "i", "number of the event within the subject", required=True, low=1, short="SEQ"),
        C("term", "s", "CTCAE v5.0 term", required=True),
        C("system", "s", "CTCAE v5.0 system organ class", optional=True, short="SOC"),
        C("grade", "i", "CTCAE v5.0 grade", required=True, low=1, high=5),
        C("onset", "p", "first day", required=True),
        C("end", "p", "last day", optional=True),
        C("serious", "s", "serious", codes=YN, optional=True),
        C("related", "s", "related to the treatment", codes=YN, optional=True),
    ),
    key=("subject", "sequence"),
    open=True,
)

DISPOSITION = Table(
    "disposition",
    1,
    "event of follow-up",
    (
        C("subject", "s", "subject", required=True),
        C("event", "s", "what happened", required=True, codes=DISPOSITIONS),
        C("date", "p", "when", required=True),
        C("cause", "s", "cause, as text", optional=True),
    ),
    key=("subject", "event"),
    open=True,
)

REVIEW = Table(
    "review",
    1,
    "decision of a reviewer on one call",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit of the call", required=True),
        C("call", "s", "the call as reviewed", required=True, codes=CALLS),
        C("value", "f", "MRD as reviewed; empty: the reviewer gave none", "1", low=0, high=1),
        C("reviewer", "s", "printed name or id of the reviewer", required=True),
        C("reviewed_at", "s", "when, in UTC, as YYYY-MM-DDThh:mm:ssZ", required=True, short="REVDTC"),
        C("meaning", "s", "meaning of the signature", required=True),
        C("reason", "s", "why", required=True),
        C("source_id", "s", "id of the entry in the audit trail", required=True, short="SOURCEID"),
    ),
    key=("source_id",),
    open=True,
)
"""What the review exports. Of several decisions on one visit the latest holds; the earlier ones stay as records."""
