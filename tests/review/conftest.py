import logging
import shutil

import pytest
from argon2 import PasswordHasher

from mrd.review import accounts
from tests.review.cases import cluster, open_clinic, write_results


@pytest.fixture(scope="session", autouse=True)
def quick_passwords():
    """Hashes that take microseconds: the tests are about who may sign, not about how long guessing takes."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    kept = accounts.HASHER
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts._decoy.cache_clear()
    yield
    accounts.HASHER = kept
    accounts._decoy.cache_clear()


@pytest.fixture(scope="session")
def ready(tmp_path_factory):
    """The review of five visits with everybody in it, all seats given; its folder is copied by each test."""
    results = write_results(tmp_path_factory.mktemp("ready") / "results", clusters=[cluster(1, 400), cluster(2, 95)])
    made = open_clinic(results)
    made.assign_all()
    made.store.engine.dispose()
    return made.store


@pytest.fixture
def clinic(ready, tmp_path):
    """A review of five visits with everybody in it, all seats given."""
    made = open_clinic(shutil.copytree(ready.results, tmp_path / "results"), like=ready)
    yield made
    made.store.engine.dispose()
