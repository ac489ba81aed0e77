import numpy as np
import pytest
import torch

from mrd.detect.fit import fit_mixture, held_spread, reweighted, start_mixture
from mrd.detect.mixture import log_density


def two_populations(n=20_000, seed=1):
    """A quarter of the cells around (0, 0), the rest around (4, 1), t tails with 10 degrees of freedom."""
    rng = np.random.default_rng(seed)
    small = rng.random(n) < 0.25
    noise = rng.normal(0, 0.5, (n, 2)) / np.sqrt(rng.chisquare(10, (n, 1)) / 10)
    return torch.tensor(np.where(small[:, None], [0.0, 0.0], [4.0, 1.0]) + noise, dtype=torch.float32)


def test_em_finds_shares_places_and_spreads():
    x = two_populations()
    fitted = fit_mixture(x, start_mixture(x, 2, 10.0, np.random.default_rng(2)))
    order = torch.argsort(fitted.means[:, 0])
    assert fitted.weights[order].numpy() == pytest.approx([0.25, 0.75], abs=0.01)
    assert fitted.means[order].numpy() == pytest.approx(np.array([[0, 0], [4, 1]]), abs=0.03)
    assert torch.diagonal(fitted.spreads, dim1=1, dim2=2).numpy() == pytest.approx(0.25, abs=0.02)


def test_em_never_makes_the_cells_less_likely():
    x = two_populations(4000)
    mixture = start_mixture(x, 5, 10.0, np.random.default_rng(3))
    means = []
    for _ in range(8):
        means.append(float(log_density(x, mixture).mean()))
        mixture = fit_mixture(x, mixture, rounds=1)
    assert np.all(np.diff(means) > -1e-3)
    assert means[-1] > means[0]


def test_weights_count_cells_as_often_as_they_say():
    x = two_populations(8000)
    twice = torch.cat([x, x[:4000]])
    weights = torch.cat([torch.full((4000,), 2.0), torch.ones(4000)])
    start = start_mixture(x, 2, 10.0, np.random.default_rng(4))
    a, b = fit_mixture(twice, start, rounds=5), fit_mixture(x, start, weights=weights, rounds=5)
    assert a.means.numpy() == pytest.approx(b.means.numpy(), abs=1e-3)
    assert a.weights.numpy() == pytest.approx(b.weights.numpy(), abs=1e-4)


def test_restored_weights_are_those_of_the_population_the_drawn_cells_stand_for():
    x = two_populations()
    mixture = fit_mixture(x, start_mixture(x, 2, 10.0, np.random.default_rng(5)))
    small = x[:, 0] < 2
    keep = small | (torch.arange(len(x)) % 10 == 0)
    stands_for = torch.where(small, 1.0, 10.0)[keep]
    assert reweighted(x[keep], mixture, stands_for).weights.numpy() == pytest.approx(mixture.weights.numpy(), abs=0.02)


def test_a_component_without_cells_keeps_the_floor():
    spread = held_spread(torch.zeros(1, 3, 3), torch.zeros(1))
    assert spread[0].numpy() == pytest.approx(0.02 * np.eye(3))


def test_the_same_generator_gives_the_same_fit():
    x = two_populations(5000)
    fits = [fit_mixture(x, start_mixture(x, 4, 10.0, np.random.default_rng(6)), rounds=10) for _ in range(2)]
    assert torch.equal(fits[0].means, fits[1].means)
