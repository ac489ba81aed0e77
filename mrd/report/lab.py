"""What a laboratory report says of one visit, field by field; the layout is drawn elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mrd.core import words
from mrd.core.settings import Settings
from mrd.report.adequacy import UNMET, Line
from mrd.report.evidence import Row, SubjectEvidence
from mrd.report.looks import LOOKS
from mrd.report.numbers import NONE, is_told, percent, short, span, text, threshold_text, whole
from mrd.report.wording import advice, sentence, verdict

Fields = tuple[tuple[str, str], ...]
DETECTION = {
    words.POSITIVE: "QUANTIFIABLE MRD POSITIVITY",
    words.LOW_QUANTIFIABLE: "QUANTIFIABLE MRD POSITIVITY",
    words.POSITIVE_NOT_QUANTIFIABLE: "NON-QUANTIFIABLE MRD POSITIVITY",
    words.LOW_NOT_QUANTIFIABLE: "NON-QUANTIFIABLE MRD POSITIVITY",
    words.NOT_DETECTED: "MRD NEGATIVITY",
    words.INDETERMINATE: "NE",
    words.NOT_EVALUABLE: "NE",
}
"""Detection class of each call in the terms of SDTM RS; it tells whether disease is there, not on which side of the threshold."""
AGAINST = {"Y": "below", "N": "at or above"}
SURE = {"Y": "the interval lies on one side of the threshold", "N": "the interval holds the threshold: review first"}


@dataclass(frozen=True)
class LabReport:
    """The report of one visit: its tone and headline, its fields by section, remarks, and what was required of the specimen."""

    visit: str
    tone: str
    headline: str
    verdict: str
    sections: tuple[tuple[str, Fields], ...]
    remarks: tuple[str, ...]
    adequacy: tuple[Line, ...]


def lab_report(
    call: Row, adequacy: Sequence[Line], evidence: SubjectEvidence, *, panel: str, differs: Sequence[str]
) -> LabReport:
    """All fields of a visit's report.

    Parameters
    ----------
    panel : title of the panel of the deciding tube
    differs : what of the found cells differs from normal blasts, in words
    """
    settings, look = evidence.settings, LOOKS[str(call["call"])]
    laip = next((r for r in evidence.rows["laips"] if (r["panel"], r["arm"]) == (call["panel"], "laip")), None)
    return LabReport(
        visit=str(call["visit"]),
        tone=look.colour,
        headline=look.label,
        verdict=verdict(call, settings),
        sections=(
            ("Specimen", specimen_fields(call, adequacy, evidence, panel)),
            ("Result", result_fields(call)),
            ("Counts", count_fields(call)),
            ("Limits of this specimen", limit_fields(call, evidence)),
            ("Why", why_fields(call)),
            ("Immunophenotype", phenotype_fields(laip, differs, call, evidence)),
            ("Method", method_fields(call, settings)),
        ),
        remarks=tuple(remarks_of(call, adequacy, settings)),
        adequacy=tuple(adequacy),
    )


def specimen_fields(call: Row, adequacy: Sequence[Line], evidence: SubjectEvidence, panel: str) -> Fields:
    """Whose specimen it is, what it is, and how old it was."""
    age = next((line.seen for line in adequacy if line.what == "Age at receipt"), NONE)
    tubes = [str(t["tube_id"]) for t in evidence.rows["tubes"] if t["visit"] == call["visit"]]
    received = sorted({d for t in tubes if (d := evidence.received.get(t))})
    return (
        ("Study", evidence.settings.study),
        ("Subject", evidence.subject),
        ("Visit", f"{call['visit']} ({call['role']})"),
        ("Specimen", str(call["specimen"])),
        ("Type", str(call["specimen_type"])),
        ("Collected", str(call["collected"])),
        ("Received", ", ".join(received) or "not told"),
        ("Age at receipt", age),
        ("Panel", panel),
        ("Tubes", ", ".join(tubes)),
    )


def result_fields(call: Row) -> Fields:
    """Percent, side of the threshold and detection class as three fields."""
    mark = float(call["threshold"])
    return (
        ("MRD, % of CD45+ leukocytes", percent(call["mrd_fraction"], beside=mark)),
        ("95 % interval", span(call["ci_low"], call["ci_high"], beside=mark)),
        (f"Against {threshold_text(mark)}", AGAINST.get(str(call["below_threshold"]), "cannot be told")),
        ("Detection class", DETECTION[str(call["call"])]),
    )


def why_fields(call: Row) -> Fields:
    """Why this call, and how sure it is."""
    sure = SURE.get(str(call["confident"]), NONE) if is_told(call["below_threshold"]) else NONE
    return ("Recorded reason", sentence(call["reason"])), ("Sureness", sure)


def count_fields(call: Row) -> Fields:
    """What was counted in the deciding tube."""
    mark = float(call["threshold"])
    return (
        ("Events", whole(call["n_events"])),
        ("Cells (singlets, no debris)", whole(call["n_cells"])),
        ("CD45+ leukocytes, without erythroid", whole(call["n_leukocytes"])),
        ("Blast compartment", whole(call["n_blast"])),
        ("Cells that differ from normal" if call["arm"] == "dfn" else "Cells with the LAIP", whole(call["n_laip"])),
        ("Plain count / leukocytes", percent(call["laip_fraction"], beside=mark)),
    )


def limit_fields(call: Row, evidence: SubjectEvidence) -> Fields:
    """Limits on the scale of the estimate, and the controls behind them."""
    mark = float(call["threshold"])
    mine = {r["control"]: r for r in evidence.rows["limits"] if r["panel"] == call["panel"] and r["arm"] == call["arm"]}
    kinds = [f"{sum(r['control_kind'] == k for r in mine.values())} {k}" for k in words.CONTROL_KINDS]
    return (
        ("Limit of blank (LoB)", percent(call["lob"], 2, beside=mark)),
        ("Limit of detection (LoD)", percent(call["lod"], 2, beside=mark)),
        ("Limit of quantification (LLOQ)", percent(call["lloq"], 2, beside=mark)),
        ("Recall at the cut", percent(call["recall"])),
        ("Background taken off", percent(call["background"], 2)),
        ("Controls", ", ".join(kinds) if mine else NONE),
    )


def phenotype_fields(laip: Row | None, differs: Sequence[str], call: Row, evidence: SubjectEvidence) -> Fields:
    """The phenotype that was followed, and the arms that looked."""
    arms = [a for a in evidence.rows["arms"] if a["visit"] == call["visit"]]
    return (
        ("LAIP", text(laip["phenotype"]) if laip else "none: no diagnosis tube of this panel"),
        ("Learned on", str(laip["tube_id"]) if laip else NONE),
        ("Differs from normal blasts", "; ".join(differs) or NONE),
        ("Arms", "; ".join(arm_words(a) for a in arms) or "none applied"),
    )


def arm_words(arm: Row) -> str:
    """One arm's answer."""
    if arm["outcome"] != words.OK:
        return f"{arm['arm']}: did not apply ({text(arm['reason'])})"
    told = "decides" if arm["decided"] == "Y" else "agrees" if arm["agrees"] == "Y" else "disagrees"
    return f"{arm['arm']}: {percent(arm['mrd_fraction'])}, {told}"


def method_fields(call: Row, settings: Settings) -> Fields:
    """How the result came to be."""
    decided = "estimate corrected for background and recall" if call["decide_on"] == "mrd_fraction" else "plain count"
    return (
        ("Gating", "margins, stability over time, FSC doublets, debris, CD45+ without erythroid, blast compartment, LAIP"),
        ("Decided on", decided),
        ("Guideline", str(call["guideline"])),
        ("Software", f"flowmrd {call['version']}"),
        ("Reference, LAIP", f"{short(call['reference'])}, {short(call['laip'])}"),
    )


def purity_words(call: Row) -> str:
    """How much of the specimen is marrow; the result is never rescaled by it."""
    if not is_told(call.get("purity")):
        return "Hemodilution was not assessed."
    return (
        f"Marrow share of the leukocytes: {percent(call['purity'], 2)} (by {call['purity_method']}); the result is not rescaled."
    )


def remarks_of(call: Row, adequacy: Sequence[Line], settings: Settings) -> list[str]:
    """What the reader must know: an old specimen, what would help, and every flag in words."""
    old = any(line.what == "Age at receipt" and line.state == UNMET for line in adequacy)
    viability: list[Any] = (
        [f"Older than {settings.old_days} days at receipt: viability must be told (ELN 2021, A7)."] if old else []
    )
    blood = call["specimen_type"] != words.MARROW
    told = ["Peripheral blood: reported, never called below."] if blood else [purity_words(call)]
    flags = [f"{sentence(words.FLAGS.get(f, f))}" for f in words.split_flags(call["flags"]) if not (old and f == "old-specimen")]
    return [*viability, *told, *advice(call, settings), *flags]
