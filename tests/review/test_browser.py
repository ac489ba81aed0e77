"""The whole way in a real browser: first admin, two readers who disagree, an adjudicator, the export, the endpoint."""

import pytest

from mrd.cli.main import main
from mrd.core.contracts import REVIEW
from mrd.files.tables import read_table
from tests.review import walking
from tests.review.cases import PASSWORD, cluster, told, write_cells, write_results
from tests.review.served import free_port, server

CALLS = [told("P01", "FU1", "positive", 0.01), told("P02", "FU2", "positive", 1.1e-3, flags="near-threshold")]


def test_people_go_from_the_first_admin_to_the_exported_table(tmp_path, monkeypatch):
    why = walking.why_not()
    if why:
        pytest.skip(why)
    results, port = write_results(tmp_path / "results", CALLS, clusters=[cluster(1, 400), cluster(2, 95)]), free_port()
    write_cells(results, "P02", "FU2")
    monkeypatch.setenv("MRD_REVIEW_PASSWORD", PASSWORD)
    assert main(["review", str(results), "--create-admin", "ada", "--printed-name", "Ada Admin"]) == 0
    with server(results, port), walking.browser() as chromium:
        everybody = walk(chromium, f"http://127.0.0.1:{port}")
    assert [p.faults for p in everybody] == [[]] * 4
    assert main(["audit", str(results)]) == 0
    assert main(["reviewed", str(results), "--out", str(tmp_path / "review.tsv")]) == 0
    row = read_table(tmp_path / "review.tsv", REVIEW).iloc[0]
    assert (row["subject"], row["visit"], row["call"], row["reviewer"]) == ("P02", "FU2", "low-quantifiable", "Prof Anna")
    assert row["value"] == pytest.approx((500 - 95) / 500_000 / (0.9 - 1e-5), rel=1e-6)


def walk(chromium, address):
    """Everybody's part in turn; returns their windows."""
    ada = walking.Person(chromium, address, "ada").sign_in()
    for name, printed, role in (
        ("rita", "Dr Rita", "reader"),
        ("rolf", "Dr Rolf", "reader"),
        ("anna", "Prof Anna", "adjudicator"),
    ):
        ada.add_account(name, printed, role)
    ada.give_seats(reader_1="Dr Rita", reader_2="Dr Rolf", adjudicator="Prof Anna")
    rita, rolf, anna = (walking.Person(chromium, address, name).sign_in() for name in ("rita", "rolf", "anna"))
    look_at_cells(rita)
    rita.decide("accept")
    page = rolf.open("P02 FU2")
    assert "Dr Rita" not in page.content()
    reject_second_cluster(rolf)
    rolf.decide("override", reason="cluster 2 is regenerating marrow")
    page = anna.open("P02 FU2")
    assert "cluster 2 is regenerating marrow" in page.content()
    reject_second_cluster(anna)
    anna.decide("override", reason="I agree with the second reader")
    assert "Settled and locked" in anna.page.content()
    return ada, rita, rolf, anna


def look_at_cells(person):
    """Zoom, move and circle cells of the open visit by keys and mouse."""
    page = person.open("P02 FU2")
    person.wait_for_plots()
    marks = page.locator("canvas[data-layer=marks]").first
    marks.focus()
    for key in ("+", "ArrowLeft", "-", "0"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Lasso").first.click()
    box = marks.bounding_box()
    corners = [(0.2, 0.1), (0.95, 0.1), (0.95, 0.85), (0.2, 0.85)]
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=3)
    page.mouse.up()
    page.get_by_text("Inside the lasso:").wait_for()
    assert "Inside the lasso: 0 of" not in page.content()


def reject_second_cluster(person):
    """Take the second cluster out and see the number change before anything is saved."""
    person.page.get_by_label("Cluster 2 of laip").uncheck()
    told = person.page.locator("#recounted")
    told.get_by_text("Without the rejected, laip: 405 cells, MRD 0.09 %").wait_for()
    assert person.page.locator("[name=call]").input_value() == "low-quantifiable"
