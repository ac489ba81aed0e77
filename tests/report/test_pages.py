import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from mrd.report.pages import anchor, render_cohort, subject_link
from mrd.report.subject_pages import render_subject
from tests.report.cases import (
    DIGEST,
    PANEL,
    SETTINGS,
    arm,
    burden,
    call,
    cohort,
    failed,
    laip,
    look,
    nodes,
    subject,
    summary,
    tube,
    unread,
)

HOSTILE = '"><script>alert(1)</script>'
VOID = {"meta", "img", "br", "hr", "link", "input", "path", "use", "rect", "circle"}
FETCHED = {"src", "href", "srcset", "poster", "action", "xlink:href", "data", "formaction"}


class Reader(HTMLParser):
    """A page as a reader meets it: whether tags nest, all addresses, ids, texts of alt and aria-label, and headings."""

    def __init__(self, page):
        super().__init__()
        self.open, self.addresses, self.ids, self.alts, self.headings, self.tags, self.words = [], [], [], [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        self.addresses += [v for n, v in attrs if n in FETCHED]
        self.ids += [told["id"]] if "id" in told else []
        if tag in ("img", "svg") and told.get("aria-hidden") != "true":
            self.alts.append(told.get("alt") or told.get("aria-label"))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.words.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def pages():
    """The pages of a subject and of a cohort with everything on them."""
    return {"subject": render_subject(subject()), "cohort": render_cohort(cohort(summary=summary()))}


@pytest.mark.parametrize("name", ["subject", "cohort"])
def test_a_page_fetches_nothing_and_runs_nothing_from_elsewhere(pages, name):
    page = pages[name]
    assert not re.search(r"(https?:)?//[a-z0-9]", re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page), re.IGNORECASE)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    local = re.compile(r"#|data:image/png;base64,|\.\./index\.html|subjects/|P1\.pdf$")
    assert all(local.match(a) for a in Reader(page).addresses)


@pytest.mark.parametrize("name", ["subject", "cohort"])
def test_a_page_is_whole_html_that_a_screen_reader_can_walk(pages, name):
    reader = Reader(pages[name])
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert all(reader.alts) or not reader.alts
    assert reader.headings[0] == 1
    assert reader.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False))
    assert {"main", "title", "nav"} <= set(reader.tags)
    assert '<html lang="en">' in pages[name]
    inside = [a.removeprefix("#") for a in reader.addresses if a.startswith("#")]
    assert set(inside) <= set(reader.ids)


def test_the_only_script_is_the_filter_of_the_grid_as_it_lies_in_the_package(pages):
    own = (files("mrd.report") / "templates" / "filter.js").read_text()
    assert re.findall(r"<script>\n(.*?)</script>", pages["cohort"], re.DOTALL) == [own.rstrip("\n")]
    assert "<script" not in pages["subject"]
    assert not re.search(r"\son[a-z]+=", pages["cohort"] + pages["subject"])


def test_every_page_says_that_it_is_no_medical_device(pages):
    assert all("Research use only; not a medical device" in p for p in pages.values())


def test_the_same_evidence_gives_the_same_bytes(pages):
    assert render_subject(subject()) == pages["subject"]
    assert render_cohort(cohort(summary=summary())) == pages["cohort"]


def test_the_subject_page_tells_number_interval_limits_reason_and_flags(pages):
    words = " ".join(Reader(pages["subject"]).words)
    assert "0.200 %" in words
    assert "0.170–0.230 %" in words
    assert "0.020 %" in words
    assert "400 / 200,000" in words
    assert {"few-controls", "CD45loSSCloCD34+CD117+CD56+/CD45+", DIGEST[:12]} <= set(words.split())


def hostile(value):
    """Evidence in which every free text is an attack."""
    who = {"subject": value, "visit": value}
    bad = {"outcome": "failed", "reason": value}
    return subject(
        subject=value,
        calls=[call(**who, specimen=value, reason=value, guideline=value, version=value)],
        arms=[arm(**who, **bad)],
        laips=[laip(subject=value, phenotype=value, tube_id=value), laip(subject=value, panel="other", **bad)],
        tubes=[tube(visit=value, tube=value, specimen=value, **bad)],
        clinical={"disease_at_entry": value, "relapse": None},
        looks={},
        settings=SETTINGS.model_copy(update={"title": value, "study": value}),
    )


@pytest.mark.parametrize("value", [HOSTILE, "'><img src=x onerror=alert(1)><!--{{ 7 * 7 }}&amp;$x$"])
def test_hostile_text_stays_text(value):
    page = render_subject(hostile(value))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "<!--" not in page
    reader = Reader(page)
    assert reader.open == []
    assert any(value in w for w in reader.words)
    rows = [call(subject=value, visit=value), unread(subject=value, visit="FU2", reason=value)]
    told = render_cohort(cohort(calls=rows, tubes=[failed(reason=value)], references={value: {"excluded": [value]}}))
    assert told.count("<script") == 1
    assert "<img src=x" not in told
    assert Reader(told).open == []


def test_links_and_anchors_of_odd_names_stay_in_their_place():
    assert subject_link("../a/b") == "subjects/..%2Fa%2Fb.html"
    assert re.fullmatch(r"visit-[A-Za-z0-9._-]+", anchor('a b"<'))


NO_LAIP = ("phenotype", "share", "cut", "recall", "recall_se", "background", "n_controls", "artefact")
UNFOUND = {"calls": [], "arms": [], "limits": [], "burdens": [], "laips": []}
LEAN = {
    "all tubes failed": {**UNFOUND, "calls": [unread()], "tubes": [failed()], "qc": [], "looks": {}},
    "no LAIP was found": {
        **UNFOUND,
        "calls": [unread(flags="no-laip", reason="no population in excess")],
        "laips": [laip(outcome="failed", reason="no population in excess", **dict.fromkeys(NO_LAIP))],
        "arms": [
            arm(outcome="failed", reason="no LAIP", **dict.fromkeys(("n_found", "mrd_fraction", "ci_low", "ci_high", "lod")))
        ],
        "burdens": [burden(outcome="failed", **dict.fromkeys(("n_found", "recall", "recall_se", "distance")))],
        "looks": {"P1_FU1_T1": look(None)},
    },
    "no diagnosis": {**UNFOUND, "calls": [unread(flags="no-diagnosis")], "looks": {"P1_FU1_T1": look(None)}},
    "no cell left": {"looks": {"P1_FU1_T1": look(0, leukocytes=0)}},
    "no visit": {**UNFOUND, "tubes": [], "qc": [], "looks": {}, "panels": {}},
    "an empty clinical row": {"clinical": {"first_dose": None, "death": None}, "looks": {}},
}


@pytest.mark.parametrize("case", LEAN)
def test_a_page_is_drawn_of_whatever_there_is(case):
    reader = Reader(render_subject(subject(**LEAN[case])))
    assert reader.open == []
    assert "Subject P1" in reader.words
    assert not {"None", "nan", "NaN", "<NA>"} & set(reader.words)


def test_a_failed_tube_says_why_in_its_place():
    words = Reader(render_subject(subject(**LEAN["all tubes failed"]))).words
    assert "This tube could not be used." in words
    assert "tube P1_FU1_T1: the file is cut short" in words


def test_several_tubes_of_a_visit_are_all_shown():
    second = {"tube_id": "P1_FU1_T2", "tube": "T2"}
    page = render_subject(
        subject(
            tubes=[tube(), tube(**second), failed(tube_id="P1_FU1_T3", tube="T3")],
            arms=[arm(tubes="P1_FU1_T1+P1_FU1_T2")],
            burdens=[burden(), burden(tube_id="P1_FU1_T2")],
            qc=[*nodes(), *nodes("P1_FU1_T2")],
            looks={"P1_FU1_T1": look(), "P1_FU1_T2": look(tube_id="P1_FU1_T2")},
        )
    )
    words = " ".join(Reader(page).words)
    assert "P1_FU1_T1 + P1_FU1_T2" in words
    assert all(f"Tube {t}" in words for t in ("T1", "T2", "T3"))


def test_a_panel_given_by_its_path_shows_no_path():
    name = "/home/someone/secret/aml.yaml"
    panels = {name: subject().panels[PANEL]}
    page = render_subject(subject(tubes=[tube(panel=name)], laips=[laip(panel=name)], arms=[arm(panel=name)], panels=panels))
    told = render_cohort(
        cohort(
            tubes=[tube(panel=name)],
            references={name: {"excluded": []}},
            settings=SETTINGS.model_copy(update={"panel": name, "samples": "/home/someone/secret/samples.tsv"}),
        )
    )
    assert "someone" not in page + told


def test_the_cohort_page_lists_every_visit_once_in_its_grid_and_links_to_it():
    rows = [call(visit=v, subject=s, collected=f"2024-0{i}-01") for s in ("P1", "P2") for i, v in ((1, "DX"), (2, "FU1"))]
    reader = Reader(render_cohort(cohort(calls=rows[:3])))
    links = [a for a in reader.addresses if a.startswith("subjects/") and "#" in a]
    for target in ("subjects/P1.html#visit-DX", "subjects/P1.html#visit-FU1", "subjects/P2.html#visit-DX"):
        assert links.count(target) >= 1
    assert "subjects/P2.html#visit-FU1" not in links


def test_a_cohort_without_endpoint_limits_or_reference_still_has_its_page():
    page = render_cohort(cohort(calls=[unread()], tubes=[failed()], qc=[], limits=[], laips=[], references={}, summary=None))
    words = Reader(page).words
    assert "No reference was found for this run." in words
    assert "not used:" in words
    assert "Endpoint: MRD negativity" not in words


def test_the_endpoint_is_shown_with_its_exact_interval(pages):
    words = " ".join(Reader(pages["cohort"]).words)
    assert "14 / 42" in words
    assert "33.3 %" in words
    assert "19.6–49.5 %" in words


def test_a_page_at_the_largest_drawing_stays_small():
    evidence = subject(looks={"P1_FU1_T1": look(8_000, leukocytes=8_000)})
    assert len(render_subject(evidence).encode()) < 500_000


def test_a_subject_with_eight_visits_stays_far_under_five_megabytes():
    names = [f"V{i:02d}" for i in range(8)]
    rows = [call(visit=v, collected=f"2024-01-{i + 1:02d}") for i, v in enumerate(names)]
    tubes = [tube(visit=v, tube_id=f"P1_{v}_T1", collected=r["collected"]) for v, r in zip(names, rows, strict=True)]
    looks = {t["tube_id"]: look(500, leukocytes=8_000, tube_id=t["tube_id"]) for t in tubes}
    page = render_subject(subject(calls=rows, tubes=tubes, looks=looks, arms=[], burdens=[], qc=[]))
    assert len(page.encode()) < 1_000_000
    assert page.count("<symbol") == 10 * 6


def test_diagnosis_this_visit_and_controls_stand_side_by_side():
    first = {"visit": "DX", "role": "diagnosis", "tube_id": "P1_DX_T1", "collected": "2024-01-01"}
    page = render_subject(
        subject(
            calls=[call(), call(visit="DX", role="diagnosis", collected="2024-01-01")],
            tubes=[tube(), tube(**first)],
            looks={"P1_FU1_T1": look(), "P1_DX_T1": look(200, tube_id="P1_DX_T1")},
        )
    )
    heads = re.findall(r'<th scope="col">([^<]*)<span class="sub">([^<]*)', page)
    assert [h for h, _ in heads] == [
        *("This visit", "Normal control", "Regenerating control"),
        *("Diagnosis", "This visit", "Normal control", "Regenerating control"),
    ]
    assert ("Diagnosis", "DX, T1: 200 found, 50 % in the blast gate") in heads
    assert page.count("<symbol") == 4 * 6
    assert "What differs from normal" in page


def test_populations_that_differ_from_normal_are_named_at_their_visit():
    found = {
        **{
            "subject": "P1",
            "visit": "FU1",
            "tube_id": "P1_FU1_T1",
            "arm": "dfn",
            "cluster": 1,
            "n_cells": 345,
            "fraction": 0.00345,
        },
        **{"phenotype": "CD45loSSCloCD34+/CD45+", "differs": "CD56+2.9 CD13-1.2", "ratio": 23.4, "likely": 0.97},
    }
    page = render_subject(subject(clusters=[found, {**found, "visit": "FU9", "cluster": 2, "differs": "CD19+9.9"}]))
    assert all(word in page for word in ("CD56+2.9 CD13-1.2", '"num">23.4<', '"num">345<', '"num">0.345'))
    assert "CD19+9.9" not in page
    assert "Populations that normal marrow does not have" not in render_subject(subject())
    assert "times the quiet visits'" not in page
    assert "8.30 times the quiet visits'" in render_subject(subject(clusters=[{**found, "change": 8.3}]))


def test_what_was_repaired_in_a_file_is_told():
    assert "its offsets are one byte off" in render_subject(
        subject(tubes=[tube(reading="repaired", repairs="its offsets are one byte off")])
    )
