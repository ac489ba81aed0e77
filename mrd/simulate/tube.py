"""One synthetic tube: the subject's marrow on the day of the visit, through the cytometer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.seeds import generator
from mrd.simulate.composition import Part, add_leukaemia, dilute, mix_blood, mix_marrow
from mrd.simulate.cytometer import declare_spill, draw_sag, draw_time, draw_tuning, record
from mrd.simulate.features import Floats
from mrd.simulate.instruments import INSTRUMENTS, Instrument
from mrd.simulate.plan import TubePlan
from mrd.simulate.population import Lineage
from mrd.simulate.specimen import draw_specimen
from mrd.simulate.subject import Biology, draw_biology, draw_drift, draw_leukaemia

REGENERATION = {"normal": (0.0, 0.15), "regenerating": (0.6, 1.0), "diagnosis": (0.0, 0.2), "follow-up": (0.1, 0.7)}
"""Degree of regeneration by kind of control, or by role."""


@dataclass(frozen=True)
class SyntheticTube:
    """Events as recorded, (n, channels), what each is, and what the file declares."""

    events: NDArray[np.float32]
    code: NDArray[np.uint8]
    instrument: Instrument
    spill: Floats


def simulate_tube(plan: TubePlan, seed: int) -> SyntheticTube:
    """One tube of a plan, the same for the same seed whatever else the plan holds.

    A subject's biology and leukaemia come from (seed, subject), the state of the marrow from (seed, visit), cells and
    instrument from (seed, tube).
    """
    befallen, instrument = plan.befallen, INSTRUMENTS[plan.panel]
    rng = generator(seed, "simulate", "tube", plan.tube_id)
    biology = draw_biology(seed, plan.subject)
    regeneration = draw_regeneration(plan, seed)
    parts = mix_specimen(plan, biology, draw_clone(plan, seed), regeneration=regeneration)
    cells = draw_specimen(parts, biology.offsets, plan.events, befallen, rng, regeneration=regeneration)
    tuning = draw_tuning(instrument, befallen["gain"], rng)
    time = draw_time(plan.events, rng)
    events = record(cells, instrument, tuning, time=time, sag=draw_sag(time, befallen["sag"], rng), rng=rng)
    return SyntheticTube(events, cells.code, instrument, declare_spill(instrument, tuning))


def mix_specimen(plan: TubePlan, biology: Biology, leukaemia: Lineage | None, *, regeneration: float) -> list[Part]:
    """Mix what the draw holds: marrow or blood with its leukaemia, and the blood that diluted the marrow.

    The burden is that of the undiluted marrow: dilution lowers what the tube shows, as it does in people.
    """
    drawn = mix_blood() if plan.blood else mix_marrow(biology.abundance, regeneration=regeneration)
    return dilute(add_leukaemia(drawn, leukaemia, plan.burden), mix_blood(), plan.befallen["hemodilution"])


def draw_clone(plan: TubePlan, seed: int) -> Lineage | None:
    """Draw the leukaemia of this visit: the subject's, drifted at follow-ups, or that of the clone that took over."""
    if not plan.kinds:
        return None
    switched = plan.befallen.switch
    leukaemia = draw_leukaemia(seed, plan.subject, plan.kinds, clone=switched.name if switched else "first")
    if plan.role == "diagnosis" and "drift" not in plan.befallen.numbers:
        return leukaemia
    return draw_drift(leukaemia, plan.befallen["drift"], seed, plan.subject, plan.visit)


def draw_regeneration(plan: TubePlan, seed: int) -> float:
    """How far the marrow is regenerating on the day: named, or drawn by kind of control or role."""
    if "regeneration" in plan.befallen.numbers:
        return plan.befallen["regeneration"]
    kind = plan.control_kind or {"control": "normal"}.get(plan.role, plan.role)
    return float(generator(seed, "simulate", "visit", plan.subject, plan.visit).uniform(*REGENERATION[kind]))
