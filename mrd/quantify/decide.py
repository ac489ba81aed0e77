"""The one decision table: from estimate, limits and adequacy to a call."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mrd.core import words
from mrd.core.settings import Settings


@dataclass(frozen=True)
class Finding:
    """What decides: the compared quantity x with its limits on the same scale, and what was found.

    `interval` is that of x · `adequate` says whether the tube could have told "below".
    """

    x: float
    lob: float
    lod: float
    lloq: float
    found: int
    interval: tuple[float, float]
    adequate: bool


@dataclass(frozen=True)
class Decision:
    """A call, whether it is below the threshold (Y, N or empty), how sure, and why."""

    call: str
    below: str
    confident: str
    reason: str


def decide(finding: Finding, settings: Settings) -> Decision:
    """The decision table of DOMAIN.md from row 2 on: the first row that matches."""
    t = settings.threshold
    detected = is_detected(finding, settings)
    if finding.x >= t:
        return _above(finding, settings, detected=detected)
    if not finding.adequate:
        return _told(
            finding,
            settings,
            words.INDETERMINATE,
            "",
            f"estimate {finding.x:.2g} is below {t:g}, but the specimen is not adequate to say so",
        )
    if detected and finding.x >= finding.lloq:
        return _told(finding, settings, words.LOW_QUANTIFIABLE, "Y", f"{finding.x:.2g} detected and quantified below {t:g}")
    if detected:
        return _told(
            finding,
            settings,
            words.LOW_NOT_QUANTIFIABLE,
            "Y",
            f"{finding.x:.2g} detected below {t:g}, under the LLOQ {finding.lloq:.2g}",
        )
    return _told(
        finding,
        settings,
        words.NOT_DETECTED,
        "Y",
        f"{_undetected(finding, settings)}; the tube shows {finding.lod:.2g} with 95 % probability",
    )


def _undetected(finding: Finding, settings: Settings) -> str:
    if finding.x <= finding.lob:
        return f"nothing over the LoB {finding.lob:.2g}"
    return (
        f"{finding.x:.2g} is over the LoB {finding.lob:.2g}, but on {finding.found} cells, a finding needs {settings.min_cluster}"
    )


def _above(finding: Finding, settings: Settings, *, detected: bool) -> Decision:
    if not detected:
        why = (
            f"{finding.found} cells, a finding needs {settings.min_cluster}"
            if finding.found < settings.min_cluster
            else "within what blanks show"
        )
        return _told(
            finding,
            settings,
            words.INDETERMINATE,
            "",
            f"estimate {finding.x:.2g} is over {settings.threshold:g} but not detected: {why}",
        )
    if finding.found >= settings.quantifiable_cells:
        return _told(finding, settings, words.POSITIVE, "N", f"{finding.x:.2g} detected at or above {settings.threshold:g}")
    why = f"{finding.found} cells, quantification needs {settings.quantifiable_cells}: review"
    return _told(
        finding,
        settings,
        words.POSITIVE_NOT_QUANTIFIABLE,
        "N",
        f"{finding.x:.2g} detected at or above {settings.threshold:g} on {why}",
    )


def _told(finding: Finding, settings: Settings, call: str, below: str, reason: str) -> Decision:
    return Decision(call, below, confidence(finding.interval, settings), reason)


def confidence(interval: tuple[float, float], settings: Settings) -> str:
    """Whether an interval lies on one side of the threshold, Y or N."""
    low, high = interval
    return "Y" if low >= settings.threshold or high < settings.threshold else "N"


def is_detected(finding: Finding, settings: Settings) -> bool:
    """Over the LoB, and at least `min_cluster` cells."""
    return finding.x > finding.lob and finding.found >= settings.min_cluster


def counted_below(found: int, n: int, threshold: float) -> bool:
    """found / n < threshold, in whole numbers: exactly at the threshold is not below."""
    t = Fraction(str(threshold))
    return found * t.denominator < n * t.numerator


def adequacy_gaps(*, marrow: bool, n: int, blasts: int, lod: float, settings: Settings) -> list[str]:
    """What keeps a specimen from telling "below", as flags; none where it is adequate."""
    gaps = {
        "blood": not marrow,
        "few-leukocytes": n < settings.min_leukocytes,
        "few-blasts": blasts < settings.min_blasts,
        "lod-above-threshold": lod >= settings.threshold,
    }
    return [flag for flag, holds in gaps.items() if holds]


def not_evaluable(reason: str) -> Decision:
    """Row 1 of the table."""
    return Decision(words.NOT_EVALUABLE, "", "", reason)
