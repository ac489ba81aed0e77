"""The pages: one HTML file each, with styles, plots and words inside; nothing is fetched from anywhere."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mrd.core.digest import digest_bytes
from mrd.report import numbers
from mrd.report.cohort import cohort_page
from mrd.report.evidence import CohortEvidence

FILTERS = ("percent", "span", "fraction", "whole", "plain", "text", "short", "threshold_text", "is_told")


def render_cohort(evidence: CohortEvidence) -> str:
    """The page of the cohort."""
    return templates().get_template("cohort.html").render(cohort_page(evidence))


def templates_digest() -> str:
    """Digest of the templates: an edit there changes the pages."""
    folder = files("mrd.report") / "templates"
    parts = sorted((p.name, p.read_bytes()) for p in folder.iterdir() if p.is_file())
    return digest_bytes(*(b for name, data in parts for b in (name.encode(), data)))


def anchor(value: object) -> str:
    """A visit's place in its subject's page."""
    return "visit-" + re.sub(r"[^A-Za-z0-9._-]", "-", str(value))


def subject_link(subject: object) -> str:
    """Where a subject's page lies beside the cohort's."""
    return f"subjects/{quote(str(subject), safe='')}.html"


def lab_link(subject: object) -> str:
    """Where a subject's laboratory reports lie beside its page."""
    return f"{quote(str(subject), safe='')}.pdf"


@cache
def templates() -> Environment:
    """The templates, with the filters that they use."""
    environment = Environment(
        loader=PackageLoader("mrd.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(numbers, name) for name in FILTERS})
    environment.filters.update({"anchor": anchor, "subject_link": subject_link, "lab_link": lab_link, "drawing": _drawing})
    return environment


def _drawing(svg: str) -> Markup:
    """A plot's own markup, made by this package with its texts escaped."""
    return Markup(svg)  # noqa: S704
