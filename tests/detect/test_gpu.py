"""The same frozen models on another device, or with other chunks, give the same scores."""

import numpy as np
import pandas as pd
import pytest
import torch

from mrd.detect.chunks import DEVICE_CHUNK, Chunks
from mrd.detect.frozen import classifier_arrays, classifier_from, laip_arrays, laip_from
from mrd.detect.laip import Laip, adapt_with, score_laip
from mrd.detect.learned import Classifier, score_learned
from mrd.detect.mixture import Mixture, log_density
from tests.cohort import controls, make_cohort, patient, read_calls, run_stages
from tests.detect.marrow import CENTRES, LEUKAEMIA, SETTINGS, SHARES, mixed, tensor

CUDA = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
WAYS = [("cpu", Chunks(1000)), pytest.param("cuda", Chunks(DEVICE_CHUNK), marks=CUDA)]


REFERENCE = Mixture(tensor(SHARES), tensor(CENTRES), 0.16 * torch.eye(4).repeat(5, 1, 1), 8.0)
LAIP = Laip(Mixture(torch.ones(1), tensor(LEUKAEMIA)[None], 0.16 * torch.eye(4)[None], 8.0), 0.3)


def network():
    """A classifier of the shape that is learned, its weights drawn."""
    seeds = torch.Generator().manual_seed(1)
    sizes = [(4, 48), (48, 48), (48, 1)]
    layers = tuple((torch.randn(a, b, generator=seeds) * (4 / a) ** 0.5, torch.randn(b, generator=seeds)) for a, b in sizes)
    return Classifier(torch.full((4,), 2.0), torch.full((4,), 1.5), layers)


def scored(device, by):
    """LAIP and classifier scores of a follow-up on a device, its normal marrow adapted there."""
    cells, here = mixed(30_000, 0.01, 60, shift=0.1)[0].to(device), laip_from(laip_arrays(LAIP), device)
    adapted = adapt_with(cells, REFERENCE.to(device), here, SETTINGS, in_sample=False)
    net = classifier_from(classifier_arrays(network()), device)
    told = score_laip(cells, here, adapted.shift, log_density(cells, adapted.mixture, by), by)
    return [s.cpu().numpy() for s in (told, score_learned(cells, net, adapted.shift, by))]


@pytest.mark.parametrize(("device", "by"), WAYS)
def test_scores_agree_within_a_thousandth(device, by):
    for theirs, ours in zip(scored(torch.device(device), by), scored(torch.device("cpu"), Chunks()), strict=True):
        assert np.abs(theirs - ours).max() < 1e-3 * np.abs(ours).max()
        assert np.median(np.abs(theirs - ours) / np.maximum(np.abs(ours), 1.0)) < 1e-3
        assert np.ptp(ours) > 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_calls_are_equal_unless_the_estimate_lies_within_a_thousandth_of_the_threshold(tmp_path):
    rows = [*controls(), *patient("P1", "CD56+", [0.06, 0.0])]
    ours = run_stages(make_cohort(tmp_path, rows, device="cpu"))
    frozen = {"reference": str(ours / "reference"), "laip_folder": str(ours / "laip")}
    theirs = run_stages(make_cohort(tmp_path, rows, device="cuda", results=str(tmp_path / "cuda"), **frozen))
    both = pd.concat([read_calls(r)[["call", "mrd_fraction", "threshold"]] for r in (ours, theirs)], axis=1, keys=["cpu", "cuda"])
    far = (both["cpu"]["mrd_fraction"] - both["cpu"]["threshold"]).abs() > 1e-3 * both["cpu"]["threshold"]
    assert far.any()
    assert (both["cpu"]["call"] == both["cuda"]["call"])[far].all()
