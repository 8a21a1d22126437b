"""Sampling against the mixture's own moments, plain loops, and the rules of both semantics."""

import math
import warnings

import numpy as np
import pytest
import reference
from keras import ops

from dcgmm import DCGMM, notation, recipes
from dcgmm.layers import gmm_backward
from dcgmm.layers.gmm import Parameters
from dcgmm.sampling_recipe import Sampling, Sharpening

BOUND = math.sqrt(20)


@pytest.fixture(autouse=True)
def _eagerly():
    with reference.eagerly():
        yield


def random_model(text, shape, *, independent=False, seed=0, at_bound=False, **settings):
    """A model that passes for fitted, of random parameters."""
    own = (independent,) * text.count("G")
    recipe = recipes.Recipe(independent=own)
    model = DCGMM(text, recipe, shape, Sampling(**settings))
    rng = np.random.default_rng(seed)
    for index in model.gmm_indices:
        layer = model.layers[index - 1]
        sets, count, dimension = layer.mu.shape
        s = np.full((sets, count, dimension), BOUND)
        if not at_bound:
            s = rng.uniform(2, 4, s.shape)
        layer.parameters = Parameters(
            rng.uniform(0, 1, s.shape).astype("float32"),
            s.astype("float32"),
            rng.normal(size=(sets, count)).astype("float32"),
        )
    model.network.fitted = True
    return model


def parameters(model, index):
    return [np.asarray(p, "float64") for p in model.layers[index - 1].parameters]


def weights(control, keep, semantics):
    """For one position: [K] -> [K], normalised."""
    signal = np.float32(control)[None, :, None]
    found = np.asarray(
        gmm_backward.component_weights(ops.convert_to_tensor(signal), keep, semantics)
    )
    return found[0, :, 0] / found.sum()


# ------------------------------------------------------------------ choosing a component


@pytest.mark.parametrize(
    ("semantics", "keep", "control", "expected"),
    [
        ("clean", 2, [0.1, 0.5, 0.3, 0.1], [0, 0.625, 0.375, 0]),
        ("released", 2, [0.1, 0.5, 0.3, 0.1], [0, 0.625, 0.375, 0]),
        ("clean", 0, [0.1, 0.5, 0.3, 0.1], [0.1, 0.5, 0.3, 0.1]),
        ("released", 0, [0.1, 0.5, 0.3, 0.1], [0.1, 0.5, 0.3, 0.1]),
        ("clean", 2, [0.2, 0.6, 0.2, 0.2], [0.25, 0.75, 0, 0]),  # ties: the first
        ("released", 2, [0.2, 0.6, 0.2, 0.2], [1 / 6, 0.5, 1 / 6, 1 / 6]),  # ties: all
        ("clean", 2, [1, 1, 1, 1], [0.5, 0.5, 0, 0]),
        ("released", 2, [1, 1, 1, 1], [0.25] * 4),
        ("clean", 3, [-1, 0.5, -2, -3], [0, 1, 0, 0]),  # the negative is no weight
        ("released", 1, [-1, -2, -1, -3], [0.25] * 4),  # floored, so all are ties
        ("clean", 1, [-1, -2, 0, -3], [0.25] * 4),  # nothing to go by
    ],
)
def test_the_highest_entries_of_a_control_signal_are_kept(semantics, keep, control, expected):
    np.testing.assert_allclose(weights(control, keep, semantics), expected, atol=1e-6)


def test_the_release_floors_at_a_millionth():
    expected = np.array([0.5, 1e-6, 1e-6, 0.2]) / 0.700002
    np.testing.assert_allclose(weights([0.5, -1, 0, 0.2], 0, "released"), expected, rtol=1e-5)


@pytest.mark.backend
@pytest.mark.parametrize("keep", [0, 2])
def test_components_are_drawn_as_often_as_their_weights_say(keep):
    rng = np.random.default_rng(0)
    control = rng.uniform(0, 1, (3, 9, 1)).astype("float32")
    draws = 20000
    signal = ops.convert_to_tensor(np.broadcast_to(control, (3, 9, draws)).copy())
    kept = gmm_backward.component_weights(signal, keep, "clean")
    drawn = np.asarray(gmm_backward.choose(kept, rng.random((3, draws), "float32")))
    for p in range(3):
        expected = weights(control[p, :, 0], keep, "clean")
        found = np.bincount(drawn[p], minlength=9) / draws
        np.testing.assert_allclose(found, expected, atol=4 * 0.5 / math.sqrt(draws))
        assert (found[expected == 0] == 0).all()
        assert (expected > 0).sum() == (keep or 9)


def test_the_ends_of_the_unit_interval_choose_the_first_and_the_last():
    w = ops.convert_to_tensor(np.float32([0, 0.3, 0, 0.1, 0])[None, :, None].repeat(2, axis=2))
    chances = np.float32([[0, 1 - 2**-24]])
    np.testing.assert_array_equal(np.asarray(gmm_backward.choose(w, chances)), [[1, 3]])


# ------------------------------------------------------------------ the distribution drawn from


@pytest.mark.backend
@pytest.mark.parametrize("independent", [False, True])
def test_a_single_layer_draws_from_its_mixture(independent):
    model = random_model("F(2,2)-G(4)", (2, 4, 1), independent=independent)
    x = model.sample(30000, start="weights", noise=1.0, clip=False)
    patches = x.reshape(-1, 2, 2, 2).transpose(0, 2, 1, 3).reshape(-1, 2, 4)  # [n, P, D]
    mu, s, logits = parameters(model, 2)
    for p in range(2):
        q = p if independent else 0
        pi = np.exp(logits[q]) / np.exp(logits[q]).sum()
        mean = pi @ mu[q]
        second = np.einsum("k,kd,ke->de", pi, mu[q], mu[q]) + np.diag(pi @ s[q] ** -2)
        np.testing.assert_allclose(patches[:, p].mean(axis=0), mean, atol=0.015)
        found = np.cov(patches[:, p].T)
        np.testing.assert_allclose(found, second - np.outer(mean, mean), atol=0.015)


def test_without_a_word_on_the_start_components_are_equally_probable():
    model = random_model("F(2,1)-G(4)", (2, 2, 1))
    x = model.sample(4000, noise=False, clip=False).reshape(-1, 4)
    mu = parameters(model, 2)[0][0]
    nearest = ((x[:, None] - mu) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / 4000, 0.25, atol=0.03)
    np.testing.assert_array_equal(x, mu[nearest].astype("float32"))


@pytest.mark.backend
def test_noise_where_patches_overlap_is_the_mean_of_independent_noises():
    model = random_model("F(2,1)-G(1)", (3, 4, 1))
    x = model.sample(20000, noise=0.5, clip=False)
    mu, s, _ = parameters(model, 2)
    total, variance, covers = np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4))
    for h in range(2):
        for w in range(3):
            total[h : h + 2, w : w + 2] += mu[0, 0].reshape(2, 2)
            variance[h : h + 2, w : w + 2] += (0.5 / s[0, 0].reshape(2, 2)) ** 2
            covers[h : h + 2, w : w + 2] += 1
    np.testing.assert_allclose(x.mean(axis=0)[:, :, 0], total / covers, atol=5e-3)
    np.testing.assert_allclose(x.var(axis=0)[:, :, 0], variance / covers**2, rtol=0.06)


def brute_force(model, start, keep_ties=False):
    """Without noise and with S = 1 nothing is left to chance: [H, W, C], by loops."""
    shapes = [model.input_shape, *notation.shapes(model.notation, model.input_shape)]
    signal = None
    for index in range(len(model.notation), 0, -1):
        layer, (height, width, channels) = model.notation[index - 1], shapes[index - 1]
        down = np.zeros((height, width, channels))
        covers = np.zeros((height, width, 1))
        for h, w in np.ndindex(shapes[index][:2]):
            if isinstance(layer, notation.GMM):
                mu = parameters(model, index)[0]
                best = start if signal is None else int(signal[h, w].argmax())
                down[h, w] = mu[h * width + w if len(mu) > 1 else 0, best]
                continue
            place = np.s_[
                h * layer.stride : h * layer.stride + layer.kernel,
                w * layer.stride : w * layer.stride + layer.kernel,
            ]
            if isinstance(layer, notation.Folding):
                down[place] += signal[h, w].reshape(layer.kernel, layer.kernel, channels)
                covers[place] += 1
            else:
                down[place] = signal[h, w]  # cut off at the edge
        if isinstance(layer, notation.Folding):
            down = np.divide(down, covers, out=np.zeros_like(down), where=covers > 0)
        signal = down
    return signal


@pytest.mark.backend
@pytest.mark.parametrize("semantics", ["clean", "released"])
@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize(
    "text", ["F(3,1)-G(4)-P(2,2)-F(2,1)-G(9)-F(3,1)-G(4)", "F(2,1)-F(2,2)-G(4)-F(4,1)-P(2,2)-G(4)"]
)
def test_the_chain_without_chance_is_that_of_plain_loops(text, independent, semantics):
    model = random_model(text, (9, 11, 2), independent=independent)
    for component in (0, 3):
        x = model.sample(3, start=component, keep=1, noise=False, semantics=semantics, clip=False)
        expected = brute_force(model, component)
        for image in x:
            np.testing.assert_allclose(image, expected, rtol=1e-5, atol=1e-6)


def test_independent_and_shared_parameters_draw_the_same_at_one_position():
    shared, own = (
        random_model("F(3,1)-G(9)", (3, 3, 2), independent=independent)
        for independent in (False, True)
    )
    np.testing.assert_array_equal(shared.sample(11, noise=0.3), own.sample(11, noise=0.3))


# ------------------------------------------------------------------ released semantics


@pytest.mark.parametrize("independent", [False, True])
def test_precisions_at_their_bound_draw_no_noise_in_the_release(independent):
    model = random_model("F(3,2)-G(4)", (5, 5, 1), independent=independent, at_bound=True)
    still = model.sample(20, noise=False, clip=False)
    for noise in (0.1, 1.0, 50.0):
        drawn = model.sample(20, noise=noise, semantics="released", clip=False)
        np.testing.assert_array_equal(drawn, still)
    noisy = model.sample(20, noise=0.1, semantics="clean", clip=False)
    once = np.ix_(range(20), [0, 1, 3, 4], [0, 1, 3, 4])  # pixels of a single patch
    assert (noisy - still)[once].std() == pytest.approx(0.1 / BOUND, rel=0.15)


def test_the_bound_is_compared_strictly_and_dimension_by_dimension():
    model = random_model("F(2,1)-G(1)", (2, 2, 1))
    below = np.nextafter(np.float32(BOUND), np.float32(0))
    layer = model.layers[1]
    s = np.float32([[[BOUND, below, 2, BOUND]]])
    layer.parameters = layer.parameters._replace(root_precision=s)
    x = model.sample(4000, semantics="released", noise=1.0, clip=False).reshape(-1, 4)
    expected = [0, 1 / (BOUND + 1e-5), 1 / (2 + 1e-5), 0]
    np.testing.assert_allclose(x.std(axis=0, dtype="f8"), expected, rtol=0.05, atol=1e-7)


def test_positions_without_a_positive_sum_are_blank_in_the_release_only():
    model = random_model("F(2,2)-G(4)", (2, 4, 1))
    top = np.zeros((200, 1, 2, 4), "float32")
    top[:, 0, 0] = [1, -3, 0.5, 0.1]  # sums to less than 0
    top[:, 0, 1] = [1, -1, 0.5, 0.1]
    x = model.sample(200, top=top, keep=1, noise=1.0, semantics="released", clip=False)
    assert (x[:, :, :2] == 0).all()
    assert (x[:, :, 2:] != 0).all()
    x = model.sample(200, top=top, keep=1, noise=False, clip=False)
    mu = parameters(model, 2)[0][0, 0].astype("float32")
    np.testing.assert_array_equal(x[:, :, :2, 0], np.broadcast_to(mu.reshape(2, 2), (200, 2, 2)))


def test_nothing_positive_draws_from_all_components_where_semantics_are_clean():
    model = random_model("F(2,1)-G(4)", (2, 2, 1))
    top = np.full((400, 1, 1, 4), -0.5, "float32")
    x = model.sample(400, top=top, keep=1, noise=False, clip=False)
    assert len(np.unique(x.reshape(400, -1), axis=0)) == 4
    blank = model.sample(400, top=top, keep=1, noise=False, semantics="released")
    assert (blank == 0).all()


# ------------------------------------------------------------------ start, seeds, batches


def test_cycling_takes_every_component_in_turn_across_batches():
    model = random_model("F(2,1)-G(9)", (2, 2, 1))
    x = model.sample(205, start="cycle", noise=False, clip=False).reshape(205, -1)
    mu = parameters(model, 2)[0][0].astype("float32")
    np.testing.assert_array_equal(x, mu[np.arange(205) % 9])


def test_cycling_counts_positions_within_an_image():
    model = random_model("F(2,2)-G(4)", (2, 6, 1))
    x = model.sample(5, start="cycle", noise=False, clip=False)
    mu = parameters(model, 2)[0][0].astype("float32")
    for i in range(5):
        for w in range(3):
            patch = x[i, :, 2 * w : 2 * w + 2, 0].ravel()
            np.testing.assert_array_equal(patch, mu[(3 * i + w) % 4])


def test_a_control_signal_decides_the_components_of_its_image():
    model = random_model("F(2,1)-G(9)", (2, 2, 1))
    wanted = np.arange(130) * 7 % 9
    top = np.eye(9, dtype="float32")[wanted][:, None, None] * 3 - 1  # logits, say
    x = model.sample(130, top=top, noise=False, clip=False).reshape(130, -1)
    np.testing.assert_array_equal(x, parameters(model, 2)[0][0].astype("float32")[wanted])


TWO = ("F(2,1)-G(4)-F(3,1)-G(9)", (4, 4, 1))


@pytest.mark.backend
def test_the_seed_decides_and_more_images_leave_the_first_as_they_are():
    model = random_model(*TWO)
    many = model.sample(203, seed=3)
    np.testing.assert_array_equal(many, model.sample(203, seed=3))
    for n in (1, 100, 101):
        np.testing.assert_array_equal(many[:n], model.sample(n, seed=3))
    assert not np.array_equal(many, model.sample(203, seed=4))
    assert len(np.unique(many.reshape(203, -1), axis=0)) == 203


def test_noise_does_not_change_which_components_are_drawn():
    model = random_model(*TWO)
    still, noisy = (model.sample(50, noise=noise, clip=False) for noise in (False, (1e-4, 0.0)))
    assert 0 < np.abs(noisy - still).max() < 1e-3


def test_no_global_state_is_read_or_changed():
    model = random_model(*TWO)
    np.random.seed(0)  # noqa: NPY002
    first = model.sample(3)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(model.sample(3), first)
    np.random.seed(0)  # noqa: NPY002
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_pixels_are_clipped_unless_asked_not_to():
    model = random_model("F(2,1)-G(4)", (2, 2, 1))
    raw = model.sample(200, noise=5.0, clip=False)
    assert raw.min() < 0 and raw.max() > 1
    np.testing.assert_array_equal(model.sample(200, noise=5.0), raw.clip(0, 1))


def test_layers_above_the_top_mixture_take_no_part():
    plain = random_model("F(2,2)-G(4)", (4, 4, 1))
    more = random_model("F(2,2)-G(4)-P(2,2)", (4, 4, 1))
    np.testing.assert_array_equal(plain.sample(5), more.sample(5))


# ------------------------------------------------------------------ settings


def test_an_untrained_model_warns_in_one_sentence_and_a_fitted_one_does_not(fitted):
    with pytest.warns(UserWarning, match="never fitted.*call fit first") as caught:
        DCGMM("F(2,1)-G(4)", input_shape=(2, 2, 1)).sample(1)
    assert len(caught) == 1 and "\n" not in str(caught[0].message)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(fitted[0].sample(3)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": 5}, "keep is 5 at layer 2, which has only 4 components: give at most 4"),
        ({"keep": (4, 10)}, "keep is 10 at layer 4, which has only 9 components"),
        ({"keep": (1, 1, 1)}, "keep has 3 entries, but there are 2 cGMM layers of F"),
        ({"keep": -1}, "keep is -1, but must be an integer from 0"),
        ({"keep": 1.5}, "keep is 1.5, but must be"),
        ({"noise": -0.1}, "noise is -0.1, but must be at least 0"),
        ({"noise": (0.1, float("nan"))}, "noise is nan, but must be at least 0"),
        ({"noise": (0.1,)}, "noise has 1 entries, but there are 2 cGMM layers"),
        ({"start": "top"}, "start is 'top', but must be one of"),
        ({"start": 9}, "start is component 9, but layer 4 has 9: give at most 8"),
        ({"semantics": "dirty"}, "semantics is 'dirty', but must be one of"),
        ({"kept": 2}, "unknown hyper-parameter 'kept'; did you mean 'keep'"),
        ({"seed": -1}, "seed is -1"),
        ({"n": 0}, "n is 0, but must be a whole number from 1"),
        ({"n": 2.0}, "n is 2.0, but must be a whole number from 1"),
        ({"top": np.ones((3, 1, 1, 4))}, r"top has shape \(3, 1, 1, 4\), but .* \(3, 1, 1, 9\)"),
        ({"top": np.full((3, 1, 1, 9), np.nan)}, "top holds values that are not finite"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        random_model(*TWO).sample(**{"n": 3, **options})
    assert "\n" not in str(caught.value)


def test_settings_are_kept_with_the_model(tmp_path):
    settings = {"keep": (1, 3), "noise": 0.3, "semantics": "released", "start": "cycle"}
    model = random_model(*TWO, sharpening=Sharpening(7, 0.02, 0.5), **settings)
    model.save(tmp_path / "model")
    loaded = DCGMM.load(tmp_path / "model")
    assert loaded.sampling == model.sampling
    np.testing.assert_array_equal(loaded.sample(4), model.sample(4))


PUBLISHED = {  # S of the scripts bottom to top, divisor of the scripts
    "A": ((2,), 10),
    "B": ((2, 2), 10),
    "C": ((2, 3), 5),
    "D": ((2, 2, 3), 20),
    "E": ((2, 1, 1), 5),
    "F": ((2, 2, 3, 3), 20),
    "G": ((3, 3, 3, 3), 20),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_settings_are_those_of_the_scripts(name):
    keep, divisor = PUBLISHED[name]
    released = recipes.instance(name, "released").sampling
    assert (released.keep, released.semantics) == (keep, "released")
    assert released.noise == (1 / divisor,) * len(keep)
    paper = recipes.instance(name).sampling
    assert (paper.keep, paper.semantics) == ((2,) * len(keep), "clean")
    assert paper.noise == ((0.1,) * 2 if name == "C" else released.noise)
    assert paper.sharpening.step == (0.01,) * len(paper.sharpening.targets)
    assert DCGMM.from_instance(name, "released").sampling == released


@pytest.mark.parametrize("name", ["E", "F"])
@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_full_size_instances_draw_images(name, recipe):
    model = DCGMM.from_instance(name, recipe)
    model.network.fitted = True
    x = model.sample(3)
    assert x.shape == (3, 28, 28, 1) and x.dtype == np.float32
    assert np.isfinite(x).all() and x.min() >= 0 and x.max() <= 1
