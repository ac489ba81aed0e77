"""The mock trial, simulated and derived once."""

from functools import cache

from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.endpoint.analyses import analyse
from mrd.endpoint.clinical import Clinical
from mrd.endpoint.derive import Inputs, derive_trial
from mrd.simulate.trial import simulate_trial

CLINICAL = ("subjects", "exposure", "responses", "labs", "adverse_events", "disposition", "review")


@cache
def mock_tables(seed=1):
    return simulate_trial(seed)


def derive_tables(tables, **settings):
    clinical = Clinical({name: tables[name] for name in CLINICAL if name in tables})
    return derive_trial(Inputs(tables["calls"], clinical), Settings(**settings), version="1")


@cache
def mock_trial(seed=1):
    return derive_tables(mock_tables(seed))


@cache
def mock_analyses(seed=1):
    return analyse(mock_trial(seed), Settings(), Estimands())
