"""docs/licences.md is what is installed, and nothing of the GPL family runs with flowmrd."""

import re
from pathlib import Path

from benchmarks.licences import GPL, licence, runtime

PAGE = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", (Path(__file__).parents[1] / "docs" / "licences.md").read_text(), re.M))
INSTALLED = {name: licence(package) for name, package in runtime().items()}


def test_the_page_lists_what_is_installed_as_it_states_itself():
    assert len(INSTALLED) > 40
    assert {n: PAGE.get(n) for n in INSTALLED} == INSTALLED


def test_nothing_that_runs_is_under_the_gpl_or_silent_about_its_licence():
    bad = {n: told for n, told in {**PAGE, **INSTALLED}.items() if told == "not stated" or (GPL.search(told) and n != "docutils")}
    assert bad == {}


def test_the_pattern_knows_the_family():
    assert all(GPL.search(t) for t in ("GPL-3.0", "LGPLv2+", "AGPL-3.0", "GNU General Public License v3 (GPLv3)"))
    assert not GPL.search("MPL-2.0 / BSD License / Apache-2.0")
