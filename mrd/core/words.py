"""The words that results are told in: roles, calls, arms, flags. One word per thing, everywhere."""

from __future__ import annotations

ROLES = ("control", "diagnosis", "follow-up")
CONTROL_KINDS = ("normal", "regenerating")
MARROW = "bone marrow"
SPECIMEN_TYPES = (MARROW, "peripheral blood")

NOT_EVALUABLE = "not-evaluable"
POSITIVE = "positive"
POSITIVE_NOT_QUANTIFIABLE = "positive-not-quantifiable"
INDETERMINATE = "indeterminate"
LOW_QUANTIFIABLE = "low-quantifiable"
LOW_NOT_QUANTIFIABLE = "low-not-quantifiable"
NOT_DETECTED = "not-detected"
CALLS = (
    POSITIVE,
    POSITIVE_NOT_QUANTIFIABLE,
    LOW_QUANTIFIABLE,
    LOW_NOT_QUANTIFIABLE,
    NOT_DETECTED,
    INDETERMINATE,
    NOT_EVALUABLE,
)
BELOW = (LOW_QUANTIFIABLE, LOW_NOT_QUANTIFIABLE, NOT_DETECTED)
ABOVE = (POSITIVE, POSITIVE_NOT_QUANTIFIABLE)

ARMS = ("laip", "learned", "dfn", "drawn")
"""laip: the phenotype found at diagnosis · learned: a classifier of diagnosis against controls · dfn: different from normal ·
drawn: the LAIP that the lab drew"""
COMBINE = ("laip-first", "highest", *ARMS)

HOLDRINET, COMPOSITION = "holdrinet", "composition"
PURITY_METHODS = (HOLDRINET, COMPOSITION)
"""How the marrow share of a specimen was told: from blood counts of the sheet, or from what the tube is made of."""

OK = "ok"
FAILED = "failed"
OUTCOMES = (OK, FAILED)

READ, REPAIRED, CHOOSE, REFUSED = "read", "repaired", "choose", "refused"
READINGS = (READ, REPAIRED, CHOOSE, REFUSED)
"""What becomes of an FCS file: read as it is, put right first, a data set still to be named, or not to be used."""

MAY_HAVE_CHANGED = "the leukaemia may have changed"
"""Part of the reason of a call that what differs from normal gave where the LAIP shows nothing."""
FOLLOWED = "laip-of-follow-up"
CLEAR = "clearly-different"
NEW = "new-population"
SURELY_CHANGED = "surely-changed"
SHIFTED = "shifted"
STAIN_LOST = "stain-lost"
OTHER_REFERENCE = "other-reference"

FLAGS = {
    "anchor-missing": "the lymphocytes that place the gates were not found; the panel's default places were used",
    "arms-disagree": "the arms lie on different sides of the threshold, or one does not find what another does",
    "blood": "peripheral blood: reported, never called below",
    CLEAR: "a population exceeds what the controls show so far that it speaks against a LAIP that shows less",
    "compensated-before": "the file says that its signals were compensated at or after acquisition; they were taken as they are",
    "compensation-file": "compensated with the matrix of the sample sheet instead of the file's own",
    "control-excluded": "a control that carries a population no other control shows was left out",
    "dfn-only": "only the search for what differs from normal applies: it does not tell below the threshold",
    "discordant-counted": "the corrected estimate and the plain count lie on different sides of the threshold",
    "doublets-high": "more than a quarter of the events are doublets",
    "events-lost": "more than a fifth of the events failed margin or time checks",
    "far-from-reference": "a marker lies so far from where the controls show it that the tube cannot be judged",
    "few-blasts": "fewer cells in the blast compartment than an adequate specimen needs",
    "few-controls": "fewer than 20 control tubes stand behind the limits",
    "few-leukocytes": "fewer leukocytes than an adequate specimen needs",
    "hemodiluted": "much of the specimen is blood, or the marrow makes few red cells: a finding of nothing may be dilution",
    "in-sample": "the LAIP was learned on this very tube",
    FOLLOWED: "no LAIP of a diagnosis: it is what differs from normal at another visit; it does not tell below the threshold",
    "lod-above-threshold": "this tube could not have shown disease at the threshold",
    "near-threshold": "the interval holds the threshold: review first",
    NEW: "most of what was found is clearly different and hardly there at other visits (where none tells: three times as clear)",
    "no-diagnosis": "no diagnosis tube of this panel stands behind the subject",
    "no-laip": "no population in excess of the controls was found at diagnosis",
    "no-reference": "too few controls of the panel to state a reference",
    "no-regenerating-controls": "no regenerating control stands behind the limits",
    "old-specimen": "more days passed from draw to receipt than the settings allow: the report must note viability",
    OTHER_REFERENCE: "the LAIP was learned by another reference than this run's: it does not tell below the threshold",
    "recall-assumed": "no diagnosis tells which share of the leukaemia the drawn LAIP holds: its recall is assumed",
    "repaired": "the FCS file had to be put right to be read; the table of tubes says what was done",
    "saturated": "more than 1 % of the events sit at the top of a fluorescence range",
    "shared-population": "most subjects show what was found: likelier normal marrow that no control shows",
    SHIFTED: "the tube lies unusually far from the reference",
    STAIN_LOST: "next to no cell carries a marker (specimens.tsv names it) that every control's do: its stain may have failed",
    SURELY_CHANGED: "most of what was found is clearly different, hardly there at other visits, and lies where leukaemia is",
    "time-missing": "no usable time channel: stability of the run was not checked",
    "tube-failed": "at least one tube of the visit could not be used",
    "unstable": "a stretch of unstable signal was removed",
    "uncompensated": "no compensation was applied",
    "weak-laip": "the LAIP finds less than half of the leukaemic cells at the chosen cut",
}
"""Every flag a result can carry, with what it tells a reviewer."""


def join_flags(*groups: list[str] | tuple[str, ...]) -> str:
    """Flags of several sources as one sorted `;`-separated text without repeats.

    Raises
    ------
    KeyError
        A flag is not declared here.
    """
    flags = sorted({f for group in groups for f in group})
    unknown = [f for f in flags if f not in FLAGS]
    if unknown:
        raise KeyError(f"flags not declared in mrd.core.words: {unknown}")
    return ";".join(flags)


def split_flags(text: str | None) -> list[str]:
    """The flags of a `;`-separated text; none for an empty one."""
    return [f for f in (text or "").split(";") if f] if isinstance(text, str) else []
