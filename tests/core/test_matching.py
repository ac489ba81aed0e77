import pytest

from mrd.core.errors import PanelError
from mrd.core.matching import find_channel, match_channels, nearest, shared_labels
from mrd.core.panel import Channel
from mrd.files.panels import read_panel

PANEL = read_panel("aml-lyric-9")
PNN = [
    "FSC-A",
    "FSC-H",
    "SSC-A",
    "FITC-A",
    "PE-A",
    "PerCP-Cy5.5-A",
    "PE-Cy7-A",
    "APC-A",
    "APC-R700-A",
    "APC-Cy7-A",
    "V450-A",
    "V500-C-A",
    "Time",
]
MARKERS = ["CD38", "CD13", "CD34", "CD117", "CD33", "CD56", "CD19", "HLA-DR", "CD45"]
PNS = ["", "", "", *MARKERS, ""]


def test_markers_are_found_by_pns_whatever_their_detector():
    pnn = [*PNN[:3], *reversed(PNN[3:12]), "Time"]
    pns = ["", "", "", *MARKERS, ""]
    index = match_channels(PANEL, pnn, pns, where="tube")
    assert [pns[index[m]] for m in MARKERS] == MARKERS


def test_detectors_serve_where_no_pns_names_the_marker():
    assert match_channels(PANEL, PNN, [""] * 13, where="tube") == {
        n: i for i, n in enumerate(["FSC-A", "FSC-H", "SSC-A", *MARKERS, "Time"])
    }


@pytest.mark.parametrize(
    ("told", "name", "names", "hit"),
    [
        ("CD45 V500-C-A", "CD45", (), True),
        ("CD45-KO", "CD45", (), True),
        ("CD45KO", "CD45", (), True),
        ("cd45", "CD45", (), True),
        ("CD45RA FITC", "CD45", (), False),
        ("CD45RO", "CD45", (), False),
        ("CD3 APC", "CD33", (), False),
        ("CD33", "CD3", (), False),
        ("CD34", "CD3", (), False),
        ("CD11b", "CD11", (), False),
        ("CD11b PE", "CD11b", (), True),
        ("CD 45", "CD45", (), True),
        ("CD45:V500", "CD45", (), True),
        ("CD45 RA", "CD45", (), False),
        ("CD45A700", "CD45", (), True),
        ("hCD45", "CD45", (), True),
        ("CD34 :: PerCP", "CD34", (), True),
        ("CD3/CD19/CD14 BV510", "CD19", (), False),
        ("HLA-DR/CD38", "HLA-DR", (), False),
        ("Anti-HLA-DR V450-A", "HLA-DR", (), True),
        ("HLADR", "HLA-DR", ("HLADR",), True),
        ("HLA DR PB", "HLA-DR", (), True),
        ("CD117 (c-kit)", "CD117", (), True),
        ("c-kit PE", "CD117", ("c-kit",), True),
    ],
)
def test_a_pns_names_a_marker_as_a_word_never_as_part_of_another(told, name, names, hit):
    assert bool(find_channel(name, Channel(names=names), ["X-A"], [told])) is hit


def test_the_area_signal_wins_over_height_and_width():
    assert find_channel("CD45", Channel(), ["V500-H", "V500-A", "V500-W"], ["CD45"] * 3) == [1]


def test_absent_markers_are_all_named_with_what_the_file_has_and_what_to_do():
    pns = [s.replace("CD34", "CD43").replace("CD117", "") for s in PNS]
    pnn = [n if n not in ("PerCP-Cy5.5-A", "PE-Cy7-A") else "X" + n for n in PNN]
    with pytest.raises(
        PanelError,
        match=r"tube T: panel aml-lyric-9: CD34 is absent.*CD117 is absent.*the file has \[FSC-A.*CD43.*\]; add a name",
    ):
        match_channels(PANEL, pnn, pns, where="tube T")


def test_a_marker_that_two_channels_show_is_refused():
    pns = [*PNS[:3], "CD45 FITC", *PNS[4:]]
    with pytest.raises(PanelError, match=r"CD45 matches FITC-A = CD45 FITC, V500-C-A = CD45"):
        match_channels(PANEL, PNN, pns, where="tube")


LAB = {
    "V500-C-A": "CD45 V500-C-A",
    "V450-A": "Anti-HLA-DR",
    "PE-Cy7-A": "c-kit/CD117",
    "PerCP-Cy5.5-A": "CD 34",
    "APC-A": "cd33:APC",
    "APC-R700-A": "CD56-R700",
    "FITC-A": "CD38_FITC",
    "PE-A": "CD13 | PE",
    "APC-Cy7-A": "CD19 (SJ25C1)",
}


def test_the_labels_of_one_laboratory_each_find_their_marker():
    index = match_channels(PANEL, PNN, [LAB.get(n, "") for n in PNN], where="tube")
    assert [PNN[index[m]] for m in MARKERS] == [n for n in PNN if n in LAB]


def test_comp_prefixes_and_markers_in_pnn_are_seen_through():
    prefixed = [f"Comp-{n}" if n.endswith("-A") and "SC-" not in n else n for n in PNN]
    assert len(match_channels(PANEL, prefixed, [""] * 13, where="tube")) == 13
    named = [*PNN[:3], *(f"{m} {n}" for m, n in zip(MARKERS, PNN[3:12], strict=True)), "Time"]
    assert len(match_channels(PANEL, named, [""] * 13, where="tube")) == 13


def test_of_a_detector_and_its_compensated_copy_the_detector_is_taken():
    assert find_channel("CD45", Channel(), ["Comp-V500-A", "V500-A"], ["CD45", "CD45"]) == [1]


def test_a_detector_whose_label_names_something_else_never_stands_in_for_a_marker():
    pns = [s.replace("CD117", "CD16") for s in PNS]
    with pytest.raises(PanelError, match=r"CD117 is absent \(nearest: .*CD1[0-9].*\)"):
        match_channels(PANEL, PNN, pns, where="tube")


def test_two_detectors_of_one_marker_are_ambiguous_also_where_both_are_areas():
    assert find_channel("CD45", Channel(), ["V500-A", "FITC-A"], ["CD45", "CD45"]) == [0, 1]


@pytest.mark.parametrize(("names", "hit"), [(["Time", "TIME"], [0]), (["HDR-T", "Time"], [1]), (["TIME_1", "TIME"], [1])])
def test_of_two_clocks_the_one_that_is_named_time_is_taken(names, hit):
    assert find_channel("Time", PANEL.channels["Time"], names, ["", ""]) == hit


def test_extra_channels_of_sorters_and_software_are_left_alone():
    index = match_channels(PANEL, [*PNN, "SORT", "Event #", "Width"], [*PNS, "SORT", "", ""], where="tube")
    assert max(index.values()) == 12


def test_nearest_names_are_the_files_own_and_the_most_alike_first():
    has = ["FSC-A", "APC-A = CD33", "PE-A = CD1117", "X = CD34"]
    assert nearest(["CD117"], has)[0] == "PE-A = CD1117"
    assert nearest(["Viability"], has) == []


@pytest.mark.parametrize(
    ("pns", "told"),
    [
        (["GFP/FITC-A", "GFP/FITC-H"], ["FL7-A and FL7-H both name GFP"]),
        (["CD45", "cd45"], ["FL7-A and FL7-H both name CD45"]),
        (["xxxx", "xxxx"], []),
        (["", ""], []),
        (["FL7-A", "FL7-H"], []),
        (["CD45", "CD34"], []),
    ],
)
def test_labels_that_two_channels_share_are_told_where_no_panel_decides(pns, told):
    assert shared_labels(["FL7-A", "FL7-H"], pns) == told
