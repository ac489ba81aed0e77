"""What people settle reaches the endpoint as records of its own; the pipeline's call stays beside it."""

import io

import pandas as pd
import pytest

from mrd.cli.main import main
from tests.review.cases import open_clinic, told, write_results

CALLS = [told("P01", "DX", "positive", 0.3, collected="2023-12-20"), told("P01", "FU1", "low-quantifiable", 4e-4)]
SUBJECTS = "subject\tfirst_dose\tlast_alive\tdisease_at_entry\nP01\t2024-01-01\t2024-06-01\trelapsed\n"


@pytest.fixture
def trial(tmp_path):
    """A review of one subject that converted by the pipeline's calls, and the trial's table of subjects."""
    clinic = open_clinic(write_results(tmp_path / "results", CALLS))
    clinic.assign_all()
    absent = ("consolidation", "transplant", "new_therapy", "relapse", "refractory", "death", "cr_date")
    subjects = pd.read_csv(io.StringIO(SUBJECTS), sep="\t").assign(**dict.fromkeys(absent, ""))
    subjects.to_csv(tmp_path / "subjects.tsv", sep="\t", index=False)
    yield clinic
    clinic.store.engine.dispose()


def endpoint(clinic):
    """ADMRD with what the review holds now, by parameter."""
    results = clinic.store.results
    folder = results.parent
    assert main(["reviewed", str(results), "--out", str(folder / "review.tsv")]) == 0
    given = [
        "--calls",
        str(results / "calls.tsv"),
        "--subjects",
        str(folder / "subjects.tsv"),
        "--review",
        str(folder / "review.tsv"),
    ]
    assert main(["endpoint", *given, "--out", str(folder / "endpoint")]) == 0
    return pd.read_csv(folder / "endpoint" / "admrd.csv").set_index(["PARAMCD", "AVISIT"]).sort_index()


def test_an_overruled_call_changes_the_reviewed_endpoint_and_not_the_pipelines(trial):
    before = endpoint(trial)
    assert before.loc["MRDCONV", "AVALC"].item() == "Y"
    assert "MRDCLSRV" not in before.index.get_level_values(0)
    visit = trial.visit("P01", "FU1")
    trial.rita.decide(visit, "accept")
    trial.rolf.decide(visit, "override", call="positive", value="0.2", reason="a second population with CD7")
    trial.anna.decide(visit, "override", call="positive", value="0.15", reason="I follow the second reader")
    after = endpoint(trial)
    assert after.loc["MRDCONV", "AVALC"].item() == "Y"
    assert after.loc["MRDCONVR", "AVALC"].item() == "N"
    assert after.loc[("MRDCLS", "FU1"), "AVALC"] == "low-quantifiable"
    assert after.loc[("MRDCLSRV", "FU1"), "AVALC"] == "positive"
    assert after.loc[("MRDPCTRV", "FU1"), "AVAL"] == pytest.approx(0.15)
