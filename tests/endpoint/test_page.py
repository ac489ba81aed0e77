"""The page: complete, self-contained, and every number of it leads to records."""

import re
from html.parser import HTMLParser

import pytest

from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.endpoint.page import draw_trial, show_estimands

from .mock import mock_analyses, mock_trial


@pytest.fixture(scope="module")
def drawn():
    return draw_trial(mock_trial(), mock_analyses(), Settings(), Estimands())


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.told, self.loaded = [], [], []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.ids += [told["id"]] if "id" in told else []
        self.told += [v for k, v in attrs if k in ("href", "xlink:href")]
        self.loaded += [told["src"]] if "src" in told else []
        self.loaded += [told["href"]] if tag == "link" and "href" in told else []


@pytest.fixture(scope="module")
def links(drawn):
    parser = Links()
    parser.feed(drawn.page)
    return parser


def test_nothing_is_loaded_from_elsewhere(links, drawn):
    assert links.loaded == []
    assert {t for t in links.told if not t.startswith("#")} <= {
        "estimands.yaml",
        *(f"tables/{n}.csv" for n in ("rates", "visits", "times", "events", "missing", "notes")),
        *(f"figures/{n}" for n in drawn.figures),
    }


def test_every_link_within_the_page_has_its_place_and_no_place_stands_twice(links):
    assert {t[1:] for t in links.told if t.startswith("#")} <= set(links.ids)
    assert len(links.ids) == len(set(links.ids))


def test_the_primary_results_stand_on_top(drawn):
    text = re.sub(r"<[^>]+>|\s+", " ", drawn.page[: drawn.page.index('id="estimands"')])
    assert re.search(r"MRD negativity \(treated, last\) +9 of 39 : 23\.1 % \(95 % interval 11\.1–39\.3 %\)", text)
    assert re.search(r"ORR \(treated, first cycles\) +27 of 39 : 69\.2 % \(95 % interval 52\.4–83\.0 %\)", text)


def test_the_estimands_shown_are_those_that_were_used(drawn):
    changed = Estimands.model_validate({"response": {"cycles": 3, "responders": ["CR"]}})
    told = {part["name"]: part["parts"] for part in show_estimands(changed, Settings())}
    assert (told["response"]["cycles"], told["response"]["responders"]) == ("3", "CR")
    assert "<dt>cycles</dt><dd>2</dd>" in drawn.page
    assert "<dt>responders</dt><dd>CR, CRh, CRi, MLFS</dd>" in drawn.page


def test_a_bar_of_the_plots_leads_to_its_subject(drawn, links):
    for name in ("waterfall.svg", "swimmer.svg"):
        told = set(re.findall(rb'xlink:href="#(subject-P\d+)"', drawn.figures[name]))
        assert told
        assert {t.decode() for t in told} <= set(links.ids)
    assert len(set(re.findall(rb"#subject-P\d+", drawn.figures["swimmer.svg"]))) == 39


def test_every_figure_comes_as_svg_and_png(drawn):
    names = {"waterfall", "swimmer", "os", "lfs", "os_landmark", "lfs_landmark"}
    assert set(drawn.figures) == {f"{n}.{kind}" for n in names for kind in ("svg", "png")}
    assert all(image.startswith(b"\x89PNG") for name, image in drawn.figures.items() if name.endswith("png"))
