"""The panel library: each panel loads, fits files of its labels, and gates a tube of synthetic marrow."""

import numpy as np
import pytest

from mrd.core.errors import PanelError
from mrd.core.matching import match_channels
from mrd.core.settings import Settings
from mrd.files.panels import FOLDER, read_panel
from mrd.prepare.compensate import Spill, compensate
from mrd.prepare.tube import Measured, prepare_events
from mrd.simulate.plan import TubePlan
from mrd.simulate.truth import count_truth
from mrd.simulate.tube import simulate_tube

NAMES = sorted(p.stem for p in FOLDER.glob("*.yaml"))
LIBRARY = [
    "aml-lsc-8", "aml-lyric-9", "aml-monocytic-8", "eln-core-8",
    *(f"euroflow-aml-{i}" for i in range(1, 5)), *(f"hovon-aml-{i}" for i in range(1, 5)),
]  # fmt: skip


def test_the_library_is_what_its_readme_says():
    told = (FOLDER / "README.md").read_text()
    assert NAMES == LIBRARY
    assert all(n.rsplit("-", 1)[0] in told for n in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_says_where_it_comes_from_and_carries_its_own_name(name):
    panel = read_panel(name)
    assert panel.name == name
    assert len(panel.source) > 80
    assert {"CD45", "CD34"} <= set(panel.markers)
    assert set(panel.anchor.default) == set(panel.model_channels)
    assert set(panel.anchor.box) == {"CD45", "SSC-A"}


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_fits_a_file_by_its_labels_and_by_its_detectors_alone(name):
    panel = read_panel(name)
    body = ["FSC-A", "FSC-H", "SSC-A"]
    detectors = [panel.channels[m].detectors[0].replace("?", "-") for m in panel.markers]
    assert len(set(detectors)) == len(detectors)
    by_label = match_channels(
        panel, [*body, *(f"X{i}-A" for i in range(len(detectors)))], ["", "", "", *panel.markers], where="t"
    )
    by_detector = match_channels(panel, body + detectors, [""] * (3 + len(detectors)), where="t")
    assert by_label == by_detector == {n: i for i, n in enumerate([*body, *panel.markers])}


@pytest.fixture(scope="module")
def marrow():
    """Compensated events of a diagnosis tube by channel of the lyric panel, and how many leukocytes it truly holds."""
    plan = TubePlan(
        subject="S", visit="DX", tube="T1", role="diagnosis", control_kind="", fcs="", laip="CD56+", artefacts="",
        blood=False, panel="aml-lyric-9", events=12_000, burden=0.2,
    )  # fmt: skip
    tube = simulate_tube(plan, 1)
    index = match_channels(read_panel("aml-lyric-9"), tube.instrument.pnn, tube.instrument.pns, where="t")
    stains = [d.name for d in tube.instrument.detectors]
    linear = compensate(tube.events.astype(float), tube.instrument.pnn, Spill(tuple(stains), tube.spill), where="t")
    return {n: linear[:, i] for n, i in index.items()}, count_truth(tube.code)


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_gates_synthetic_marrow(name, marrow):
    """Markers that the simulated tube lacks are noise around nought, as on cells that do not carry them.

    Leukocytes stay within 5 % of the truth; a fifth of the cells are blasts by the truth.
    """
    (events, truth), panel, rng = marrow, read_panel(name), np.random.default_rng(2)
    columns = {n: events.get(n, rng.normal(0, 25, 12_000)) for n in panel.channels}
    raw = np.column_stack(list(columns.values()))
    tube = Measured(raw, raw, np.full(raw.shape[1], 262144.0), {n: i for i, n in enumerate(columns)}, panel)
    cells = prepare_events(tube, Settings())
    assert "anchor-missing" not in cells.flags
    assert cells.count(panel.leukocytes) == pytest.approx(truth["n_leukocytes"], rel=0.05)
    assert 0.15 < cells.count(panel.blasts) / truth["n_leukocytes"] < 0.3
    assert 0.05 < cells.count("lymphocytes") / truth["n_leukocytes"] < 0.2
    assert cells.count("CD34") > 0.3 * cells.count(panel.blasts)


def test_a_missing_panel_names_those_there_are():
    with pytest.raises(PanelError, match=r"there is no panel aml9; use one of aml-lsc-8, aml-lyric-9"):
        read_panel("aml9")


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n- 2\n", "\x00", "name: x\n", "!!python/object/apply:os.system [echo]\n", "a: &a [*a]\n"]
)
def test_a_file_that_is_no_panel_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(PanelError) as error:
        read_panel(str(path))
    assert "\n" not in str(error.value)
