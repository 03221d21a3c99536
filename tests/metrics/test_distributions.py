"""Distances of sets: closed forms, laws, and the libraries' own results."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torchmetrics.image.kid import maximum_mean_discrepancy

from vidstyle.metrics.distributions import (
    frechet,
    gram_distance,
    in_units_of,
    inception_score,
    kid,
    places,
)


def normal(seed: int, n: int, d: int = 8) -> NDArray[np.float64]:
    mixing = np.random.default_rng(99).normal(size=(d, d))
    return np.random.default_rng(seed).normal(size=(n, d)) @ mixing


def test_the_frechet_distance_of_a_shift_is_its_square() -> None:
    a, shift = normal(0, 40), np.arange(8.0)
    assert frechet(a, a + shift) == pytest.approx((shift**2).sum())


@given(scale=st.floats(0.1, 4))
@settings(max_examples=20)
def test_the_frechet_distance_of_a_scaling_is_its_closed_form(scale: float) -> None:
    a = normal(1, 50)
    a -= a.mean(0)
    spread = np.cov(a, rowvar=False).trace()
    assert frechet(a, scale * a) == pytest.approx((1 - scale) ** 2 * spread, abs=1e-6)


def test_the_frechet_distance_of_small_sets_is_finite_and_symmetric() -> None:
    a, b = normal(2, 5, 64), normal(3, 7, 64)
    assert frechet(a, a) == pytest.approx(0, abs=1e-4)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-6)
    assert frechet(a, b) > 1
    with pytest.raises(ValueError, match="at least two"):
        frechet(a[:1], b)


def test_the_kernel_distance_is_the_librarys() -> None:
    a, b = in_units_of(normal(0, 60), normal(0, 60)), in_units_of(normal(0, 60), normal(5, 60) + 1)
    kernels = ((torch.from_numpy(x @ y.T) / 8 + 1) ** 3 for x, y in ((a, a), (a, b), (b, b)))
    assert kid(a, b).value == pytest.approx(float(maximum_mean_discrepancy(*kernels)))


def test_the_kernel_distance_is_unbiased_and_its_interval_holds_it() -> None:
    """Two samples of one distribution: about 0 in the mean, and within the interval mostly."""
    found = [kid(normal(k, 12), normal(100 + k, 15), resamples=200) for k in range(60)]
    assert abs(np.mean([k.value for k in found])) < 0.4 * np.std([k.value for k in found])
    assert min(k.value for k in found) < 0
    assert np.mean([k.low <= 0 <= k.high for k in found]) > 0.75
    assert all(k.low < k.value < k.high for k in found)


def test_the_interval_narrows_with_the_sets_and_leaves_0_out_when_they_differ() -> None:
    few, many = (kid(normal(0, n), normal(1, n) + 2) for n in (15, 150))
    assert many.high - many.low < 0.6 * (few.high - few.low)
    assert 0 < many.low < many.value < many.high


@pytest.mark.parametrize("n", [2, 3])
def test_the_interval_of_the_smallest_sets_is_a_number(n: int) -> None:
    """A resample may draw one picture only; it must not become a NaN."""
    found = kid(normal(0, n), normal(1, n))
    assert found.low <= found.value <= found.high


def test_the_inception_score_counts_classes_that_are_told_apart() -> None:
    sure = 1000 * np.eye(5).repeat(4, axis=0)
    assert inception_score(sure) == pytest.approx(5)
    assert inception_score(np.zeros((6, 10))) == pytest.approx(1)
    assert inception_score(sure[:4]) == pytest.approx(1)


def test_gram_distance_knows_no_place_no_size_and_no_scale() -> None:
    style = [torch.rand(1, 6, 20, 24, generator=torch.manual_seed(0))]
    other = [torch.rand(1, 6, 20, 24) ** 3]
    assert gram_distance(style, style) == 0
    assert gram_distance([style[0].flip(3)], style) == pytest.approx(0, abs=1e-10)
    assert gram_distance([style[0].tile(1, 1, 2, 1)], style) == pytest.approx(0, abs=1e-10)
    scaled = gram_distance([50 * other[0]], [50 * style[0]])
    assert scaled == pytest.approx(gram_distance(other, style), rel=1e-4)
    assert scaled > 0.1


def test_places_are_the_vectors_of_a_feature_map() -> None:
    features = torch.arange(24.0).view(1, 2, 3, 4)
    assert places(features).tolist()[:2] == [[0, 12], [1, 13]]
