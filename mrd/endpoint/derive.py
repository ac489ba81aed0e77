"""From calls and clinical tables to every table of the endpoint, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mrd.core.digest import digest_json
from mrd.core.errors import SheetError
from mrd.core.estimand import Estimands
from mrd.core.settings import Settings, stage_settings
from mrd.endpoint.adam import derive_admrd
from mrd.endpoint.clinical import Clinical, to_records
from mrd.endpoint.cohort import Person, derive_cohort
from mrd.endpoint.convert import derive_conversion
from mrd.endpoint.datasets import derive_adrs, derive_adsl, derive_adtte
from mrd.endpoint.events import derive_adae
from mrd.endpoint.notes import derive_notes
from mrd.endpoint.reviewed import apply_reviews, find_contradictions
from mrd.endpoint.sdtm import derive_cp, derive_rs
from mrd.endpoint.summary import summarise_conversion
from mrd.endpoint.survival import declare_endpoints
from mrd.endpoint.window import Conversion, declare_conversion

Line = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """Every table of the endpoint: ADaM and SDTM by name, and the tables beside them; None without a clinical table.

    `conversion` rests on the calls the estimand names, `plain` on the pipeline's, `reviewed` on the reviewers'.
    """

    persons: tuple[Person, ...]
    adam: Mapping[str, pd.DataFrame]
    sdtm: Mapping[str, pd.DataFrame]
    conversion: pd.DataFrame | None = None
    plain: pd.DataFrame | None = None
    summary: pd.DataFrame | None = None
    reviewed: pd.DataFrame | None = None
    notes: pd.DataFrame | None = None

    @property
    def admrd(self) -> pd.DataFrame:
        """Table ADMRD."""
        return self.adam["admrd"]


@dataclass(frozen=True)
class Inputs:
    """What a trial is derived from; `markers` are phenotypes of LAIPs by subject and panel."""

    calls: pd.DataFrame
    clinical: Clinical | None = None
    estimands: Estimands = field(default_factory=Estimands)
    markers: Mapping[tuple[str, str], str] = field(default_factory=dict)


def derive_trial(inputs: Inputs, settings: Settings, *, version: str) -> Trial:
    """Derive every table of the endpoint.

    Parameters
    ----------
    version : software version

    Raises
    ------
    ContractError
        A table breaks its declaration, or a call contradicts itself.
    SheetError
        The clinical tables do not fit the calls or each other.
    """
    endpoint = declare_conversion(settings, inputs.estimands.conversion)
    persons = derive_cohort(inputs.calls, inputs.clinical, settings, inputs.estimands)
    _check_reviews(persons)
    head = make_head(settings, version=version, run=digest_run(inputs, settings), clinical=inputs.clinical is not None)
    if inputs.clinical is None:
        admrd = derive_admrd(persons, endpoint, None, None, head)
        return Trial(persons, {"admrd": admrd}, _derive_sdtm(persons, endpoint, inputs, settings))
    plain, reviewed = derive_conversion(persons, endpoint), _derive_reviewed(persons, endpoint)
    chosen = reviewed if reviewed is not None and inputs.estimands.conversion.calls == "reviewed" else plain
    lines = {line["subject"]: line for line in to_records(chosen)}
    return Trial(
        persons=persons,
        adam={
            "adsl": derive_adsl(persons, lines, settings, head),
            "admrd": derive_admrd(persons, endpoint, plain, reviewed, head),
            "adrs": derive_adrs(persons, inputs.estimands.response, settings.criteria, head),
            "adtte": derive_adtte(persons, declare_endpoints(inputs.estimands), head),
            "adae": derive_adae(persons, settings, head),
        },
        sdtm=_derive_sdtm(persons, endpoint, inputs, settings),
        conversion=chosen,
        plain=plain,
        summary=summarise_conversion(chosen, primary=settings.conversion_rule, population=inputs.estimands.conversion.population),
        reviewed=reviewed,
        notes=derive_notes(persons),
    )


def _check_reviews(persons: Sequence[Person]) -> None:
    found = list(find_contradictions(persons))
    if found:
        raise SheetError("; ".join(found), where="table review", fix="correct the decision in the review")


def _derive_reviewed(persons: Sequence[Person], endpoint: Conversion) -> pd.DataFrame | None:
    if not any(person.rows("review") for person in persons):
        return None
    return derive_conversion([apply_reviews(person) for person in persons], endpoint)


def _derive_sdtm(persons: Sequence[Person], endpoint: Conversion, inputs: Inputs, settings: Settings) -> dict[str, pd.DataFrame]:
    response = inputs.estimands.response
    return {
        "cp": derive_cp(persons, endpoint, study=settings.study, markers=inputs.markers),
        "rs": derive_rs(persons, response, study=settings.study, criteria=settings.criteria),
    }


def make_head(settings: Settings, *, version: str, run: str, clinical: bool) -> Callable[[Person, Line | None], Line]:
    """Make the function that gives the columns every row of a person starts with."""

    def head(person: Person, _: Line | None) -> Line:
        treated = None if not clinical else "Y" if person.first_dose is not None else "N"
        return {
            "STUDYID": settings.study,
            "USUBJID": f"{settings.study}-{person.subject}",
            "SITEID": person.site,
            "TRT01A": settings.treatment if treated == "Y" else None,
            "FASFL": treated,
            "SAFFL": treated,
            "PIPEVER": version,
            "RUNID": run,
        }

    return head


def digest_run(inputs: Inputs, settings: Settings) -> str:
    """Digest the inputs, the estimands and the endpoint's settings, in short; the order of rows and columns does not matter."""
    frames = {"calls": inputs.calls, **({} if inputs.clinical is None else inputs.clinical.frames)}
    rows = {name: sorted(digest_json(row) for row in to_records(frame)) for name, frame in frames.items() if len(frame)}
    told = inputs.estimands.model_dump(mode="json")
    return digest_json([rows, told, stage_settings(settings, "endpoint")])[:16]
