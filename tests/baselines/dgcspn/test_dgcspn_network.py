"""The network as a density: against a node-by-node computation, integrals and the library."""

import dgcspn_textbook as textbook
import numpy as np
import pytest

from baselines.dgcspn import sampling, scaling
from baselines.dgcspn.library import ShiftedProduct, spn, tf
from baselines.dgcspn.network import Network
from baselines.dgcspn.settings import Settings

SETTINGS = [
    Settings(sums=2, components=2, levels=2, input_shape=(2, 3, 1)),
    Settings(sums=3, components=2, levels=4, input_shape=(4, 6, 1)),
    Settings(sums=2, components=3, levels=3, input_shape=(5, 3, 2)),
]
ALL = pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: str(s.input_shape))
GRID = np.linspace(-12, 12, 481)


def network_of(settings, seed=0):
    """A network whose leaves and sums differ much, and whose accumulators do not sum to 1."""
    rng = np.random.default_rng(seed)
    network = Network(settings, np.zeros(settings.shapes["numerators"]), seed)
    arrays = network.arrays
    arrays["denominators"] = rng.uniform(0.5, 2, arrays["denominators"].shape)
    arrays["numerators"] = 3 * rng.standard_normal(arrays["numerators"].shape)
    arrays["sum0"] = 2 * arrays["sum0"]
    network.arrays = {name: array.astype("float32") for name, array in arrays.items()}
    return network


def scores(network, z, known):
    known = np.broadcast_to(known, z.shape)
    return network.upward(z.astype("float32"), known)[0].numpy().astype(float)


@ALL
def test_it_is_the_textbook_network(settings):
    network = network_of(settings)
    rng = np.random.default_rng(1)
    z = 2 * rng.standard_normal((4, *settings.input_shape))
    known = rng.random(z.shape) < 0.5
    known[0] = True
    expected = [
        textbook.log_density(settings, network.arrays, image, mask)
        for image, mask in zip(z, known, strict=True)
    ]
    np.testing.assert_allclose(scores(network, z, known), expected, rtol=1e-5, atol=1e-5)


@ALL
def test_the_library_scores_the_same(settings):
    network = network_of(settings)
    z = np.random.default_rng(1).standard_normal((5, *settings.input_shape)).astype("float32")
    library = network.model.predict(z, verbose=0)[:, 0]
    np.testing.assert_allclose(scores(network, z, True), library, rtol=1e-6)


@ALL
def test_one_and_two_pixels_integrate_to_1(settings):
    network = network_of(settings)
    known = np.zeros(settings.input_shape, bool)
    known[1, 2, 0] = True
    z = np.zeros((len(GRID), *settings.input_shape))
    z[:, 1, 2, 0] = GRID
    assert np.exp(scores(network, z, known)).sum() * (GRID[1] - GRID[0]) == pytest.approx(1, 1e-4)
    known[0, 0, 0] = True
    grid = np.linspace(-12, 12, 61)
    z = np.zeros((len(grid) ** 2, *settings.input_shape))
    z[:, 1, 2, 0], z[:, 0, 0, 0] = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
    area = (grid[1] - grid[0]) ** 2
    assert np.exp(scores(network, z, known)).sum() * area == pytest.approx(1, 1e-4)


@ALL
@pytest.mark.parametrize("given", [False, True])
def test_draws_have_the_density_of_the_network(settings, given):
    network = network_of(settings, seed=2)
    rng = np.random.default_rng(3)
    evidence = 2 * rng.standard_normal((1, *settings.input_shape)).astype("float32")
    known = np.zeros((1, *settings.input_shape), bool)
    if given:
        known[:, :, ::2] = True
    unknown = (0, 1)  # whose mean is known from the density on a grid
    z = np.repeat(evidence, len(GRID), axis=0)
    z[:, *unknown, 0] = GRID
    joint = known.copy()
    joint[0, *unknown, 0] = True
    logs = scores(network, z, joint)
    expected = np.average(GRID, weights=np.exp(logs - logs.max()))

    n = 4000
    weights = [a for name, a in network.arrays.items() if name.startswith(("sum", "root"))]
    seen = None
    if given:
        seen = [np.repeat(x.numpy(), n, axis=0) for x in network.upward(evidence, known)[1]]
    components = sampling.draw_components(settings, weights, seen, n, rng)
    assert components.min() == 0
    assert components.max() < settings.components
    drawn = network.locations[*unknown, components[:, *unknown], 0]
    error = drawn.std() / np.sqrt(n) + 1e-3
    assert drawn.mean() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(("padding", "dilation"), [("full", 2), ("full", 4), ("final", 8)])
def test_shifted_products_are_the_library_s(padding, dilation):
    x = tf.constant(np.random.default_rng(0).standard_normal((3, 11, 13, 2)), tf.float32)
    results = []
    for product in (spn.layers.Conv2DProduct, ShiftedProduct):
        layer = product([1, 1], [dilation] * 2, [2, 2], padding=padding, depthwise=True)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.square(y))
        results.append((y.numpy(), tape.gradient(total, x).numpy()))
    for library, shifted in zip(*results, strict=True):
        np.testing.assert_allclose(shifted, library, rtol=1e-5, atol=1e-5)


def test_scores_are_standardised_by_the_known_pixels_and_restored():
    images = np.random.default_rng(0).random((3, 4, 5, 1)).astype("float32")
    known = np.zeros(images.shape, bool)
    known[1, :2] = True
    known[2] = True
    z, mean, std = scaling.standardise(images, known)
    np.testing.assert_allclose(mean.ravel(), [0, images[1, :2].mean(), images[2].mean()], rtol=1e-6)
    np.testing.assert_allclose(std.ravel(), [0, images[1, :2].std(), images[2].std()], rtol=1e-5)
    np.testing.assert_allclose(z[2].std(), std[2, 0, 0, 0] / (std[2, 0, 0, 0] + 0.1), rtol=1e-5)
    library = spn.layers.NormalizeStandardScore(normalization_epsilon=0.1)(images)
    np.testing.assert_allclose(z[2], library[2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scaling.restore(z, mean, std), images, atol=1e-6)


def test_leaves_start_at_the_means_of_quantile_groups():
    z = np.random.default_rng(0).permuted(np.tile(np.arange(8.0)[:, None], (1, 6)), axis=0)
    means = scaling.quantile_means(z.reshape(8, 2, 3, 1), 4)
    assert means.shape == (1, 2, 3, 4, 1)
    np.testing.assert_array_equal(
        means[0, ..., 0], np.broadcast_to([0.5, 2.5, 4.5, 6.5], (2, 3, 4))
    )
