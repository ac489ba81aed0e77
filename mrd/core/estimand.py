"""The estimands of a trial as config: population, variable, intercurrent events and their strategies (ICH E9(R1))."""

from __future__ import annotations

from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mrd.core.errors import SettingsError

Strategy = Literal["composite", "while-on-treatment", "treatment-policy", "hypothetical"]
STRATEGIES = {
    "composite": "the event is part of the variable: a failure, or an event of its own",
    "while-on-treatment": "what comes after the event does not count",
    "treatment-policy": "the event is ignored",
    "hypothetical": "follow-up is censored at the event, as if it had not happened",
}
"""What each strategy does, in words; `hypothetical` is for time to event only, `while-on-treatment` for conversion only."""
Event = Literal["death", "relapse", "new_therapy", "transplant", "consolidation"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Closing(_Part):
    """One intercurrent event of the conversion."""

    strategy: Literal["composite", "while-on-treatment", "treatment-policy"]
    day_counts: bool = Field(False, description="whether a marrow of that very day still counts")


CONVERSION_EVENTS: dict[Event, Closing] = {
    "death": Closing(strategy="composite", day_counts=True),
    "relapse": Closing(strategy="composite"),
    "new_therapy": Closing(strategy="composite"),
    "transplant": Closing(strategy="while-on-treatment"),
    "consolidation": Closing(strategy="while-on-treatment", day_counts=True),
}


class ConversionEstimand(_Part):
    """Conversion to MRD below the threshold. Order matters: of events on one day the first named tells the reason."""

    population: Literal["treated", "evaluable", "cr-cri"] = "treated"
    variable: str = "converted to MRD below the threshold by flow cytometry before consolidation"
    specimen_types: tuple[str, ...] = ("bone marrow",)
    known_disease: tuple[Literal["relapsed", "refractory", "newly diagnosed"], ...] = ("relapsed", "refractory")
    refractory: Literal["composite", "treatment-policy"] = "composite"
    calls: Literal["pipeline", "reviewed"] = Field("pipeline", description="whose calls the primary analysis rests on")
    events: dict[Event, Closing] = Field(default_factory=lambda: dict(CONVERSION_EVENTS))
    missing: Literal["composite"] = Field("composite", description="missing, inadequate and indeterminate: not converted")
    summary: str = "share of the population, exact 95 % interval (Clopper-Pearson)"


Stop = Literal["composite", "while-on-treatment", "treatment-policy"]
RESPONSE_EVENTS: dict[Event, Stop] = {
    "death": "while-on-treatment",
    "relapse": "while-on-treatment",
    "new_therapy": "while-on-treatment",
    "transplant": "while-on-treatment",
}


class ResponseEstimand(_Part):
    """Overall response: the best response inside so many cycles."""

    population: Literal["treated"] = "treated"
    variable: str = "best response of the assessments inside the first cycles"
    responders: tuple[Literal["CR", "CRh", "CRi", "MLFS", "PR"], ...] = ("CR", "CRh", "CRi", "MLFS")
    judged_by: Literal["criteria", "investigator"] = "criteria"
    cycles: int = Field(2, ge=1, le=12)
    cycle_days: int = Field(28, ge=1, le=100)
    events: dict[Event, Stop] = Field(default_factory=lambda: dict(RESPONSE_EVENTS))
    missing: Literal["composite"] = Field("composite", description="no assessment, or one that cannot be told: no responder")
    summary: str = "share of the population, exact 95 % interval (Clopper-Pearson)"


class TimeEstimand(_Part):
    """A time to event: what happens to follow-up at each intercurrent event."""

    population: Literal["treated"] = "treated"
    variable: str
    events: dict[Event, Literal["composite", "treatment-policy", "hypothetical"]]
    summary: str = "Kaplan-Meier median with its 95 % interval (log-log)"


def _time(variable: str, **events: Any) -> Any:
    return Field(default_factory=lambda: TimeEstimand(variable=variable, events=events))


class Estimands(_Part):
    """Every estimand of the trial."""

    conversion: ConversionEstimand = Field(default_factory=ConversionEstimand)
    response: ResponseEstimand = Field(default_factory=ResponseEstimand)
    survival: TimeEstimand = _time(
        "first dose to death from any cause",
        death="composite",
        relapse="treatment-policy",
        new_therapy="treatment-policy",
        transplant="treatment-policy",
        consolidation="treatment-policy",
    )
    leukaemia_free: TimeEstimand = _time(
        "first CR or CRi to relapse or death in remission",
        death="composite",
        relapse="composite",
        new_therapy="treatment-policy",
        transplant="treatment-policy",
        consolidation="treatment-policy",
    )


def check_estimands(values: dict[str, Any]) -> Estimands:
    """Validate estimands from a config file; what is not given keeps its default.

    Raises
    ------
    SettingsError
        A part is unknown, or a strategy does not exist for that variable; all of them are named.
    """
    try:
        return Estimands(**values)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(p) for p in e['loc'])} = {e['input']!r}: {e['msg']}" for e in error.errors())
        raise SettingsError(told, where="estimands", fix="see `mrd estimand`") from None


def estimands_yaml(estimands: Estimands) -> str:
    """Estimands as YAML that `check_estimands` takes back."""
    return yaml.safe_dump(estimands.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
