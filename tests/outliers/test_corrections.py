"""Controls and corrections of likelihoods in closed form, on a model that prefers simple images."""

import math

import numpy as np
import pytest

from workflow.common import metrics
from workflow.outliers import corrections


def test_smaller_files_are_more_likely_inliers():
    assert corrections.compressed(np.array([800, 8])).tolist() == [-800, -8]
    assert corrections.compressed(np.array([8], np.uint16)).tolist() == [-8], "sizes have no sign"


def test_typical_is_neither_low_nor_high():
    scores = np.array([-12.0, -10.0, -7.0, -np.inf])
    assert corrections.typicality(scores, -10.0).tolist() == [-2, 0, -3, -np.inf]


def test_complexity_is_a_ratio_of_likelihoods_in_bits():
    # p = 1/8 and 1/2 under the model, codes of 2 and 4 bits.
    log_density = np.log([1 / 8, 1 / 2])
    assert corrections.complexity(log_density, np.array([2, 4])) == pytest.approx([-1, 3])
    assert corrections.complexity(np.zeros(1), np.zeros(1)).tolist() == [0]


def test_units_of_pixels_change_no_rank():
    random = np.random.default_rng(0)
    bytes_nats, bits = random.normal(-800, 50, 100), random.integers(100, 900, 100)
    shift = 784 * math.log(255)  # of a density of pixels in [0, 1]
    first, second = (corrections.complexity(x, bits) for x in (bytes_nats, bytes_nats + shift))
    assert second - first == pytest.approx(784 * math.log2(255))
    typical = (corrections.typicality(x, x.mean()) for x in (bytes_nats, bytes_nats + shift))
    np.testing.assert_allclose(*typical, atol=1e-9)


def test_corrections_undo_a_preference_for_simple_images():
    random = np.random.default_rng(0)
    bits = random.normal(4000, 200, 500), random.normal(1000, 50, 300)  # outliers are simple
    # The model codes inliers 5 % shorter than the compressor does, and simple images 10 % longer.
    nats = [-math.log(2) * rate * size for rate, size in zip((0.95, 1.1), bits, strict=True)]
    mean = nats[0].mean()
    assert metrics.auroc(*nats) == 0
    assert metrics.auroc(*map(corrections.compressed, bits)) == 0
    assert metrics.auroc(*(corrections.typicality(side, mean) for side in nats)) == 1
    assert metrics.auroc(*map(corrections.complexity, nats, bits)) == 1


def test_refuses_what_belongs_to_other_images():
    with pytest.raises(ValueError, match=r"\(2,\) log-densities and \(1,\) sizes"):
        corrections.complexity(np.zeros(2), np.zeros(1))
    with pytest.raises(ValueError, match="mean log-density of inliers is nan"):
        corrections.typicality(np.zeros(2), math.nan)
