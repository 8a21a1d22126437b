"""In-painting against scipy's marginal and conditional Gaussians, for any mask."""

import numpy as np
import pytest
import reference
from keras import ops
from scipy.special import softmax
from scipy.stats import multivariate_normal
from test_sampling import parameters, random_model

from dcgmm import DCGMM, inpainting

TEXT, SHAPE = "F(3,1)-G(4)-P(2,2)-F(3,1)-G(9)", (7, 8, 2)
methods = pytest.mark.parametrize("method", inpainting.METHODS)


@pytest.fixture(autouse=True)
def _eagerly():
    with reference.eagerly():
        yield


def images(count, shape=SHAPE, seed=1):
    return np.random.default_rng(seed).random((count, *shape), "float32")


def random_mask(*shape, seed=2):
    return np.random.default_rng(seed).random(shape) < 0.6


def forward(model, x, known):
    """The top cGMM layer's responsibilities by marginalising, [n, H, W, K]."""
    way = inpainting.marginal_forward(model.layers[: model.gmm_indices[-1]])
    known = np.broadcast_to(known, x.shape)
    parts = inpainting.controls(way, model.network.states(), x, known)
    gamma = np.concatenate([np.asarray(part).transpose(3, 0, 1, 2) for part in parts])
    return gamma[: len(x)]


def log_marginals(model, patch, known, q=0):
    """Log of pi_k times scipy's density of the known channels, [K], at one position."""
    mu, s, logits = (p[q] if p.ndim > 1 else p for p in parameters(model, 2))
    log_pi = logits - np.log(np.exp(parameters(model, 2)[2]).sum())
    if not known.any():
        return log_pi
    densities = [
        multivariate_normal(mean[known], np.diag(root[known] ** -2)).logpdf(patch[known])
        for mean, root in zip(mu, s, strict=True)
    ]
    return log_pi + densities


@pytest.mark.backend
@pytest.mark.parametrize("independent", [False, True])
def test_the_lowest_layer_has_the_marginal_densities_of_scipy(independent):
    model = random_model("F(3,2)-G(4)", (5, 7, 1), independent=independent)
    x, known = images(6, (5, 7, 1)), random_mask(6, 5, 7, 1)
    known[0], known[1, :3, :3] = True, False  # one is whole, one has an empty patch
    folded, seen = (reference.fold(part, 3, 2).reshape(6, 6, 9) for part in (x, known))
    turned = [ops.convert_to_tensor(p.transpose(1, 2, 0).astype("float32")) for p in (folded, seen)]
    layer = model.layers[1]
    found = np.asarray(inpainting.marginal_log_scores(layer.parameters, *turned))
    gamma = forward(model, x, known).reshape(6, 6, 4)
    for n, p in np.ndindex(6, 6):
        q = p if independent else 0
        expected = log_marginals(model, folded[n, p], seen[n, p] > 0, q)
        np.testing.assert_allclose(found[p, :, n], expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(gamma[n, p], softmax(expected), atol=1e-4)


def test_with_everything_known_nothing_is_marginal():
    model, x = random_model(TEXT, SHAPE), images(103)
    gamma = forward(model, x, np.ones((1, 1, 1, 1), bool))
    np.testing.assert_allclose(gamma, model.responsibilities(x), atol=1e-4)


def test_with_nothing_known_responsibilities_are_the_weights():
    model = random_model("F(2,2)-G(4)", (4, 4, 1))
    gamma = forward(model, images(3, (4, 4, 1)), np.zeros((4, 4, 1), bool))
    expected = np.broadcast_to(softmax(parameters(model, 2)[2][0]), gamma.shape)
    np.testing.assert_allclose(gamma, expected, rtol=1e-4)


def test_what_pooling_has_made_of_unknown_pixels_is_unknown():
    model = random_model("P(2,2)-F(2,1)-G(4)", (5, 6, 1))
    x, known = images(4, (5, 6, 1)), np.ones((5, 6, 1), bool)
    known[1, 2] = known[4, 5] = False  # in windows (0, 1) and (2, 2), the latter over the edge
    pooled = reference.pool(x, 2, 2)
    seen = np.ones((1, 3, 3, 1), bool)
    seen[0, 0, 1] = seen[0, 2, 2] = False
    patches, masks = (
        reference.fold(part, 2, 1).reshape(len(part), 4, 4) for part in (pooled, seen)
    )
    mu, s, rho = parameters(model, 3)
    terms = np.log(s[0]) - 0.5 * s[0] ** 2 * (patches[:, :, None] - mu[0]) ** 2
    terms -= 0.5 * np.log(2 * np.pi)
    scores = rho[0] + (terms * masks[:, :, None]).sum(axis=3)
    gamma = forward(model, x, known).reshape(4, 4, 4)
    np.testing.assert_allclose(gamma, softmax(scores, axis=2), atol=1e-4)


@pytest.mark.backend
def test_a_single_layer_completes_by_the_conditional_distribution():
    model = random_model("F(2,1)-G(4)", (2, 2, 1))
    image = images(1, (2, 2, 1))
    known = np.array([True, False, True, False])
    many = np.repeat(image, 30000, axis=0)
    mask = known.reshape(2, 2, 1)
    drawn = model.inpaint(many, mask, method="marginal", noise=0.2, keep=0).reshape(-1, 4)
    gamma = softmax(log_marginals(model, image.reshape(4), known))
    mu, s, _ = (p[0] for p in parameters(model, 2))
    rng = np.random.default_rng(5)
    k = rng.choice(4, size=200000, p=gamma)
    expected = (mu[k] + 0.2 / s[k] * rng.normal(size=(200000, 4))).clip(0, 1)[:, ~known]
    found = drawn[:, ~known]
    np.testing.assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.cov(found.T), np.cov(expected.T), atol=0.005)
    np.testing.assert_array_equal(drawn[:, known], many.reshape(-1, 4)[:, known])


def test_the_papers_way_shows_black_and_samples_from_what_it_sees():
    model, x, known = random_model(TEXT, SHAPE), images(104), random_mask(*SHAPE)
    filled = model.inpaint(x, known, seed=3, noise=0.2)
    top = model.responsibilities(np.where(known, x, 0))
    drawn = model.sample(104, top=top, seed=3, noise=0.2)
    np.testing.assert_array_equal(filled, np.where(known, x, drawn))
    assert not np.array_equal(filled, model.inpaint(x, known, seed=3, noise=0.2, method="marginal"))


@pytest.mark.backend
@methods
@pytest.mark.parametrize("noise", [True, False])
def test_known_pixels_are_kept_to_the_bit_and_the_others_are_pixels(method, noise):
    model, x = random_model(TEXT, SHAPE), images(5)
    right, one = np.ones((7, 8, 1), bool), random_mask(5, 7, 8, 1)
    right[:, 4:] = False
    nothing = np.zeros((7, 8, 1), bool)
    for known in (right, one, nothing, ~nothing, random_mask(5, *SHAPE)):
        filled = model.inpaint(x, known, method=method, noise=noise)
        assert filled.shape == x.shape and filled.dtype == np.float32
        assert filled.min() >= 0 and filled.max() <= 1
        where = np.broadcast_to(known, x.shape)
        np.testing.assert_array_equal(filled[where], x[where])
        if not where.all():
            assert not np.array_equal(filled[~where], x[~where])


@methods
def test_a_mask_for_all_images_is_that_mask_for_each(method):
    model, x, known = random_model(TEXT, SHAPE), images(3), random_mask(7, 8, 1)
    one = model.inpaint(x, known, method=method)
    np.testing.assert_array_equal(one, model.inpaint(x, known[None], method=method))
    each = np.broadcast_to(known, x.shape).copy()
    np.testing.assert_array_equal(one, model.inpaint(x, each, method=method))


@methods
def test_unknown_pixels_are_not_looked_at_and_the_seed_decides(method):
    model, x, known = random_model(TEXT, SHAPE), images(4), random_mask(7, 8, 1)
    filled = model.inpaint(x, known, method=method, seed=1)
    for other in (1 - x, np.nan, -np.inf, -5, 1e300):
        unlike = np.where(known, x.astype("float64"), other)
        np.testing.assert_array_equal(model.inpaint(unlike, known, method=method, seed=1), filled)
    assert not np.array_equal(model.inpaint(x, known, method=method, seed=2), filled)


@methods
def test_unknown_bytes_are_not_looked_at_either(method):
    """Known ones that are all black are black, whatever is beside them."""
    model, known = random_model(TEXT, SHAPE), random_mask(7, 8, 1)
    black = np.zeros((4, *SHAPE))
    filled = model.inpaint(black, known, method=method)
    for other in (0, 1, 255):
        unlike = np.where(known, black, other).astype("uint8")
        np.testing.assert_array_equal(model.inpaint(unlike, known, method=method), filled)


@methods
def test_sharpening_and_the_released_semantics_work_here_too(method):
    model, x, known = random_model(TEXT, SHAPE), images(4), random_mask(7, 8, 1)
    plain = model.inpaint(x, known, method=method)
    sharp = model.inpaint(x, known, method=method, sharpen=True)
    released = model.inpaint(x, known, method=method, semantics="released", keep=1)
    assert not np.array_equal(plain, sharp)
    assert np.isfinite(sharp).all() and np.isfinite(released).all()


def test_an_untrained_model_warns():
    with pytest.warns(UserWarning, match="in-painting from a model that was never fitted") as seen:
        DCGMM("F(2,1)-G(4)", input_shape=(2, 2, 1)).inpaint(
            images(1, (2, 2, 1)), np.ones((2, 2, 1), bool)
        )
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("known", "options", "message"),
    [
        (np.ones((7, 9, 1), bool), {}, r"mask .* \(7, 9, 1\), which does not broadcast"),
        (np.ones((7, 8), bool), {}, "does not broadcast"),
        (np.ones((2, 7, 8, 1), bool), {}, r"\(2, 7, 8, 1\).*give \[H, W, 1\] or \[n, H, W, 1\]"),
        (np.ones((7, 8, 1)), {}, "must be boolean, but is float64"),
        (np.ones((7, 8, 1), bool), {"method": "grey"}, "method is 'grey', but must be one of"),
        (np.ones((7, 8, 1), bool), {"keep": 10}, "keep is 10 at layer 2"),
        (np.ones((7, 8, 1), bool), {"noise": -1}, "noise is -1"),
        (np.ones((7, 8, 1), bool), {"start": "cycle"}, "start is set, but .* leave it out"),
    ],
)
def test_bad_masks_and_settings_are_refused_in_one_sentence(known, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        random_model(TEXT, SHAPE).inpaint(images(3), known, **options)
    assert "\n" not in str(caught.value)
