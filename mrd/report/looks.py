"""How each call looks and reads: the same label, colour and shape in every table and plot."""

from __future__ import annotations

from dataclasses import dataclass

from mrd.core import words


@dataclass(frozen=True)
class Look:
    """Label of a call, its short form, its tone (a colour of the style sheet), ink, marker of matplotlib and sign in text."""

    label: str
    brief: str
    tone: str
    colour: str
    marker: str
    filled: bool
    sign: str
    meaning: str


RED, AMBER, GREEN, GREY = "#a8231b", "#8a5300", "#00695c", "#4d5763"
LOOKS = {
    words.POSITIVE: Look(
        "Positive",
        "Positive",
        "red",
        RED,
        "o",
        filled=True,
        sign="●",
        meaning="detected and quantified, at or above the threshold",
    ),
    words.POSITIVE_NOT_QUANTIFIABLE: Look(
        "Positive, not quantifiable",
        "Positive, few cells",
        "red",
        RED,
        "D",
        filled=False,
        sign="◇",
        meaning="detected at or above the threshold, on too few cells to trust the number",
    ),
    words.LOW_QUANTIFIABLE: Look(
        "Low, quantifiable",
        "Low",
        "amber",
        AMBER,
        "s",
        filled=True,
        sign="■",
        meaning="detected and quantified, below the threshold",
    ),
    words.LOW_NOT_QUANTIFIABLE: Look(
        "Low, not quantifiable",
        "Low, few cells",
        "amber",
        AMBER,
        "s",
        filled=False,
        sign="□",
        meaning="detected below the threshold, too little to quantify",
    ),
    words.NOT_DETECTED: Look(
        "Not detected",
        "Not detected",
        "green",
        GREEN,
        "o",
        filled=False,
        sign="○",
        meaning="no more cells than blanks show, or too few for a finding",
    ),
    words.INDETERMINATE: Look(
        "Cannot tell",
        "Cannot tell",
        "grey",
        GREY,
        "P",
        filled=False,
        sign="+",
        meaning="indeterminate: this specimen cannot tell below from above",
    ),
    words.NOT_EVALUABLE: Look(
        "Not evaluable", "Not evaluable", "grey", GREY, "X", filled=True, sign="×", meaning="nothing could be counted"
    ),
}
"""Colours differ in lightness and shapes differ throughout, so that neither colour vision nor a colour printer is needed."""

THRESHOLD_INK = "#1f2933"
FOUND_INK = "#d9480f"
OTHER_TONES = ("#f3ead9", "#eadcc0", "#dfcba3")
LEUKOCYTE_TONES = ("#d5dae1", "#bcc4ce", "#a1abb8", "#85909f")
BLAST_TONES = ("#86a6c8", "#5f86b0", "#3d6796")
BLAST_INK = "#5f86b0"
LEFT_OUT_TONES = ("#cdb8e0", "#9c74c0", "#6f3f9c")
GATE_INK = "#364352"
