"""From calls and clinical tables to every table of the endpoint, in one call."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mrd.core.contracts import RESPONSES
from mrd.core.digest import digest_json
from mrd.core.settings import Settings, stage_settings
from mrd.endpoint.adam import derive_admrd
from mrd.endpoint.coherence import to_records
from mrd.endpoint.cohort import derive_cohort
from mrd.endpoint.convert import derive_conversion
from mrd.endpoint.summary import summarise_conversion
from mrd.endpoint.window import declare_conversion


@dataclass(frozen=True)
class EndpointTables:
    """Tables ADMRD, CONVERSION and SUMMARY; the last two are None without a clinical table."""

    admrd: pd.DataFrame
    conversion: pd.DataFrame | None
    summary: pd.DataFrame | None


def derive_endpoint(
    calls: pd.DataFrame, subjects: pd.DataFrame | None, responses: pd.DataFrame | None, settings: Settings, *, version: str
) -> EndpointTables:
    """Derive every table of the endpoint.

    Parameters
    ----------
    calls, subjects, responses : tables CALLS_TABLE, SUBJECTS and RESPONSES; None where there is no such table.
    version : software version

    Raises
    ------
    ContractError
        A table breaks its declaration, or a call contradicts itself.
    SheetError
        The clinical tables do not fit the calls.
    """
    responses = RESPONSES.empty() if responses is None else responses
    endpoint = declare_conversion(settings)
    persons = derive_cohort(calls, subjects, responses, blast_days=settings.blast_days)
    conversion = None if subjects is None else derive_conversion(persons, endpoint)
    run = digest_run([calls, responses] if subjects is None else [calls, responses, subjects], settings)
    return EndpointTables(
        admrd=derive_admrd(persons, endpoint, conversion, settings, version=version, run=run),
        conversion=conversion,
        summary=None if conversion is None else summarise_conversion(conversion, primary=settings.conversion_rule),
    )


def digest_run(frames: list[pd.DataFrame], settings: Settings) -> str:
    """Digest the inputs and the endpoint's settings, in short; the order of rows and columns does not matter."""
    rows = [sorted(digest_json(row) for row in to_records(frame)) for frame in frames]
    return digest_json([rows, stage_settings(settings, "endpoint")])[:16]
