"""A new run on reviewed data shows the difference and asks again; nothing is lost."""

import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.core.contracts import REVIEW
from mrd.core.errors import ContractError
from mrd.files.tables import read_table
from mrd.review.evidence import Evidence, find_differences, read_run
from mrd.review.export import export_review
from tests.review.cases import DEFAULT, PASSWORD, arm_of, cluster, told, write_results

CLUSTERS = [cluster(1, 400), cluster(2, 95)]


def settle(clinic, subject="P01", visit="FU2"):
    number = clinic.visit(subject, visit)
    for reader in (clinic.rita, clinic.rolf):
        assert reader.decide(number, "accept").status_code == 303
    return number


def run_again(clinic, **change):
    """The run of the clinic, made again with another P01 FU2."""
    calls = [c | change if (c["subject"], c["visit"]) == ("P01", "FU2") else c for c in DEFAULT]
    write_results(clinic.store.results, calls, clusters=CLUSTERS)
    clinic.store.run(rested=0.0)


POSITIVE = {
    "call": "positive",
    "below_threshold": "N",
    "mrd_fraction": 2e-3,
    "ci_low": 1.6e-3,
    "ci_high": 2.5e-3,
    "reason": "more cells",
}


def test_a_changed_call_is_asked_again_with_its_difference_and_the_old_signatures_kept(clinic):
    visit = settle(clinic)
    run_again(clinic, **POSITIVE)
    page = clinic.rita.get(f"/visits/{visit}").text
    assert "A new run tells this visit otherwise" in page
    assert '<th scope="row">call</th><td>low-quantifiable</td><td>positive</td>' in page
    assert "Settled: <strong>low-quantifiable</strong>" in page
    assert "asked again: new run" in clinic.rita.get("/").text
    assert clinic.rita.decide(visit, "accept").status_code == 303
    assert clinic.rolf.decide(visit, "accept").status_code == 303
    with clinic.store.reading() as connection:
        exported = export_review(connection, clinic.store.run().visits).review
    assert list(exported["call"]) == ["positive"]


def test_what_rests_on_an_earlier_run_is_not_exported_and_told(clinic, tmp_path, capsys):
    settle(clinic)
    settle(clinic, "P01", "FU1")
    results = clinic.store.results
    write_results(
        results, [c | POSITIVE if c["visit"] == "FU2" and c["subject"] == "P01" else c for c in DEFAULT], clusters=CLUSTERS
    )
    assert main(["reviewed", str(results), "--out", str(tmp_path / "review.tsv")]) == 0
    table = read_table(tmp_path / "review.tsv", REVIEW)
    assert list(table["visit"]) == ["FU1"]
    assert "P01 FU2 was settled on another run and is asked again" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{}, {"version": "0.2.0"}])
def test_the_same_evidence_asks_nobody_again(clinic, change):
    visit = settle(clinic)
    run_again(clinic, **change)
    assert "Settled and locked" in clinic.rita.get(f"/visits/{visit}").text
    assert all(r.current.number == 1 for r in clinic.store.records())


def test_a_page_that_was_open_while_the_run_changed_signs_nothing(clinic):
    visit = clinic.visit("P01", "FU2")
    clinic.rita.get(f"/visits/{visit}")
    run_again(clinic, **POSITIVE)
    answer = clinic.rita.post(f"/visits/{visit}/decision", kind="accept", password=PASSWORD)
    assert answer.status_code == 422
    assert "changed while the page was open" in answer.text


def test_a_changed_arm_or_cluster_is_a_difference_too():
    call = told("P02", "FU2", "positive", 2e-3)
    before = Evidence(call, [arm_of(call)], [cluster(1, 400)])
    after = Evidence(call, [arm_of(call, agrees="N")], [cluster(1, 300)])
    assert before.digest != after.digest
    assert find_differences(before, after) == [
        ("arm laip (P02_FU2_T1): agrees", "Y", "N"),
        ("cluster 1 (laip, P02_FU2_T1): n_cells", 400, 300),
        ("cluster 1 (laip, P02_FU2_T1): fraction", 0.0008, 0.0006),
    ]


def test_a_visit_that_left_the_run_keeps_its_records(clinic):
    visit = settle(clinic)
    write_results(clinic.store.results, DEFAULT[2:], clusters=CLUSTERS)
    clinic.store.run(rested=0.0)
    page = clinic.ada.get(f"/visits/{visit}").text
    assert "The current run no longer holds this visit" in page
    assert "Dr Rita" in page
    with clinic.store.reading() as connection:
        exported = export_review(connection, clinic.store.run().visits)
    assert exported.review.empty
    assert exported.stale == [("P01", "FU2")]


def test_a_run_that_cannot_be_read_leaves_the_one_before(clinic, caplog):
    (clinic.store.results / "calls.tsv").write_text("nonsense\n1\n")
    assert len(clinic.store.run(rested=0.0).visits) == len(DEFAULT)
    assert "the one before stays" in caplog.text


def test_a_run_without_clusters_can_be_reviewed(tmp_path):
    assert read_run(write_results(tmp_path)).visits[("P01", "FU1")].clusters == []


def test_a_cluster_table_that_lacks_a_column_is_refused(tmp_path):
    path = write_results(tmp_path, clusters=[cluster(1, 5)]) / "clusters.tsv"
    path.write_text(path.read_text().replace("phenotype", "phenotypes"))
    with pytest.raises(ContractError, match="column phenotype is missing"):
        read_run(tmp_path)


def test_the_exported_table_keeps_its_declaration_byte_for_byte(clinic, tmp_path):
    settle(clinic)
    paths = [tmp_path / n for n in ("a.tsv", "b.tsv")]
    for path in paths:
        assert main(["reviewed", str(clinic.store.results), "--out", str(path)]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert list(pd.read_csv(paths[0], sep="\t").columns) == REVIEW.names
