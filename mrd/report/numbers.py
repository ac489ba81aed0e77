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


def digits_beside(value: float, mark: float, significant: int = 3) -> str:
    """As many digits as it takes that the number as written lies on the side of the mark on which the value lies."""
    told = digits(value, significant)
    written = float(told.replace(",", ""))
    same_side = (written > mark) - (written < mark) == (value > mark) - (value < mark)
    return told if same_side or significant >= 15 else digits_beside(value, mark, significant + 1)


def percent(value: Any, significant: int = 3, *, beside: float | None = None) -> str:
    """A fraction in percent: 0.00104 is 0.104 %.

    Parameters
    ----------
    beside : a fraction (the threshold) that rounding must neither reach nor cross: 0.0009999 is 0.09999 %, not 0.1 %
    """
    return f"{_hundredths(value, significant, beside)} %" if is_told(value) else NONE


def span(low: Any, high: Any, significant: int = 3, *, beside: float | None = None) -> str:
    """An interval of fractions in percent; `beside` as for `percent`."""
    if not (is_told(low) and is_told(high)):
        return NONE
    return f"{_hundredths(low, significant, beside)}–{_hundredths(high, significant, beside)} %"


def _hundredths(value: Any, significant: int, beside: float | None) -> str:
    number = 100 * float(value)
    return digits(number, significant) if beside is None else digits_beside(number, 100 * beside, significant)


def fraction(value: Any, significant: int = 3, *, beside: float | None = None) -> str:
    """A fraction as a number times a power of ten: 0.00104 is 1.04 × 10⁻³; `beside` as for `percent`."""
    if not is_told(value):
        return NONE
    number = float(value)
    told = digits(number, significant) if beside is None else digits_beside(number, beside, significant)
    if number == 0 or number >= 0.1:
        return told
    kept = significant if beside is None else len(told.replace(".", "").lstrip("0"))
    lead, power = f"{number:.{kept - 1}e}".split("e")
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
