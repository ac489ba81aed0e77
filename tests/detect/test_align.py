from functools import cache

import numpy as np
import pytest
import torch

from mrd.detect.align import LITTLE, Prior, adapt, adapt_alone
from mrd.detect.fit import fit_mixture, start_mixture
from mrd.detect.mixture import Mixture, log_density
from tests.detect.marrow import controls, leukaemic, mixed, normal, tensor

PRIOR = Prior(mean_prior=0.1, spread_prior=50.0, rounds=8)


@cache
def reference():
    cells = torch.cat(controls())
    return fit_mixture(cells, start_mixture(cells, 10, 10.0, np.random.default_rng(1)))


@pytest.mark.parametrize("shift", [[0.3, 0.3, 0.3, 0.3], [-0.3, 0.3, -0.3, 0.3], [0.0, 0.8, 0.0, 0.0]])
def test_a_shift_of_every_marker_is_found(shift):
    cells = tensor(normal(20_000, np.random.default_rng(5), shift=np.array(shift)))
    assert adapt(cells, reference(), PRIOR).shift.numpy() == pytest.approx(shift, abs=0.12)


def test_adaptation_makes_held_out_cells_of_the_tube_likelier():
    cells = tensor(normal(20_000, np.random.default_rng(6), shift=np.array([0.2, -0.2, 0.1, 0.2])))
    adapted = adapt(cells[:10_000], reference(), PRIOR)
    gain = log_density(cells[10_000:], adapted.mixture).mean() - log_density(cells[10_000:], reference()).mean()
    assert float(gain) > 0.2


def test_a_population_without_cells_stays_where_the_shift_puts_it():
    cells = tensor(normal(10_000, np.random.default_rng(7), progenitors=0.0))
    adapted = adapt(cells, reference(), PRIOR)
    rare = int(torch.argmax(reference().means[:, 2]))
    assert (adapted.mixture.means[rare] - adapted.shift).numpy() == pytest.approx(reference().means[rare].numpy(), abs=0.25)


def test_with_the_laip_beside_it_the_normal_marrow_does_not_learn_the_leukaemia():
    cells, truth = mixed(20_000, 0.05, 8)
    blasts = tensor(leukaemic(4000, np.random.default_rng(9)))
    laip = Mixture(torch.ones(1), blasts.mean(0, keepdim=True), torch.cov(blasts.T)[None], 10.0)
    alone, beside = adapt(cells, reference(), PRIOR), adapt(cells, reference(), PRIOR, leukaemic=laip)
    on = torch.tensor(truth)
    assert beside.share == pytest.approx(0.05, abs=0.005)
    assert float(log_density(cells[on], alone.mixture).mean() - log_density(cells[on], beside.mixture).mean()) > 1.0


@pytest.mark.parametrize("share", [0.001, 0.05])
def test_led_on_from_beside_a_leukaemia_normal_marrow_is_what_it_is_alone_and_learns_no_more_of_it(share):
    cells, truth = mixed(20_000, share, 8)
    blasts = tensor(leukaemic(4000, np.random.default_rng(9)))
    laip = Mixture(torch.ones(1), blasts.mean(0, keepdim=True), torch.cov(blasts.T)[None], 10.0)
    beside = adapt(cells, reference(), PRIOR, leukaemic=laip)
    assert beside.share > LITTLE
    alone, led = adapt(cells, reference(), PRIOR), adapt_alone(cells, reference(), PRIOR, beside)
    on = torch.tensor(truth)
    held, whole, told = (log_density(cells, a.mixture) for a in (beside, alone, led))
    assert float((whole - told)[~on].abs().mean()) < 0.1
    assert float(held[on].mean()) < float(told[on].mean()) <= float(whole[on].mean()) + 0.1
    assert led.share == 0


def test_beside_next_to_no_leukaemia_normal_marrow_is_taken_as_it_is():
    cells = tensor(normal(20_000, np.random.default_rng(12)))
    far = Mixture(torch.ones(1), torch.full((1, 4), 30.0), torch.eye(4)[None] * 0.1, 10.0)
    beside = adapt(cells, reference(), PRIOR, leukaemic=far)
    assert adapt_alone(cells, reference(), PRIOR, beside) is beside


def test_an_infinite_spread_prior_keeps_the_spreads():
    cells = tensor(normal(5000, np.random.default_rng(10)))
    firm = adapt(cells, reference(), Prior(0.1, float("inf"), 5))
    assert torch.equal(firm.mixture.spreads, reference().spreads)


def test_a_handful_of_cells_hardly_moves_the_reference():
    adapted = adapt(tensor(normal(12, np.random.default_rng(11), shift=0.5)), reference(), PRIOR)
    assert float((adapted.mixture.spreads - reference().spreads).abs().max()) < 0.2
