"""Quantiles against scipy.stats, from tubes of a handful of cells to more than any tube has."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from mrd.quantify import quantiles

AT = np.array([0.025, 0.2, 0.5, 0.95, 0.975, 0.95 ** (1 / 3)])
MEANS = [1e-7, 0.02, 0.0513, 0.5, 1.0, 3.3, 40.0, 1234.5, 2e5]


@pytest.mark.parametrize("mean", MEANS)
def test_poisson_counts(mean):
    assert [quantiles.poisson(p, mean) for p in AT] == stats.poisson.ppf(AT, mean).tolist()


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("size", [0.01, 0.7, 1.0, 12.3, 900.0, 1e6])
def test_counts_of_a_background_that_varies(mean, size):
    expected = stats.nbinom.ppf(AT, size, size / (size + mean)).tolist()
    assert [quantiles.negative_binomial(p, mean, size) for p in AT] == expected


@pytest.mark.parametrize(("mean", "size"), [(1.6e-9, 1.75e7), (4.2e-7, 8.2e9), (3e4, 1e10)])
def test_a_background_that_hardly_varies(mean, size):
    assert [quantiles.negative_binomial(p, mean, size) for p in AT] == stats.nbinom.ppf(AT, size, size / (size + mean)).tolist()


def test_what_is_no_number_has_no_bound():
    for ask in (lambda: quantiles.poisson(0.95, float("nan")), lambda: quantiles.negative_binomial(0.95, float("nan"), 2.0)):
        with pytest.raises(ValueError, match="without a distribution"):
            ask()


def test_smooth_ones():
    assert [quantiles.normal(p) for p in AT] == pytest.approx(stats.norm.ppf(AT), rel=1e-12)
    for freedom in (1, 2, 5, 13, 200):
        assert [quantiles.student(p, freedom) for p in AT] == pytest.approx(stats.t.ppf(AT, freedom), rel=1e-10)
    for mean, variance in ((3e-5, 1e-9), (2e-4, 1e-12), (1e-6, 1e-7)):
        told = stats.gamma.ppf(AT, mean**2 / variance, scale=variance / mean)
        assert quantiles.gamma(AT, mean, variance) == pytest.approx(told, rel=1e-10, abs=1e-300)
    for a, b in ((0.01, 0.4), (2.0, 3.0), (5e4, 800.0)):
        assert quantiles.beta(AT, a, b) == pytest.approx(stats.beta.ppf(AT, a, b), rel=1e-10, abs=1e-300)
    assert quantiles.most_without_any(0.025) == pytest.approx(stats.chi2.ppf(0.975, 2) / 2, rel=1e-12)


def test_calling_does_not_wait_for_scipy_stats():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, mrd.cli.call; print('scipy.stats' in sys.modules)"], capture_output=True, text=True
    )
    assert told.stdout == "False\n", told.stderr
