"""Sharpening against finite differences, the release's formula, and what it promises."""

import contextlib
import math

import numpy as np
import pytest
import reference
from keras import ops
from test_sampling import parameters, random_model

from dcgmm import DCGMM, backend, sharpening
from dcgmm.sampling_recipe import Sampling, Sharpening
from dcgmm.sharpening import Ascent, sharpener


@pytest.fixture(autouse=True)
def _eagerly(request):
    with contextlib.nullcontext() if "compiled" in request.node.name else reference.eagerly():
        yield


def with_radius(model, radius):
    """The states of the cGMM layers, with a smoothing radius."""
    radius = ops.convert_to_tensor(np.float32(radius))
    return tuple(
        state._replace(annealing=state.annealing._replace(radius=radius))
        for state in model.network.states()
    )


def signal(model, index, count=5, seed=0):
    """A random signal below layer `index`, [H, W, C, N]."""
    shape = model.layers[index - 1].input_size
    x = np.random.default_rng(seed).uniform(0, 1, (*shape, count)).astype("float32")
    return ops.convert_to_tensor(x)


TEXT, SHAPE = "F(3,1)-G(4)-P(2,2)-F(2,1)-G(9)-F(2,1)-G(4)", (7, 8, 2)


def sharpened(model, index, ascent, x, states=None):
    """The signal after an ascent, and its target's likelihoods before and after."""
    sharpen = backend.compiled(sharpener(model.layers, index, Ascent(*ascent)))
    return [np.asarray(value) for value in sharpen(states or model.network.states(), x)]


annealed = pytest.mark.parametrize("radius", [0.01, 0.6], ids=["annealed", "smoothed"])


@pytest.mark.backend
@annealed
@pytest.mark.parametrize(("index", "independent"), [(1, False), (4, True), (6, False)])
def test_the_closed_form_is_what_autodiff_gives(index, independent, radius):
    model = random_model(TEXT, SHAPE, independent=independent)
    which = model.gmm_indices.index(index + 1)
    states = with_radius(model, radius)[: which + 1]
    x = signal(model, index)
    folding, layer = model.layers[index - 1 : index + 1]
    value, gradient = backend.compiled(sharpening.closed_form(folding, layer, states[-1]))(x)
    expected, slope = backend.compiled(sharpening.automatic([folding, layer], states))(x)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-4)
    assert np.abs(np.asarray(slope)).max() > 0.1


@annealed
def test_the_closed_form_is_what_finite_differences_of_equation_8_give(radius):
    model = random_model("F(2,1)-G(4)", (3, 4, 1))
    x = signal(model, 1, count=2)
    value, gradient = backend.compiled(
        sharpening.closed_form(*model.layers, with_radius(model, radius)[0])
    )(x)
    mu, s, rho = parameters(model, 2)

    def eq8(image):
        patches = reference.fold(image[None], 2, 1).reshape(1, -1, 4)
        return reference.best(mu, s, rho, patches, reference.mask(4, radius)).mean()

    for n in range(2):
        image = np.asarray(x, "float64")[..., n]
        assert float(value[n]) == pytest.approx(eq8(image), rel=1e-5)
        for place in np.ndindex(image.shape):
            step = np.zeros_like(image)
            step[place] = 1e-5
            difference = (eq8(image + step) - eq8(image - step)) / 2e-5
            assert float(gradient[(*place, n)]) == pytest.approx(difference, rel=1e-3, abs=1e-4)


def test_the_value_of_a_higher_target_is_that_layers_score():
    model = random_model(TEXT, SHAPE)
    images = np.random.default_rng(0).random((5, *SHAPE), "float32")
    x = ops.convert_to_tensor(images.transpose(1, 2, 3, 0))
    value, _ = backend.compiled(sharpening.automatic(model.layers, model.network.states()))(x)
    np.testing.assert_allclose(value, model.score_samples(images), rtol=1e-5)


def released_ascent(model, x, rate, iterations, omega):
    """As the authors' code climbs: the objective averaged over the batch and all positions."""
    mu, s, rho = parameters(model, 2)
    start = x.copy()  # [N, H, W, C], C = 1
    kernel = model.notation[0].kernel
    for _ in range(iterations):
        patches = reference.fold(x, kernel, 1)
        count, height, width, _ = patches.shape
        q = reference.log_scores(mu, s, rho, patches.reshape(count, -1, kernel**2))
        best = q.argmax(axis=2).reshape(count, height, width)
        gradient = -2 * omega * (x - start) / x.size
        for n, h, w in np.ndindex(count, height, width):
            k = best[n, h, w]
            pull = s[0, k] ** 2 * (mu[0, k] - patches[n, h, w])
            place = (n, slice(h, h + kernel), slice(w, w + kernel), 0)
            gradient[place] += pull.reshape(kernel, kernel) / (count * height * width)
        x = x + rate * gradient
    return x


@pytest.mark.parametrize("omega", [0.0, 200.0])
def test_a_hundredth_of_the_releases_rate_is_our_step(omega):
    model = random_model("F(2,1)-G(4)", (3, 4, 1))
    x = signal(model, 1, count=100)
    ours, *_ = sharpened(model, 1, (6, 1.5 / 100, omega, 2), x, with_radius(model, 0.01))
    theirs = released_ascent(model, np.asarray(x, "float64").transpose(3, 0, 1, 2), 1.5, 6, omega)
    np.testing.assert_allclose(np.asarray(ours).transpose(3, 0, 1, 2), theirs, atol=1e-5)
    assert np.abs(theirs - np.asarray(x).transpose(3, 0, 1, 2)).max() > 0.05


def test_the_step_does_not_depend_on_the_images_beside():
    model = random_model(*("F(2,1)-G(4)", (3, 4, 1)))
    x, states = np.asarray(signal(model, 1, count=9)), with_radius(model, 0.01)
    together, alone = (
        sharpened(model, 1, (20, 0.01, 0.5, 2), ops.convert_to_tensor(part), states)[0]
        for part in (x, x[..., :1])
    )
    np.testing.assert_allclose(together[..., :1], alone, atol=1e-6)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
def test_a_single_patch_goes_to_its_centroid_at_the_rate_of_its_precision():
    model = random_model("F(2,1)-G(1)", (2, 2, 1))
    mu, s, _ = (p[0, 0].reshape(-1) for p in parameters(model, 2))
    x = signal(model, 1, count=3)
    for iterations in (1, 30):
        moved, *_ = sharpened(model, 1, (iterations, 0.01, 0.0, 2), x)
        left = (1 - 0.01 * s**2) ** iterations
        expected = mu[:, None] + left[:, None] * (np.asarray(x).reshape(4, 3) - mu[:, None])
        np.testing.assert_allclose(np.asarray(moved).reshape(4, 3), expected, atol=1e-5)


def climbed(model, index, target):
    """The target's likelihood after 0, 1, 6 and 20 iterations at the default step, [4, N]."""
    x, values = signal(model, index), []
    for iterations in (1, 6, 20):
        ascent = (iterations, Sharpening().step, 0.0, target)
        values.append(sharpened(model, index, ascent, x)[1:])
    return np.array([values[0][0], *(after for _, after in values)])


@pytest.mark.parametrize(
    ("index", "target", "at_bound"),
    [(1, 2, True), (4, 5, False), (6, 7, True), (1, 5, False), (1, 7, True), (4, 7, False)],
)
def test_the_likelihood_of_the_target_never_falls_at_the_default_step(index, target, at_bound):
    assert Sharpening().step == 0.01
    model = random_model(TEXT, SHAPE, at_bound=at_bound)
    values = climbed(model, index, target)
    rounding = 1e-5 * np.abs(values).max()
    assert (np.diff(values, axis=0) >= -rounding).all()
    assert (values[-1] > values[0] + 20 * rounding).all()


def test_a_whole_ascent_lets_no_likelihood_fall_however_long_the_step():
    model = random_model(TEXT, SHAPE)
    for step in (0.01, 1.0, 1e6):
        x, before, after = sharpened(model, 1, (40, step, 0.0, 2), signal(model, 1))
        assert (after >= before).all()
        assert np.isfinite(x).all()


def test_the_promised_bound_of_the_step_holds_where_every_precision_is_at_its_bound():
    """A tenth is 2 / s^2 at s^2 = 20: no step is ever refused, whatever the overlap."""
    model = random_model("F(3,1)-G(9)", (6, 6, 1), at_bound=True)
    states = with_radius(model, 0.01)
    evaluate = backend.compiled(sharpening.closed_form(*model.layers, states[0]))
    x = np.asarray(signal(model, 1))
    values = []
    for _ in range(30):
        value, gradient = evaluate(ops.convert_to_tensor(x))
        values.append(np.asarray(value))
        x = x + 0.1 * np.asarray(gradient)
    assert (np.diff(values, axis=0) >= -1e-4).all()


def test_omega_holds_the_signal_where_it_was():
    model, moved = random_model("F(2,1)-G(4)", (4, 4, 1)), []
    x = np.asarray(signal(model, 1))
    for omega in (0.0, 10.0, 1000.0):
        ascent = (200, 0.005, omega, 2)
        after, *_ = sharpened(model, 1, ascent, ops.convert_to_tensor(x))
        moved.append(np.abs(after - x).mean())
    assert moved[0] > moved[1] > moved[2] > 0


def test_a_folding_layer_below_pooling_is_sharpened_through_it():
    model = random_model("F(2,1)-P(2,2)-F(2,1)-G(4)", (6, 7, 1))
    for index in (1, 3):
        values = climbed(model, index, 4)
        assert (values[-1] > values[0]).all()


def test_sampling_sharpens_every_folding_layer_and_says_what_it_gained():
    model = random_model(TEXT, SHAPE)
    blurred = model.sample(7, noise=False)
    x, likelihoods = model.sample_and_likelihoods(7, noise=False, sharpen=Sharpening(5))
    assert list(likelihoods) == [1, 4, 6]
    for before, after in likelihoods.values():
        assert before.shape == after.shape == (7,)
        assert (after > before).all()
    assert np.abs(x - blurred).max() > 1e-3
    off = model.sample(7, noise=False, sharpen=Sharpening(0))
    np.testing.assert_array_equal(off, blurred)
    np.testing.assert_array_equal(model.sample(7, sharpen=Sharpening(5), noise=False), x)


@pytest.mark.backend
def test_the_way_down_is_the_same_compiled():
    model = random_model("F(2,1)-G(4)-P(2,2)-F(2,1)-G(4)", (6, 7, 1))
    sharpen = Sharpening(4, omega=1.0, targets=(5, 5))
    compiled = model.sample(5, sharpen=sharpen, semantics="released")
    model.network.compiled.clear()
    with reference.eagerly():
        x = model.sample(5, sharpen=sharpen, semantics="released")
    np.testing.assert_allclose(compiled, x, atol=1e-5)


def test_the_models_own_settings_are_used_where_sharpening_is_asked_for():
    model = random_model(TEXT, SHAPE, sharpening=Sharpening((2, 0, 1), targets=(5, 5, 7)))
    given = model.sample(4, sharpen=model.sampling.sharpening)
    np.testing.assert_array_equal(model.sample(4, sharpen=True), given)
    same, likelihoods = model.sample_and_likelihoods(4)
    np.testing.assert_array_equal(same, given)
    assert list(likelihoods) == [1, 6]


def test_targets_default_to_the_next_mixture():
    for text, targets in {TEXT: (2, 5, 7), "F(2,1)-P(2,2)-F(2,1)-G(4)-F(1,1)": (4, 4)}.items():
        model = DCGMM(text, input_shape=SHAPE)
        assert model.sampling.sharpening.targets == targets


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"targets": (2, 3, 7)}, "targets has 3 for folding layer 4, .* above it: 5, 7"),
        ({"targets": (2, 2, 7)}, "targets has 2 for folding layer 4, .* above it: 5, 7"),
        ({"targets": (1, 5, 7)}, "targets has 1 for folding layer 1, .* above it: 2, 5, 7"),
        ({"targets": (2, 5, 8)}, "targets has 8 for folding layer 6, .* above it: 7"),
        ({"targets": (2, 5)}, "sharpening.targets has 2 entries, but there are 3 folding layers"),
        ({"iterations": (1, 2)}, "sharpening.iterations has 2 entries"),
        ({"iterations": -1}, "sharpening.iterations is -1, but must be an integer from 0"),
        ({"step": 0.0}, "sharpening.step is 0.0, but must be above 0"),
        ({"step": math.nan}, "sharpening.step is nan"),
        ({"omega": -1.0}, "sharpening.omega is -1.0, but must be at least 0"),
        ({"rate": 1.0}, "unknown hyper-parameter 'rate'"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        sampling = Sampling().updated(sharpening=settings)
        DCGMM(TEXT, input_shape=SHAPE, sampling=sampling)
    assert "\n" not in str(caught.value)


@pytest.mark.backend
def test_the_gradient_of_the_backend_is_that_of_the_sum():
    x = ops.convert_to_tensor(np.float32([1, 2, 3]))
    value, gradient = backend.value_and_gradient(ops.square, x)
    np.testing.assert_array_equal(value, [1, 4, 9])
    np.testing.assert_array_equal(gradient, [2, 4, 6])
