import numpy as np
import pytest
import torch
from scipy import stats

from mrd.detect.chunks import CHUNK
from mrd.detect.mixture import Mixture, half_power, log_density, moments, points, responsibilities, scatter_about


def mixture(k=3, d=4, seed=1, tails=8.0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(0, 0.6, (k, d, d)) + np.eye(d)
    weights = rng.dirichlet(np.ones(k))
    parts = (weights, rng.normal(3, 2, (k, d)), roots @ roots.transpose(0, 2, 1))
    return Mixture(*(torch.tensor(p, dtype=torch.float32) for p in parts), tails)


def cells(n, d=4, seed=2):
    return torch.tensor(np.random.default_rng(seed).normal(3, 2.5, (n, d)), dtype=torch.float32)


def scipy_joint(x, m):
    return np.stack(
        [
            np.log(float(w)) + stats.multivariate_t(mu.numpy(), s.numpy(), m.tails).logpdf(x.numpy())
            for w, mu, s in zip(m.weights, m.means, m.spreads, strict=True)
        ],
        axis=1,
    )


@pytest.mark.parametrize("tails", [3.0, 10.0, 200.0])
def test_the_log_density_is_that_of_scipys_multivariate_t(tails):
    m, x = mixture(tails=tails), cells(200)
    theirs = np.logaddexp.reduce(scipy_joint(x, m), axis=1)
    assert log_density(x, m).numpy() == pytest.approx(theirs, abs=2e-4)


def test_far_from_zero_the_density_stays_exact():
    """Features are centred: cells and components moved together by 1000 keep their densities."""
    m, x = mixture(), cells(100)
    far = m.moved(torch.full((4,), 1000.0))
    assert log_density(x + 1000, far).numpy() == pytest.approx(log_density(x, m).numpy(), abs=5e-3)


def test_responsibilities_are_bayes_rule():
    m, x = mixture(), cells(100)
    joint = scipy_joint(x, m)
    theirs = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    assert responsibilities(x, m).numpy() == pytest.approx(theirs, abs=1e-4)


def test_moments_are_weighted_sums_over_the_cells():
    m, x = mixture(), cells(300)
    weights = torch.rand(300, generator=torch.Generator().manual_seed(3))
    got = moments(points(x), m, weights=weights)
    share = responsibilities(x, m).double() * weights[:, None].double()
    distance = torch.stack(
        [((x - mu) @ torch.linalg.inv(s) * (x - mu)).sum(1) for mu, s in zip(m.means, m.spreads, strict=True)], dim=1
    ).double()
    robust = share * (m.tails + 4) / (m.tails + distance)
    assert got.counts.numpy() == pytest.approx(share.sum(0).numpy(), rel=1e-4)
    assert got.mass.numpy() == pytest.approx(robust.sum(0).numpy(), rel=1e-3)
    assert got.first.numpy() == pytest.approx((robust.T @ x.double()).numpy(), rel=1e-3)
    about = torch.stack([((x - mu).double() * robust[:, [k]]).T @ (x - mu).double() for k, mu in enumerate(m.means)])
    assert scatter_about(got, m.means.double()).numpy() == pytest.approx(about.numpy(), rel=5e-3, abs=5e-3)
    assert got.total_log == pytest.approx(float((log_density(x, m) * weights).sum()), rel=1e-4)


def test_chunks_change_nothing():
    m, x = mixture(), cells(2 * CHUNK + 17)
    assert torch.equal(log_density(x, m)[:CHUNK], log_density(x[:CHUNK], m))
    whole = moments(points(x), m)
    parts = [moments(points(p), m) for p in (x[: CHUNK + 5], x[CHUNK + 5 :])]
    assert whole.counts.numpy() == pytest.approx((parts[0].counts + parts[1].counts).numpy(), rel=1e-5)


def test_a_mixture_beside_another_shares_the_mass_as_told():
    a, b = mixture(seed=1), mixture(k=2, seed=4)
    both, x = a.beside(b, 0.25), cells(50)
    separate = torch.logaddexp(log_density(x, a) + np.log(0.75), log_density(x, b) + np.log(0.25))
    assert log_density(x, both).numpy() == pytest.approx(separate.numpy(), abs=1e-4)


def test_picked_components_weigh_one():
    m = mixture()
    picked = m.pick(torch.tensor([True, False, True]))
    assert float(picked.weights.sum()) == pytest.approx(1.0)
    assert float(picked.weights[0] / picked.weights[1]) == pytest.approx(float(m.weights[0] / m.weights[2]), rel=1e-5)


@pytest.mark.parametrize("twice", [1, 2, 7, 21, 24, 4.5])
def test_half_powers_are_powers(twice):
    x = torch.linspace(0.01, 1, 50)
    assert half_power(x, twice).numpy() == pytest.approx(x.pow(twice / 2).numpy(), rel=1e-5)


def test_a_cell_infinitely_far_from_all_keeps_a_finite_density():
    m = mixture()
    assert torch.isfinite(log_density(torch.full((3, 4), 1e6), m)).all()


@pytest.mark.parametrize("weight", [0.0, 1e-30, 1e-12])
def test_moments_of_many_cells_that_only_a_component_of_next_to_no_weight_holds_are_finite(weight):
    d, far = 11, 15.0
    means, spreads = torch.stack([torch.zeros(d), torch.full((d,), far)]), torch.stack([torch.eye(d) * 0.02, torch.eye(d)])
    m = Mixture(torch.tensor([1 - weight, weight]), means, spreads, 10.0)
    x = torch.randn(4096, d, generator=torch.Generator().manual_seed(1)) + far
    told = moments(points(x), m)
    assert bool(torch.isfinite(told.counts).all())
    assert bool(torch.isfinite(told.second).all())
