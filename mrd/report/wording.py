"""What a call means in plain words, why it is so, and what would help."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from mrd.core import words
from mrd.core.settings import Settings
from mrd.report.numbers import is_told, percent, span, threshold_text, whole

Row = Mapping[str, Any]
LEFT_ASIDE = " Cells that differ from normal marrow were left aside, since most subjects show such a population: review first."
CHANGED = f"The LAIP shows none or far less of it: {words.MAY_HAVE_CHANGED}."
AGAIN = "Repeat the marrow in 2 to 4 weeks where it may be regenerating (ELN 2021, A5)."


def verdict(call: Row, settings: Settings) -> str:
    """The call of a visit in one or two sentences."""
    told = VERDICTS[str(call["call"])](call, threshold_text(settings.threshold))
    told += f" {CHANGED} Review first." if has_changed(call) else ""
    return told + LEFT_ASIDE if str(call["call"]) in BRIEF and "shared-population" in words.split_flags(call["flags"]) else told


def _measured(call: Row) -> str:
    """The number that was compared, with the interval of the corrected estimate."""
    counted = call["decide_on"] == "laip_fraction"
    name = "The counted share" if counted else "MRD"
    mark = float(call["threshold"])
    interval = span(call["ci_low"], call["ci_high"], beside=mark)
    aside = f"corrected estimate {percent(call['mrd_fraction'], beside=mark)}, " if counted else ""
    return f"{name} is {percent(call[str(call['decide_on'])], beside=mark)} of leukocytes ({aside}95 % interval {interval})"


def _near(call: Row, threshold: str) -> str:
    return f" The interval holds {threshold}: review first." if call["confident"] == "N" else ""


def _positive(call: Row, threshold: str) -> str:
    return f"{_measured(call)}, at or above {threshold}." + _near(call, threshold)


def _positive_not_quantifiable(call: Row, threshold: str) -> str:
    on = (
        f", at or above {threshold}, but on {whole(call['n_laip'])} cells only: the disease is found, its number is not reliable."
    )
    return _measured(call) + on + _near(call, threshold)


def _low_quantifiable(call: Row, threshold: str) -> str:
    return f"{_measured(call)}: detected, and below {threshold}." + _near(call, threshold)


def _low_not_quantifiable(call: Row, threshold: str) -> str:
    under = f": detected, below {threshold} and under the limit of quantification {percent(call['lloq'], 2)}"
    return f"{_measured(call)}{under}: the number is not reliable." + _near(call, threshold)


def _not_detected(call: Row, threshold: str) -> str:
    shown = f"This specimen would have shown {percent(call['lod'], 2, beside=call['threshold'])} with 95 % probability"
    return f"No MRD detected: {_found_nothing(call)}. {shown}, which is below {threshold}." + _near(call, threshold)


def _found_nothing(call: Row) -> str:
    over = float(call["mrd_fraction"]) > float(call["lob"])
    return "more cells than blanks show, but too few for a finding" if over else BRIEF[words.NOT_DETECTED]


def _indeterminate(call: Row, threshold: str) -> str:
    return f"Cannot tell whether MRD is below {threshold}. {_measured(call)}. {sentence(call['reason'])}"


def _not_evaluable(call: Row, threshold: str) -> str:
    return f"Not evaluable: nothing can be said about MRD at {threshold}. {sentence(call['reason'])}"


VERDICTS: dict[str, Callable[[Row, str], str]] = {
    words.POSITIVE: _positive,
    words.POSITIVE_NOT_QUANTIFIABLE: _positive_not_quantifiable,
    words.LOW_QUANTIFIABLE: _low_quantifiable,
    words.LOW_NOT_QUANTIFIABLE: _low_not_quantifiable,
    words.NOT_DETECTED: _not_detected,
    words.INDETERMINATE: _indeterminate,
    words.NOT_EVALUABLE: _not_evaluable,
}


BRIEF = {
    words.POSITIVE: "detected and quantified",
    words.POSITIVE_NOT_QUANTIFIABLE: "detected, too few cells to quantify",
    words.LOW_QUANTIFIABLE: "detected and quantified",
    words.LOW_NOT_QUANTIFIABLE: "detected, under the limit of quantification",
    words.NOT_DETECTED: "no more cells than blanks show",
}


def brief_reason(call: Row) -> str:
    """Why this call, in a few words; the recorded reason where there is no plain answer."""
    name = str(call["call"])
    told = _found_nothing(call) if name == words.NOT_DETECTED else BRIEF.get(name) or sentence(call["reason"])
    return f"{sentence(told)} {CHANGED}" if has_changed(call) else told


def has_changed(call: Row) -> bool:
    """Whether what differs from normal gave a plain call against the LAIP."""
    return str(call["call"]) in BRIEF and words.MAY_HAVE_CHANGED in str(call["reason"])


def sentence(told: Any) -> str:
    """A reason as a sentence."""
    line = str(told).strip() if is_told(told) else "no reason was recorded"
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".")


def advice(call: Row, settings: Settings) -> list[str]:
    """What would help where the call is not a plain answer; nothing where it is."""
    flags = words.split_flags(call["flags"])
    if call["call"] == words.NOT_EVALUABLE:
        return _advice_unread(flags)
    if call["call"] == words.POSITIVE_NOT_QUANTIFIABLE:
        return _advice_number(call, settings)
    if call["call"] == words.INDETERMINATE:
        above = float(call[str(call["decide_on"])]) >= settings.threshold
        return (_advice_background(call, settings) if above else _advice_gaps(call, flags, settings)) or [AGAIN]
    return [AGAIN] if call["confident"] == "N" else []


def _advice_unread(flags: list[str]) -> list[str]:
    told = {
        "tube-failed": "Export or acquire the tube again; the reason above says what is wrong with it.",
        "no-diagnosis": "Add a diagnosis tube of the same panel, or a frozen LAIP of the subject.",
        "no-laip": "Check the diagnosis tube: a LAIP needs a population that the controls do not have.",
    }
    return [line for flag, line in told.items() if flag in flags] or ["Send another specimen."]


def _advice_number(call: Row, settings: Settings) -> list[str]:
    needed = math.ceil(settings.quantifiable_cells / float(call["laip_fraction"]))
    return [f"To quantify a burden this small takes about {whole(needed)} leukocytes; this specimen has {_have(call)}."]


def _advice_background(call: Row, settings: Settings) -> list[str]:
    """The estimate is over the threshold, but the finding is too small or no more than blanks show."""
    if int(call["n_laip"]) < settings.min_cluster and float(call["laip_fraction"]) > 0:
        needed = math.ceil(settings.min_cluster / float(call["laip_fraction"]))
        return [
            f"{whole(call['n_laip'])} cells were found and a finding needs {settings.min_cluster}:"
            f" at this level that takes about {whole(needed)} leukocytes; this specimen has {_have(call)}."
        ]
    return ["Controls show as many such cells: a more specific LAIP or more controls would help more than events.", AGAIN]


def _advice_gaps(call: Row, flags: list[str], settings: Settings) -> list[str]:
    told: dict[str, Callable[[Row, Settings], str]] = {
        "blood": lambda c, s: "Peripheral blood is reported but never called below: send bone marrow.",
        "few-leukocytes": _advice_leukocytes,
        "few-blasts": _advice_blasts,
        "lod-above-threshold": _advice_lod,
        words.FOLLOWED: lambda c, s: "A diagnosis tube of the same panel, or a LAIP that the lab draws, could tell below.",
        words.STAIN_LOST: lambda c, s: "Stain a tube again: one of its stains may have failed (specimens.tsv names the marker).",
        words.OTHER_REFERENCE: lambda c, s: "Run with the reference that taught the LAIP, or let this run learn the LAIP again.",
    }
    return [tell(call, settings) for flag, tell in told.items() if flag in flags]


def _advice_leukocytes(call: Row, settings: Settings) -> str:
    more = max(settings.min_leukocytes - int(call["n_leukocytes"]), 0)
    return (
        f"Repeat with more events: {whole(settings.min_leukocytes)} leukocytes are needed to call below,"
        f" this specimen has {_have(call)}, {whole(more)} too few."
    )


def _advice_blasts(call: Row, settings: Settings) -> str:
    return (
        f"{settings.min_blasts} cells in the blast compartment are needed, this specimen has {whole(call['n_blast'])}:"
        " repeat with a first-pull aspirate, or with more events."
    )


def _advice_lod(call: Row, settings: Settings) -> str:
    """At least `min_cluster` leukaemic cells must be caught: 20 / (recall N), the floor of the LoD."""
    threshold = threshold_text(settings.threshold)
    needed = math.ceil(settings.min_cluster / (max(float(call["recall"]), 1e-6) * settings.threshold))
    if int(call["n_leukocytes"]) < needed:
        return f"To show {threshold} with this LAIP takes at least {whole(needed)} leukocytes; this specimen has {_have(call)}."
    return (
        f"The background in controls, not the number of events, keeps the LoD over {threshold}:"
        " a more specific LAIP or more controls would lower it."
    )


def _have(call: Row) -> str:
    return whole(call["n_leukocytes"])


NOTES = frozenset(
    {
        "compensation-file",
        "control-excluded",
        "few-controls",
        "in-sample",
        "no-regenerating-controls",
        words.NEW,
        words.SURELY_CHANGED,
        "unstable",
    }
)
"""Flags that inform; every other flag asks for a look."""
GAPS = frozenset({"blood", "few-blasts", "few-leukocytes"})
"""Flags that keep a specimen from being called below; they take nothing from a positive."""


def review_reasons(call: Row) -> list[str]:
    """Why a visit should be looked at first, the weightiest reason first; nothing where it need not."""
    name, flags = str(call["call"]), words.split_flags(call["flags"])
    idle = NOTES | (GAPS if name in words.ABOVE else frozenset())
    asking = [f for f in flags if f not in idle]
    near = [f for f in asking if f == "near-threshold"]
    return near + [ANSWERS[c] for c in (name,) if c in ANSWERS] + [f for f in asking if f not in near]


ANSWERS = {
    words.INDETERMINATE: "cannot tell",
    words.NOT_EVALUABLE: "not evaluable",
    words.POSITIVE_NOT_QUANTIFIABLE: "positive on few cells",
}
"""Calls that ask for a look by themselves."""


def review_rank(call: Row) -> tuple[int, int]:
    """Sorts visits for a reviewer: near the threshold, then no plain answer, then flags, then the rest; more reasons first."""
    why = review_reasons(call)
    kind = 0 if "near-threshold" in why else 1 if str(call["call"]) in ANSWERS else 2 if why else 3
    return kind, -len(why)
