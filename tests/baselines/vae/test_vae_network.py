"""The network against Table VIII, counts by hand and numpy."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from baselines.vae import VAE, table8
from baselines.vae.bound import importance_weighted_bound
from baselines.vae.network import Network, kl_divergence
from baselines.vae.settings import Settings

SMALL = {"width": 0.03125, "input_shape": (4, 5, 1), "latent": 1}


@pytest.fixture(scope="module")
def network():
    network = Network(Settings(**SMALL))
    network.reset(0)
    return network


@pytest.fixture
def images():
    return np.random.default_rng(1).random((3, 4, 5, 1), "float32")


def test_sizes_are_those_of_table_8():
    sizes = table8.maps(1, 3)
    assert [size[0] for size in sizes["encoder"]] == [32, 30, 14, 6, 3]
    assert [size[2] for size in sizes["encoder"]] == [3, 64, 128, 256, 512]
    assert [size[0] for size in sizes["decoder"]] == [4, 7, 11, 24, 28, 30, 32]
    assert [size[2] for size in sizes["decoder"]] == [128, 1024, 512, 256, 128, 128, 3]


def test_parameters_are_counted_as_by_hand():
    encoder = (9 * 3 + 1) * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 256 + (4 * 256 + 1) * 512
    posterior = (4608 + 1) * 128
    seed = (64 + 1) * 2048
    decoder = (
        16 * 128 * 1024
        + 25 * 1024 * 512
        + 16 * 512 * 256
        + 25 * 256 * 128
        + 9 * 128 * 128
        + 9 * 128 * 3
        + (1024 + 512 + 256 + 128 + 128 + 3)
    )
    assert VAE(input_shape=(32, 32, 3)).n_parameters == encoder + posterior + seed + decoder
    # An image with one channel needs fewer numbers in the first and in the last layer only.
    fewer = 2 * 9 * 64 + 2 * (9 * 128 + 1)
    assert VAE().n_parameters == VAE(input_shape=(32, 32, 3)).n_parameters - fewer


@pytest.mark.parametrize("settings", [SMALL, {"width": 0.05, "input_shape": (32, 31, 2)}])
def test_keras_agrees_on_shapes_and_sizes(settings):
    settings = Settings(**settings)
    network = Network(settings)
    assert {name: array.shape for name, array in network.arrays.items()} == settings.shapes
    sizes = table8.maps(settings.width, settings.input_shape[2])
    for part, model in (("encoder", network.encoder), ("decoder", network.decoder)):
        outputs = [
            layer.output.shape[1:] for layer in model.layers if type(layer).__name__[:4] == "Conv"
        ]
        assert outputs == sizes[part][1:]
    assert network.decoder.output_shape == (None, *settings.input_shape)


def test_memory_is_as_measured():
    measured = {
        (1, 100): 1.48,
        (1, 20): 1.21,
        (0.5, 100): 0.97,
        (0.125, 100): 0.73,
        (0.125, 400): 0.89,
    }
    for (width, batch), gigabytes in measured.items():
        estimate = VAE(width=width, batch_size=batch).estimated_memory / 1e9
        assert estimate == pytest.approx(gigabytes, rel=0.1)


def test_the_divergence_is_that_of_monte_carlo():
    rng = np.random.default_rng(0)
    mean, log_variance = rng.normal(size=(2, 3)), rng.normal(-1, 1, (2, 3))
    deviation = np.exp(log_variance / 2)
    z = mean + deviation * rng.normal(size=(200_000, 2, 3))
    ratio = norm.logpdf(z, mean, deviation) - norm.logpdf(z)
    expected = ratio.sum(2).mean(0)
    tolerance = 5 * ratio.sum(2).std(0) / np.sqrt(len(z))
    assert (abs(np.asarray(kl_divergence(mean, log_variance)) - expected) < tolerance).all()


def test_the_likelihood_is_bernoulli_s_on_grey_pixels(network, images):
    z = np.float32([[0.3], [-2], [1]])
    p = network.pixel_means(z).astype("float64")
    expected = (images * np.log(p) + (1 - images) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(network.log_likelihood(images, z), expected, rtol=1e-5)


def test_an_image_lies_in_the_middle():
    assert Settings(input_shape=(28, 28, 1)).margins == (2, 2, 2, 2)
    assert Settings(input_shape=(31, 8, 1)).margins == (0, 12, 1, 12)
    assert Settings(input_shape=(32, 32, 3)).margins == (0, 0, 0, 0)
    whole, part = (
        Network(Settings(width=0.03125, latent=2, input_shape=shape))
        for shape in ((32, 32, 1), (5, 8, 1))
    )
    whole.reset(3)
    part.arrays = whole.arrays
    images = np.random.default_rng(1).random((2, 5, 8, 1), "float32")
    padded = np.pad(images, ((0, 0), (13, 14), (12, 12), (0, 0)))
    for of_part, of_whole in zip(part.encode(images), whole.encode(padded), strict=True):
        np.testing.assert_allclose(of_part, of_whole, rtol=1e-5, atol=1e-6)
    z = np.float32([[1, 2], [0, -1]])
    middle = whole.pixel_means(z)[:, 13:18, 12:20]
    np.testing.assert_allclose(part.pixel_means(z), middle, rtol=1e-5)


def test_a_step_tells_both_terms_before_it(network, images):
    network.reset(1)
    network.start_epoch()
    noise = np.float32([[0.5], [-1], [2]])
    mean, log_variance = network.encode(images)
    likelihood = network.log_likelihood(images, mean + np.exp(log_variance / 2) * noise)
    kl = np.asarray(kl_divergence(mean, log_variance))
    cross_entropy, divergence = network.learn(images, noise)
    assert cross_entropy == pytest.approx(-likelihood.mean(), rel=1e-5)
    assert divergence == pytest.approx(kl.mean(), rel=1e-4, abs=1e-6)
    assert (network.encode(images)[0] != mean).all()


@pytest.fixture(scope="module")
def uneven():
    """A network whose pixels differ much from code to code; its posterior is N(0.5, 1.2^2)."""
    network = Network(Settings(**SMALL))
    network.reset(5)
    arrays = network.arrays
    arrays["posterior_kernel"] *= 0.01
    arrays["posterior_bias"] = np.float32([0.5, 2 * np.log(1.2)])
    network.arrays = arrays
    return network


def test_the_bound_is_the_integral_where_that_can_be_taken(uneven, images):
    """With one latent number: p(x) by the trapezoidal rule, against weights at quantiles of q."""
    z = np.linspace(-6, 6, 3001, dtype="float32")[:, None]
    p = uneven.pixel_means(z).astype("float64")
    x = images[:, None]
    likelihood = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum((2, 3, 4))  # [n, 3001]
    exact = np.log(trapezoid(np.exp(likelihood) * norm.pdf(z[:, 0]), z[:, 0]))
    quantiles = norm.ppf((np.arange(100) + 0.5) / 100)[:, None].astype("float32")
    bound = importance_weighted_bound(uneven, images, quantiles)
    np.testing.assert_allclose(bound, exact, atol=1e-3)
    single = [importance_weighted_bound(uneven, images, e[None]) for e in quantiles[5::10]]
    elbo = np.mean(single, axis=0)
    assert (elbo < exact - 0.5).all()  # so that the test could have failed


def test_the_bound_rises_with_the_draws(uneven, images):
    noise = np.random.default_rng(2).standard_normal((60, 1), "float32")
    means = [
        np.mean([importance_weighted_bound(uneven, images, e) for e in noise.reshape(-1, k, 1)], 0)
        for k in (1, 10, 60)
    ]
    # The same draws in larger groups: Jensen's inequality holds for every image.
    assert (means[0] < means[1]).all()
    assert (means[1] < means[2]).all()
