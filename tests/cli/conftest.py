import pytest

from mrd.cli.main import main
from tests.cohort import controls, make_cohort, patient, run_stages
from tests.planted import plant


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Settings file and results of a finished run, on FCS files with markers of a person in every keyword."""
    folder = tmp_path_factory.mktemp("finished")
    rows = [*controls(4, 4_000), *patient("P1", "CD56+", [0.06], events=5_000)]
    settings = make_cohort(folder, rows)
    for path in sorted((folder / "fcs").glob("*.fcs")):
        plant(path)
    results = run_stages(settings)
    assert main(["export", "--settings", str(settings), "--tubes", "P1_FU1_T1", "P1_DX_T1"]) == 0
    return settings, results
