"""Two blinded readers, an adjudicator, and what a signature leaves behind."""

import re

import pytest
from sqlalchemy import select

from mrd.review.export import export_review
from mrd.review.schema import AUDIT, DECISIONS
from tests.review.cases import PASSWORD, WRONG


def decisions(clinic):
    with clinic.store.reading() as connection:
        return [dict(r) for r in connection.execute(select(DECISIONS)).mappings()]


def exported(clinic):
    with clinic.store.reading() as connection:
        return export_review(connection, clinic.store.run().visits).review


def test_two_readers_who_agree_settle_a_visit_and_lock_it(clinic):
    visit = clinic.visit("P01", "FU1")
    assert clinic.rita.decide(visit, "accept").status_code == 303
    assert "Settled" not in clinic.rita.get(f"/visits/{visit}").text
    assert clinic.rolf.decide(visit, "accept").status_code == 303
    assert "by two readers who agree" in clinic.rita.get(f"/visits/{visit}").text
    row = exported(clinic).iloc[0]
    assert (row["subject"], row["visit"], row["call"], row["value"]) == ("P01", "FU1", "positive", 0.01)
    assert row["reviewer"] == "Dr Rita; Dr Rolf"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["reviewed_at"])
    assert row["meaning"] == "I reviewed the evidence of this visit and accept the call"
    with clinic.store.reading() as connection:
        entry = connection.execute(select(AUDIT).where(AUDIT.c.seq == int(row["source_id"].split()[1]))).mappings().one()
    assert (entry["action"], entry["actor"], entry["row_id"]) == ("decision-signed", "rolf", decisions(clinic)[1]["id"])


def test_readers_who_disagree_leave_it_to_the_adjudicator(clinic):
    visit = clinic.visit("P01", "FU2")
    assert "Adjudicate" not in clinic.anna.get(f"/visits/{visit}").text
    clinic.rita.decide(visit, "accept")
    clinic.rolf.decide(visit, "override", call="positive", value="0.12", reason="one more population, gated by hand")
    assert exported(clinic).empty
    assert "to adjudicate" in clinic.anna.get("/").text
    page = clinic.anna.get(f"/visits/{visit}").text
    assert "Dr Rita" in page
    assert "gated by hand" in page
    answer = clinic.anna.decide(visit, "override", call="positive", value="0,11", reason="agree with the second reader")
    assert answer.status_code == 303
    row = exported(clinic).iloc[0]
    assert (row["call"], row["value"], row["reviewer"]) == ("positive", 0.0011, "Dr Anna")
    assert row["meaning"].endswith("(adjudication)")


def test_the_adjudicator_sees_and_signs_nothing_before_both_readers_did(clinic):
    visit = clinic.visit("P01", "FU2")
    clinic.rita.decide(visit, "override", call="positive", value="0.3", reason="a very telling reason")
    page = clinic.anna.get(f"/visits/{visit}").text
    assert "very telling" not in page
    assert clinic.anna.decide(visit, "accept", round=clinic.round(visit)).status_code == 422
    assert len(decisions(clinic)) == 1


def test_a_decision_that_does_not_hold_is_told_on_the_page_and_what_was_typed_stays(clinic):
    answer = clinic.rita.decide(clinic.visit("P01", "FU1"), "override", call="positive", value="0.05", reason="typed with care")
    assert answer.status_code == 422
    assert "Nothing was signed: call positive does not fit 0.05 %" in answer.text
    assert "typed with care" in answer.text
    assert not decisions(clinic)


def test_a_specimen_that_could_not_have_shown_disease_is_never_called_below(clinic):
    answer = clinic.rita.decide(clinic.visit("P03", "FU1"), "override", call="not-detected", value="0.01")
    assert answer.status_code == 422
    assert "cannot be called below" in answer.text


def test_a_repeat_says_that_the_specimen_cannot_tell(clinic):
    visit = clinic.visit("P02", "FU1")
    for reader in (clinic.rita, clinic.rolf):
        assert reader.decide(visit, "repeat", reason="regenerating marrow, repeat in three weeks").status_code == 303
    row = exported(clinic).iloc[0]
    assert row["call"] == "indeterminate"
    assert str(row["value"]) == "nan"


def test_a_wrong_password_signs_nothing(clinic):
    visit = clinic.visit("P01", "FU1")
    answer = clinic.rita.decide(visit, "accept", password=WRONG)
    assert answer.status_code == 403
    assert "Nothing was signed" in answer.text
    assert not decisions(clinic)


def test_a_decision_sent_twice_is_one_record_and_another_is_refused(clinic):
    visit = clinic.visit("P01", "FU1")
    assert clinic.rita.decide(visit, "accept").status_code == 303
    assert (
        clinic.rita.post(f"/visits/{visit}/decision", kind="accept", reason="seen and judged", password=PASSWORD).status_code
        == 303
    )
    again = clinic.rita.post(f"/visits/{visit}/decision", kind="repeat", reason="changed my mind", password=PASSWORD)
    assert again.status_code == 422
    assert "signed this visit already" in again.text
    assert [d["kind"] for d in decisions(clinic)] == ["accept"]


def test_a_comment_sent_twice_is_one_comment(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.rita.get(f"/visits/{visit}")
    for _ in range(2):
        assert clinic.rita.post(f"/visits/{visit}/comment", text="look at CD7").status_code == 303
    assert clinic.rita.get(f"/visits/{visit}").text.count("look at CD7") == 1


def test_rejected_clusters_change_the_number_before_and_after_saving(clinic):
    visit = clinic.visit("P02", "FU2")
    clinic.rita.get(f"/visits/{visit}")
    asked = {"rejected": "laip/P02_FU2_T1/2"}
    shown = clinic.rita.post(f"/visits/{visit}/recount", **asked).json()
    found = round(500_000 * (1.1e-3 * (0.9 - 1e-5) + 1e-5)) - 95
    assert shown["n_found"] == found
    assert shown["percent"] == pytest.approx(100 * found / 500_000 / (0.9 - 1e-5))
    assert shown["call"] == "low-quantifiable"
    assert not decisions(clinic)
    answer = clinic.rita.decide(visit, "override", call=shown["call"], value="99", reason="cluster 2 is regenerating", **asked)
    assert answer.status_code == 303
    kept = decisions(clinic)[0]
    assert kept["value"] == pytest.approx(shown["percent"] / 100)
    assert kept["rejected"] == '["laip/P02_FU2_T1/2"]'


def test_an_unknown_cluster_is_refused(clinic):
    visit = clinic.visit("P02", "FU2")
    clinic.rita.get(f"/visits/{visit}")
    assert clinic.rita.post(f"/visits/{visit}/recount", rejected="laip/P02_FU2_T1/9").status_code == 422


def test_a_locked_visit_opens_only_with_a_reason_and_keeps_what_was_signed(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.rita.decide(visit, "accept")
    clinic.rolf.decide(visit, "accept")
    assert clinic.rita.decide(visit, "repeat", reason="second thoughts", round=clinic.round(visit)).status_code == 422
    clinic.ada.get(f"/visits/{visit}")
    assert clinic.ada.post(f"/visits/{visit}/opening", reason="", password=PASSWORD).status_code == 422
    assert clinic.ada.post(f"/visits/{visit}/opening", reason="a mistake in the sheet", password=WRONG).status_code == 403
    assert clinic.ada.post(f"/visits/{visit}/opening", reason="a mistake in the sheet", password=PASSWORD).status_code == 303
    page = clinic.rita.get(f"/visits/{visit}").text
    assert "a mistake in the sheet" in page
    assert "Settled: <strong>positive</strong>" in page
    assert clinic.rita.decide(visit, "repeat", reason="second thoughts").status_code == 303
    assert len(decisions(clinic)) == 3
    assert list(exported(clinic)["call"]) == ["positive"]


def test_readers_see_only_visits_they_hold_a_seat_of(tmp_path, clinic):
    fresh = clinic.ada
    fresh.get("/people")
    fresh.post("/people", name="nora", printed_name="Dr Nora", role="reader", password=PASSWORD)
    nora = clinic.browser().sign_in("nora")
    assert "P01" not in nora.get("/?show=all").text
    assert nora.get(f"/visits/{clinic.visit('P01', 'FU1')}").status_code == 404


def test_the_work_list_starts_with_what_needs_review_first(clinic):
    page = clinic.rita.get("/").text
    order = re.findall(r'<a href="/visits/\d+">([^<]+)</a>', page)
    assert order[:2] == ["P02 FU2", "P03 FU1"]
    assert len(order) == 5
    assert re.findall(r'<a href="/visits/\d+">([^<]+)</a>', clinic.rita.get("/?subject=p01").text) == ["P01 FU1", "P01 FU2"]


def test_agreement_is_shown_to_those_who_are_not_blinded(clinic):
    for subject, visit, kind in (("P01", "FU1", "accept"), ("P01", "FU2", "accept"), ("P02", "FU1", "repeat")):
        number = clinic.visit(subject, visit)
        clinic.rita.decide(number, "accept")
        clinic.rolf.decide(number, kind)
    assert "2 of 3 alike, κ 0.50" in clinic.anna.get("/").text
    assert "κ" not in clinic.rita.get("/").text
