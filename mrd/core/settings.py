"""All settings of a run, validated once; the default YAML and the JSON schema are generated from here."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mrd.core.digest import digest_json
from mrd.core.errors import SettingsError

LEAST_CONTROLS = 3
"""Control tubes of a panel without which no reference, and no limit, can be stated."""
CUTOFF = r"^(\d{4}-\d{2}-\d{2})?$"
STAGES = ("run", "prepare", "reference", "laip", "detect", "call", "endpoint", "report")


def _set(default: Any, stage: str, meaning: str, **limits: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"stage": stage}, **limits)


class Settings(BaseModel):
    """Settings of a run, grouped by the stage that first reads them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: str = _set("", "run", "sample sheet (tab-separated); the demo's is in workflow/config/demo.yaml")
    subjects: str = _set("", "run", "clinical table of subjects (tab-separated); empty: no endpoint from clinical dates")
    clinical: str = _set("", "run", "folder of clinical tables (subjects, exposure, responses, labs, ...); empty: none")
    panel: str = _set("aml-lyric-9", "run", "panel of tubes whose sheet row names none: a name in panels/ or a YAML file")
    results: str = _set("results", "run", "folder for everything that is written")
    device: Literal["auto", "cpu", "cuda"] = _set("auto", "run", "where the mixtures are fitted and scored")
    batch_tubes: int = _set(40, "run", "tubes one job takes (whole subjects)", ge=1)
    drawn_laips: str = _set("", "run", "LAIPs that the lab drew (YAML, see docs/gates.md); empty: none")

    compensation: Literal["auto", "none"] = _set(
        "auto", "prepare", "auto: the sheet's matrix, else the file's own; none: leave as is (flagged)"
    )
    time_bins: int = _set(100, "prepare", "stretches of equal time compared for a stable signal", ge=10, le=500)
    time_mads: float = _set(6.0, "prepare", "a stretch whose median lies further than this from the others is removed", gt=0)
    time_least: float = _set(0.15, "prepare", "and whose median moved at least this much (asinh units)", ge=0)
    least_cells: int = _set(500, "prepare", "fewer leukocytes than this: the tube is not evaluable", ge=1)

    reference: str = _set("", "reference", "folder of frozen references; empty: fit on the controls of the sheet")
    seed: int = _set(1, "reference", "seed of every random choice", ge=0)
    components: int = _set(80, "reference", "components of the reference mixture", ge=2, le=400)
    tails: float = _set(10.0, "reference", "degrees of freedom of the components' t tails", ge=3)
    reference_cells: int = _set(150_000, "reference", "control cells the reference is fitted on", ge=1000)
    adapt_cells: int = _set(80_000, "reference", "cells of a tube the reference is adapted to", ge=1000)
    adapt_rounds: int = _set(10, "reference", "rounds of adaptation", ge=1)
    mean_prior: float = _set(0.1, "reference", "how far a component's mean moves between people (asinh units, sd)", gt=0)
    spread_prior: float = _set(50.0, "reference", "pseudo-cells that hold a component's spread", gt=0)
    private_share: float = _set(0.01, "reference", "a control with a private population larger than this is left out", gt=0, lt=1)
    control_cells: int = _set(250_000, "reference", "cells of each control kept for counting backgrounds", ge=1000)
    folds: int = _set(2, "reference", "parts of the controls for cross-fitting the reference", ge=2)

    laip_components: int = _set(30, "laip", "components of the free mixture at diagnosis", ge=2)
    laip_excess: float = _set(
        2.5, "laip", "mean log density over the largest any control shows for a component to be leukaemic", gt=0
    )
    laip_least: float = _set(0.005, "laip", "smallest share of the diagnosis cells a leukaemic component may have", gt=0, lt=1)
    min_cluster: int = _set(20, "laip", "cells a finding needs", ge=1)
    laip_folder: str = _set("", "laip", "folder of frozen LAIPs; a subject found there is not learned again")
    follow_found: bool = _set(
        True,
        "laip",
        "search follow-ups beside each other (with a frozen reference: beside earlier ones); without a LAIP of a diagnosis, "
        "follow what one shows (not with a frozen reference)",
    )
    followed_least: float = _set(0.001, "laip", "smallest share of that follow-up's cells that differs", gt=0, lt=1)
    recall_drift: float = _set(
        1.1, "laip", "how far scores of leukaemic cells drift between diagnosis and follow-up (nat, sd)", ge=0
    )

    drawn_drift: float = _set(
        0.2,
        "laip",
        "how far a marker of leukaemic cells drifts against a drawn LAIP (asinh units, sd), in the error of its recall",
        ge=0,
    )
    drawn_recall: float = _set(0.7, "laip", "recall of a drawn LAIP where no diagnosis tells it", gt=0, le=1)
    drawn_recall_se: float = _set(0.2, "laip", "standard error of that assumed recall", gt=0, lt=1)

    dfn_components: int = _set(80, "reference", "components that compete with normal marrow for its rare cells", ge=2)
    dfn_rounds: int = _set(25, "reference", "rounds of that competition", ge=1)
    dfn_tolerance: float = _set(2.5, "reference", "times its normal density a population must exceed to be different", ge=1)
    dfn_ratio: float = _set(
        12.0, "reference", "times the controls' cells a different population must show; twice that in doubtful places", gt=1
    )
    dfn_clear: float = _set(15.0, "detect", "times the controls' cells from which on a population is clearly different", gt=1)

    far_flag: float = _set(
        0.6, "detect", "shift of a marker against the controls from which on a tube is flagged (asinh units)", gt=0
    )
    far_limit: float = _set(1.5, "detect", "shift of a marker beyond which a tube is not evaluable (asinh units)", gt=0)

    combine: Literal["laip-first", "highest", "laip", "learned", "dfn", "drawn"] = _set(
        "laip-first",
        "call",
        "how arms make one call: laip-first (the drawn LAIP where none was learned; others may speak up), highest, or one arm",
    )
    dfn_overrides: Literal["never", "clear", "always"] = _set(
        "clear",
        "call",
        "whether dfn may call positive what the LAIP does not: never, clear (and new, the LAIP shows nothing), or always",
    )
    dfn_below: bool = _set(False, "call", "whether dfn alone may call below the threshold, down to its LoD")
    drawn_below: bool = _set(False, "call", "whether a drawn LAIP whose recall is assumed may tell below the threshold")
    followed_below: bool = _set(False, "call", "whether a LAIP that a follow-up taught may tell below the threshold")
    purity_least: float = _set(
        0.6, "call", "marrow share of the leukocytes under which a specimen is flagged as hemodiluted", ge=0, le=1
    )
    old_days: int = _set(3, "call", "days from draw to receipt after which a specimen is flagged as old", ge=0)
    threshold: float = _set(1e-3, "call", "MRD threshold", gt=0, lt=1)
    min_leukocytes: int = _set(500_000, "call", "leukocytes an adequate specimen needs to be called below", ge=1)
    min_blasts: int = _set(100, "call", "cells in the blast compartment an adequate specimen needs", ge=0)
    quantifiable_cells: int = _set(50, "call", "cells a quantified finding needs", ge=1)
    lloq_cv: float = _set(0.35, "call", "largest coefficient of variation at the LLOQ", gt=0)
    decide_on: Literal["mrd_fraction", "laip_fraction"] = _set("mrd_fraction", "call", "quantity compared with the threshold")
    guideline: str = _set("ELN 2021", "call", "guideline version of the report wording")

    study: str = _set("VENAZACAG", "endpoint", "study identifier of the endpoint dataset")
    treatment: str = _set("VEN+AZA+CAG", "endpoint", "treatment of every subject with a first dose")
    window_days: int = _set(730, "endpoint", "days after the first dose in which a conversion counts", ge=1)
    conversion_rule: Literal["last", "any"] = _set("last", "endpoint", "primary: the last adequate marrow of the window, or any")
    blast_percent: float = _set(5.0, "endpoint", "marrow blasts (%) that show disease whatever the flow says", gt=0, le=100)
    blast_days: int = _set(7, "endpoint", "days between a blast count and the marrow it is held to belong to", ge=0)

    estimands: str = _set("", "endpoint", "estimands (YAML, see `mrd estimand`); empty: those of the trial")
    criteria: Literal["ELN 2022", "ELN 2022 with CRh"] = _set("ELN 2022", "endpoint", "criteria set of the response")
    cutoff: str = _set("", "endpoint", "data cut-off, YYYY-MM-DD; what came later is not used; empty: none", pattern=CUTOFF)
    landmark_days: int = _set(56, "endpoint", "landmark for survival by MRD status, days after the first dose", ge=1)
    teae_days: int = _set(30, "endpoint", "days after the last dose in which an event is treatment-emergent", ge=0)

    title: str = _set("AML MRD by flow cytometry", "report", "title of the report pages")
    plot_cells: int = _set(8_000, "report", "background cells drawn in a plot", ge=100)

    @field_validator("cutoff")
    @classmethod
    def _is_day(cls, value: str) -> str:
        if value:
            date.fromisoformat(value)
        return value


def check_settings(values: dict[str, Any]) -> Settings:
    """Validate settings from a config file or the command line; an empty one keeps its default.

    Raises
    ------
    SettingsError
        A setting is unknown or out of range; all of them are named.
    """
    try:
        return Settings(**{n: v for n, v in values.items() if v is not None})
    except ValidationError as error:
        told = "; ".join(_problem(e) for e in error.errors())
        raise SettingsError(told, where="settings", fix="see workflow/config/config.yaml") from None


def _problem(error: Any) -> str:
    name = ".".join(str(p) for p in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting"
    return f"{name} = {error['input']!r}: {error['msg']}"


def stage_of(name: str) -> str:
    """The stage that first reads a setting."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["stage"]) if isinstance(extra, dict) else ""


def stage_settings(settings: Settings, *stages: str) -> dict[str, Any]:
    """The settings some stages depend on, as a plain mapping."""
    return {n: v for n, v in settings.model_dump().items() if stage_of(n) in stages}


def settings_digest(settings: Settings, *stages: str) -> str:
    """A digest that changes when, and only when, a setting of these stages does."""
    return digest_json(stage_settings(settings, *stages))


def default_yaml() -> str:
    """The commented default configuration, generated from the declarations."""
    lines = ["# Settings of a run. Generated by `mrd settings --default`; change a value here or with --config name=value.\n"]
    for stage in STAGES:
        lines.append(f"\n# {stage}\n")
        for name, field in Settings.model_fields.items():
            if stage_of(name) == stage:
                value = yaml.safe_dump({name: field.default}, default_flow_style=False).strip()
                lines.append(f"{value}  # {field.description}\n")
    return "".join(lines)
