import pytest
import torch

from mrd.detect.far import furthest

CHANNELS, ROLES = ["FSC-A", "CD34", "CD45"], ["area", "marker", "marker"]


def test_the_marker_furthest_from_the_controls_median_is_told_with_its_sign():
    controls = [torch.tensor([0.0, 0.1, 0.0]), torch.tensor([0.0, 0.2, 0.1]), torch.tensor([0.0, 5.0, 0.2])]
    told = furthest(torch.tensor([9.0, -0.6, 0.7]), controls, CHANNELS, ROLES)
    assert (told.marker, told.move, told.distance) == ("CD34", pytest.approx(-0.8), pytest.approx(0.8))


def test_scatter_does_not_count():
    assert furthest(torch.tensor([3.0, 0.0, 0.1]), [torch.zeros(3)], CHANNELS, ROLES).marker == "CD45"
