import shutil

import pytest

from mrd.cli.main import main
from mrd.files.settings import read_settings, write_settings
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
    assert main(["compare", "--settings", str(settings)]) == 0
    calls, out = str(results / "calls.tsv"), str(results / "endpoint")
    assert main(["endpoint", "--calls", calls, "--settings", str(settings), "--out", out]) == 0
    assert main(["report", "--settings", str(settings), "--batch", "s001"]) == 0
    assert main(["report", "--settings", str(settings), "--cohort"]) == 0
    assert main(["export", "--settings", str(settings), "--tubes", "P1_FU1_T1", "P1_DX_T1"]) == 0
    write_settings(results / "settings.yaml", read_settings(settings))
    assert main(["manifest", str(results)]) == 0
    return settings, results


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run to change: its settings, which point at the copy, and its results."""
    folder = tmp_path / "run"
    shutil.copytree(finished[0].parent, folder)
    for path in (folder / "settings.yaml", folder / "results" / "settings.yaml"):
        path.write_text(path.read_text().replace(str(finished[0].parent), str(folder)))
    assert main(["manifest", str(folder / "results")]) == 0
    return folder / "settings.yaml", folder / "results"
