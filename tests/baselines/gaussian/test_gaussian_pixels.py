"""A Gaussian for every pixel against scipy's, pixel by pixel."""

import numpy as np
import pytest

from baselines.gaussian import GaussianPixels
from tests import saved

stats = pytest.importorskip("scipy.stats")

SHAPE = (3, 4, 2)
FLOOR = 0.01


@pytest.fixture(scope="module")
def images():
    images = np.random.default_rng(0).random((50, *SHAPE), "float32")
    images[:, 0, 0] = 0.25  # a pixel that never varies
    return images


@pytest.fixture(scope="module")
def model(images):
    model = GaussianPixels(minimum_variance=FLOOR, input_shape=SHAPE)
    model.fit(images)
    return model


@pytest.fixture(scope="module")
def pixels(images):
    """Log-densities by scipy, for every image and pixel."""
    x = images.astype("float64")
    deviation = np.sqrt(np.maximum(x.var(axis=0), FLOOR))
    return stats.norm(x.mean(axis=0), deviation).logpdf(x)


def test_scores_are_sums_over_pixels(model, images, pixels):
    np.testing.assert_allclose(model.score_samples(images), pixels.sum(axis=(1, 2, 3)))


def test_marginals_are_sums_over_known_pixels(model, images, pixels):
    known = np.random.default_rng(1).random((50, 3, 4, 1)) < 0.5
    expected = (pixels * known).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(model.score_samples(images, known=known), expected)


def test_the_history_is_the_mean_score(images, pixels):
    history = GaussianPixels(minimum_variance=FLOOR, input_shape=SHAPE).fit(images)
    assert history == {"log_likelihood": [pytest.approx(pixels.sum() / 50)]}


def test_the_fit_has_the_highest_likelihood(images):
    """No other mean or variance above the floor scores the images better."""
    model = GaussianPixels(minimum_variance=FLOOR, input_shape=SHAPE)
    best = model.fit(images)["log_likelihood"][0]
    mean, variance = model.arrays["mean"], model.arrays["variance"]
    for other in ((mean + 0.01, variance), (mean, variance * 1.05)):
        model.arrays.update(mean=other[0], variance=other[1])
        assert model.score_samples(images).mean() < best


def test_draws_have_the_pixels_distributions():
    model = GaussianPixels(input_shape=(1, 2, 1))
    model.fit(np.zeros((1, 1, 2, 1)))
    mean, variance = np.array([[[0.4], [0.6]]]), np.array([[[0.01], [0.002]]])
    model.arrays.update(mean=mean, variance=variance)
    drawn = model.sample(5_000, seed=0).astype("float64")
    for column, mean, variance in ((0, 0.4, 0.01), (1, 0.6, 0.002)):
        x = drawn[:, 0, column, 0]
        assert stats.kstest(x, stats.norm(mean, np.sqrt(variance)).cdf).pvalue > 0.001


def test_draws_are_clipped_and_without_noise_the_mean(model):
    drawn = model.sample(200)
    assert drawn.min() == 0 and drawn.max() == 1
    calm = model.sample(3, noise=False)
    np.testing.assert_array_equal(calm, np.stack([model.arrays["mean"].astype("float32")] * 3))


def test_unknown_pixels_are_filled_in_as_samples_are(model, images):
    known = np.zeros((3, 4, 1), bool)
    np.testing.assert_array_equal(model.inpaint(images, known, seed=5), model.sample(50, seed=5))


def test_parameters_are_counted():
    assert GaussianPixels(input_shape=SHAPE).n_parameters == 2 * 3 * 4 * 2


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_a_variance_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match="minimum_variance must lie above 0"):
        GaussianPixels(minimum_variance=value)


def test_parameters_of_another_shape_are_refused(model, tmp_path):
    model.save(tmp_path / "model")
    saved.replace(tmp_path / "model", mean=model.arrays["mean"][:1])
    with pytest.raises(ValueError, match="damaged"):
        GaussianPixels.load(tmp_path / "model")
