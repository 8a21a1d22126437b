"""Measures of drawn images against closed forms, SciPy and plain loops."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from workflow.samples import sample_metrics as metrics


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def with_moments(generator, n, mean, covariance):
    """Features whose mean and covariance are exactly these."""
    raw = generator.standard_normal((n, len(mean)))
    raw -= raw.mean(0)
    root = np.linalg.cholesky(np.cov(raw, rowvar=False))
    white = np.linalg.solve(root, raw.T).T
    return mean + white @ np.linalg.cholesky(covariance).T


def test_frechet_distance_of_gaussians_with_axes_in_common(generator):
    # Then it is |m1 - m2|^2 + sum (s1 - s2)^2, with s the standard deviations along the axes.
    axes, _ = np.linalg.qr(generator.standard_normal((4, 4)))
    s1, s2 = np.array([1.0, 2.0, 0.5, 3.0]), np.array([2.0, 0.5, 0.5, 1.0])
    m1, m2 = np.zeros(4), np.array([1.0, -1.0, 0.0, 2.0])
    drawn = with_moments(generator, 50, m1, axes @ np.diag(s1**2) @ axes.T)
    real = with_moments(generator, 30, m2, axes @ np.diag(s2**2) @ axes.T)
    expected = 6 + np.sum((s1 - s2) ** 2)
    assert metrics.frechet_distance(drawn, real) == pytest.approx(expected)


def test_frechet_distance_agrees_with_a_matrix_root(generator):
    mix = generator.standard_normal((2, 5, 5))
    drawn = generator.standard_normal((200, 5)) @ mix[0] + 1
    real = generator.standard_normal((100, 5)) @ mix[1]
    first, second = (np.cov(x, rowvar=False) for x in (drawn, real))
    shift = np.sum((drawn.mean(0) - real.mean(0)) ** 2)
    expected = shift + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert metrics.frechet_distance(drawn, real) == pytest.approx(expected)
    assert metrics.frechet_distance(real, drawn) == pytest.approx(expected)


def test_frechet_distance_with_fewer_images_than_features(generator):
    # Two points each, along axes at a right angle: no covariance in common, only traces remain.
    drawn, real = np.zeros((2, 9), "float32"), np.zeros((2, 9), "float32")
    drawn[:, 0], real[:, 1] = [-1, 1], [-2, 2]
    assert metrics.frechet_distance(drawn, real) == pytest.approx(2 + 8)
    same = generator.standard_normal((5, 300))
    assert metrics.frechet_distance(same, same) == pytest.approx(0, abs=1e-9)


def test_equal_sets_are_as_good_as_can_be(generator):
    features = generator.standard_normal((40, 7)).astype("float32")
    assert metrics.precision_recall(features, features) == (1.0, 1.0)
    assert metrics.frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert metrics.diversity(features, features) == pytest.approx(1)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_by_plain_loops(generator, k):
    drawn = generator.standard_normal((35, 3)) * 0.8
    real = generator.standard_normal((50, 3)) + 0.7

    def covered(points, by):
        radii = [np.sort(row)[k] for row in cdist(by, by)]  # the nearest of all is itself
        hits = [any(d <= r for d, r in zip(row, radii, strict=True)) for row in cdist(points, by)]
        return np.mean(hits)

    expected = covered(drawn, real), covered(real, drawn)
    assert 0 < min(expected) < 1, "the sets overlap in part"
    assert metrics.precision_recall(drawn, real, k) == pytest.approx(expected)


def test_one_good_image_again_and_again_is_precise_and_nothing_else(generator):
    real = generator.standard_normal((60, 2))
    repeated = np.repeat(real[:1], 60, axis=0)
    precision, recall = metrics.precision_recall(repeated, real)
    assert precision == 1
    assert recall <= 1 / 60
    assert metrics.diversity(repeated, real) == pytest.approx(0, abs=1e-12)


def test_diversity_is_a_ratio_of_variances(generator):
    real = generator.standard_normal((30, 4))
    assert metrics.diversity(3 + 0.5 * real, real) == pytest.approx(0.25)


def test_too_few_features_have_no_neighbours():
    few = np.zeros((3, 2))
    with pytest.raises(ValueError, match="3 drawn and 9 real features"):
        metrics.precision_recall(few, np.zeros((9, 2)))
