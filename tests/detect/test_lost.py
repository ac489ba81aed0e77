import pytest
import torch

from mrd.detect.align import Adapted
from mrd.detect.lost import carried_by, lost_stains
from tests.detect.marrow import controls, mixed
from tests.detect.test_mixture import mixture

NAMES, ROLES = ["CD45", "CD13", "CD34", "CD56"], ["marker"] * 4


def told(cells, leukaemic_share=0.0, roles=ROLES, shift=0.0):
    own = Adapted(mixture(), torch.full((4,), shift), leukaemic_share)
    return lost_stains(cells + shift, own, carried_by(controls()), NAMES, roles)


@pytest.mark.parametrize(("burden", "seed"), [(0.0, 3), (0.01, 4), (0.8, 5)])
def test_a_stained_tube_has_lost_none_whatever_its_burden(burden, seed):
    assert told(mixed(20_000, burden, seed)[0], burden, shift=0.4) == []


@pytest.mark.parametrize("channel", range(4))
def test_a_marker_without_carriers_is_named(channel):
    cells = mixed(20_000, 0.01, 6)[0]
    cells[:, channel] = 0.2 + 0.3 * torch.randn(len(cells), generator=torch.Generator().manual_seed(1))
    assert told(cells) == [NAMES[channel]]


def test_scatter_is_no_stain():
    cells = mixed(20_000, 0.01, 6)[0]
    cells[:, 2] = 0.2
    assert told(cells, roles=["marker", "marker", "area", "marker"]) == []


def test_too_few_cells_say_nothing():
    cells = mixed(20_000, 0.01, 6)[0][:500]
    cells[:, 2] = 0.2
    assert told(cells) == []
