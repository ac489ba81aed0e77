import torch

from mrd.detect.mixture import Mixture
from mrd.detect.phenotype import phenotype


def test_a_population_is_named_cd45_and_side_scatter_first_then_marker_by_marker():
    mixture = Mixture(
        torch.tensor([0.5, 0.5]),
        torch.tensor([[4.8, 3.5, 2.0, 5.5, 0.5, 4.0], [4.8, 3.7, 2.2, 5.7, 0.7, 4.2]]),
        torch.eye(6).expand(2, 6, 6),
        10.0,
    )
    channels = ["FSC-A", "SSC-A", "CD45", "HLA-DR", "CD7", "CD34"]
    roles = ["area", "side", "marker", "marker", "marker", "marker"]
    assert phenotype(mixture, channels, roles) == "CD45loSSCloCD34+HLADRhiCD7-/CD45+"
