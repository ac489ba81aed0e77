"""Numbers as a clinician reads them: percent, whole cells, powers of ten; never more digits than the data hold."""

from __future__ import annotations

from typing import Any

import pandas as pd

NONE = "–"
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def is_told(value: Any) -> bool:
    """Whether there is a value at all."""
    return not (value is None or value == "" or bool(pd.isna(value)))


def digits(value: float, significant: int = 3) -> str:
    """A plain decimal number with so many significant digits, never in exponent form."""
    if value == 0:
        return "0"
    lead, power = f"{value:.{significant - 1}e}".split("e")
    return f"{float(lead) * 10.0 ** int(power):,.{max(significant - 1 - int(power), 0)}f}"


def percent(value: Any, significant: int = 3) -> str:
    """A fraction in percent: 0.00104 is 0.104 %."""
    return f"{digits(100 * float(value), significant)} %" if is_told(value) else NONE


def span(low: Any, high: Any, significant: int = 3) -> str:
    """An interval of fractions in percent."""
    if not (is_told(low) and is_told(high)):
        return NONE
    return f"{digits(100 * float(low), significant)}–{digits(100 * float(high), significant)} %"


def fraction(value: Any, significant: int = 3) -> str:
    """A fraction as a number times a power of ten: 0.00104 is 1.04 × 10⁻³."""
    if not is_told(value):
        return NONE
    number = float(value)
    if number == 0 or number >= 0.1:
        return digits(number, significant)
    lead, power = f"{number:.{significant - 1}e}".split("e")
    return f"{lead} × {power_of_ten(int(power))}"


def power_of_ten(power: int) -> str:
    """Ten to a whole power: 10⁻³."""
    return f"10{str(power).translate(SUPERSCRIPT)}"


def threshold_text(threshold: float) -> str:
    """The threshold as people name it: 0.1 % (10⁻³)."""
    lead, power = f"{threshold:e}".split("e")
    told = f" ({power_of_ten(int(power))})" if float(lead) == 1 else ""
    return f"{100 * threshold:g} %{told}"


def whole(value: Any) -> str:
    """A count with thousands set apart."""
    return f"{int(value):,}" if is_told(value) else NONE


def plain(value: Any, significant: int = 3) -> str:
    """Any other number."""
    return digits(float(value), significant) if is_told(value) else NONE


def text(value: Any) -> str:
    """A text, or a dash where there is none."""
    return str(value) if is_told(value) else NONE


def short(digest: Any, length: int = 12) -> str:
    """The first characters of a digest."""
    return str(digest)[:length] if is_told(digest) else NONE


def count_of(number: int, noun: str) -> str:
    """A number with its noun: 1 visit, 2 visits."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
