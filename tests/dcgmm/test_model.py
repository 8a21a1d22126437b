"""DCGMM as a user sees it: fit, scores, responsibilities, refusals."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgmm import DCGMM, notation
from dcgmm.errors import DivergenceError
from dcgmm.recipes import Recipe

SMALL = Recipe(epochs=1, batch_size=5, waits=(0.0, 0.0))


def images(count, shape, seed=0):
    return np.random.default_rng(seed).random((count, *shape), "float32")


def small_model(**changes):
    return DCGMM("F(2,2)-G(4)-F(2,1)-G(4)", SMALL.updated(**changes), (4, 6, 1))


def parameters(model):
    return [
        np.asarray(value)
        for index in model.gmm_indices
        for value in model.layers[index - 1].parameters
    ]


def check_that_it_works(model, x):
    """Fit and score; losses, scores and responsibilities are finite and of the right shapes."""
    history = model.fit(x)
    assert np.isfinite([loss for losses in history["loss"] for loss in losses if loss]).all()
    scores = model.score_layers(x)
    assert list(scores) == list(model.gmm_indices)
    for of_layer in scores.values():
        assert of_layer.shape == (len(x),)
        assert np.isfinite(of_layer).all()
    gamma = model.responsibilities(x, model.gmm_indices[-1])
    top = notation.shapes(model.notation, model.input_shape)[model.gmm_indices[-1] - 1]
    assert gamma.shape == (len(x), *top)
    np.testing.assert_allclose(gamma.sum(axis=3), 1, rtol=1e-5)


@pytest.mark.parametrize("recipe", ["paper", "released"])
@pytest.mark.parametrize("name", "ABCDEFG")
def test_every_instance_runs_an_epoch(name, recipe):
    model = DCGMM.from_instance(name, recipe, epochs=1)
    with reference.eagerly():
        check_that_it_works(model, images(200, (28, 28, 1)))


@pytest.mark.skipif(reference.BACKEND == "jax", reason="JAX has compiled it above")
def test_the_instance_with_most_layers_runs_an_epoch_compiled():
    check_that_it_works(DCGMM.from_instance("G", epochs=1), images(200, (28, 28, 1)))


@pytest.mark.parametrize("shape", [(32, 32, 3), (20, 28, 1), (6, 5, 2)])
def test_colour_and_images_that_are_not_square(shape):
    model = DCGMM("F(3,1)-G(4)-P(2,2)-F(2,1)-G(9)", SMALL, shape)
    with reference.eagerly():
        check_that_it_works(model, images(12, shape))


layer_strings = st.tuples(
    st.lists(
        st.sampled_from(["F(1,1)", "F(2,1)", "F(3,2)", "F(2,3)", "P(2,2)", "P(3,2)", "P(2,1)"])
        | st.sampled_from(["G(1)", "G(4)", "G(9)"]),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from(["G(4)", "G(9)", "G(4)-P(2,2)"]),
).map(lambda parts: "-".join([*parts[0], parts[1]]))


@pytest.mark.backend
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@given(layer_strings, st.integers(3, 9), st.integers(3, 9), st.integers(1, 3), st.booleans())
@settings(max_examples=20 if reference.BACKEND == "tensorflow" else 6)
def test_any_instance_scores_as_the_equations_and_trains(text, height, width, channels, own):
    shape, count = (height, width, channels), text.count("G")
    try:
        layers = notation.parse(text)
        notation.shapes(layers, shape)
    except ValueError as error:
        with pytest.raises(ValueError, match="does not fit") as caught:
            DCGMM(text, input_shape=shape)
        assert str(caught.value) == str(error)
        return
    recipe = SMALL.updated(waits=(0,) * count, independent=(own,) * count)
    model, x = DCGMM(layers, recipe, shape), images(7, shape)
    before = [model.layers[index - 1].parameters for index in model.gmm_indices]
    plain = reference.Stack(text, model.recipe, before, total_steps=1)
    with reference.eagerly():
        scores = model.score_layers(x)
        for index, (expected, _) in zip(model.gmm_indices, plain.forward(x), strict=True):
            np.testing.assert_allclose(scores[index], expected, rtol=1e-5, atol=1e-4)
        check_that_it_works(model, x)


@pytest.mark.backend
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    model, x = small_model(), images(13, (4, 6, 1))
    first, again, other = ([model.fit(x, seed=s), *parameters(model)] for s in (1, 1, 2))
    assert first[0] == again[0]
    for one, two, three in zip(first[1:], again[1:], other[1:], strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


@pytest.mark.backend
def test_a_new_model_has_the_parameters_from_which_seed_0_starts(fitted):
    model, _, _ = fitted
    one, two = (DCGMM(model.notation, model.recipe, model.input_shape) for _ in range(2))
    for before, same, after in zip(*map(parameters, (one, two, model)), strict=True):
        np.testing.assert_array_equal(before, same)
        assert not np.array_equal(before, after)


def test_images_are_left_as_they_were_and_may_be_of_any_type_and_layout():
    whole = np.random.default_rng(0).integers(0, 2, (6, 4, 10, 1))
    part = whole[:, :, 1:7]
    before, scores = part.copy(), []
    with reference.eagerly():
        for x in (part, part.astype("float64"), part.astype("uint8").tolist()):
            model = small_model()
            model.fit(x)
            scores.append(model.score_samples(x))
    np.testing.assert_array_equal(part, before)
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])


@pytest.mark.backend
@pytest.mark.parametrize("count", [1, 99, 100, 101, 230])
def test_scores_do_not_depend_on_the_images_beside(fitted, count):
    model, _, _ = fitted
    x = images(count, model.input_shape, seed=5)
    scores = model.score_samples(x)
    assert scores.shape == (count,)
    last, alone = model.score_samples(x[-1:]), model.score_samples(x[:1])
    np.testing.assert_allclose(scores[[0, -1]], [*alone, *last], rtol=1e-5)
    gamma = model.responsibilities(x)
    assert len(gamma) == count
    np.testing.assert_allclose(gamma[-1:], model.responsibilities(x[-1:]), atol=1e-5)


def test_the_scores_of_one_layer_are_those_among_all(fitted):
    model, x, _ = fitted
    scores = model.score_layers(x)
    assert list(scores) == [2, 4]
    for layer in (2, 4):
        np.testing.assert_allclose(model.score_samples(x, layer), scores[layer], rtol=1e-6)
    np.testing.assert_array_equal(model.score_samples(x), model.score_samples(x, layer=4))


@pytest.mark.backend
def test_training_raises_the_scores(fitted):
    model, x, _ = fitted
    untrained = DCGMM(model.notation, model.recipe, model.input_shape)
    for layer, scores in model.score_layers(x).items():
        assert scores.mean() > untrained.score_layers(x)[layer].mean()


def test_a_model_without_waits_learns_its_own_kind_of_image():
    rng = np.random.default_rng(0)
    left = np.zeros((60, 4, 4, 1), "float32")
    left[:, :, :2] = 1
    left += rng.uniform(-0.1, 0.1, left.shape).astype("float32") * (1 - 2 * left)
    left = left.clip(0, 1)
    model = DCGMM("F(4,1)-G(4)", Recipe(epochs=30, batch_size=10), (4, 4, 1))
    model.fit(left)
    assert model.score_samples(left).min() > model.score_samples(left[:, :, ::-1]).max()


def test_the_summary_is_table_vi_with_both_counts():
    lines = DCGMM.from_instance("E", "released").summary().splitlines()
    assert [line.split() for line in lines[1:-1]] == [
        ["L1", "F(3,1)", "26", "26", "9"],
        ["L2", "G(25)", "26", "26", "25", "independent"],
        ["L3", "F(4,2)", "12", "12", "400"],
        ["L4", "G(25)", "12", "12", "25", "independent"],
        ["L5", "F(12,1)", "1", "1", "3600"],
        ["L6", "G(49)", "1", "1", "49", "shared"],
    ]
    assert "1,768,500 centroid entries" in lines[-1]
    wide = DCGMM("F(3,1)-G(4)", input_shape=(20, 28, 1)).summary().splitlines()
    assert wide[1].split() == ["L1", "F(3,1)", "18", "26", "9"]
    assert "186,625 centroid entries" in DCGMM.from_instance("E").summary()
    assert "373,349 with precisions and weights" in DCGMM.from_instance("E").summary()


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_parameters_are_as_many_as_counted(recipe):
    model = DCGMM.from_instance("G", recipe)
    assert model.n_parameters == sum(value.size for value in parameters(model))
    centroids = parameters(model)[::3]
    assert model.count_parameters("centroids") == sum(mu.size for mu in centroids)


def test_nothing_is_printed_where_output_is_no_terminal(capfd):
    with reference.eagerly():
        small_model().fit(images(5, (4, 6, 1)), progress=True)
    assert capfd.readouterr() == ("", "")


SHAPE = (4, 6, 1)
BAD_IMAGES = {
    "NaN": (np.full((5, *SHAPE), np.nan), "not finite"),
    "infinite": (np.full((5, *SHAPE), np.inf), "not finite"),
    "a single NaN": (np.where(np.arange(24).reshape(SHAPE) == 7, np.nan, [[[[0.5]]]]), "finite"),
    "0 to 255": (np.full((5, *SHAPE), 255.0), r"\[255, 255\].*divide bytes by 255"),
    "black and white bytes": (np.ones((5, *SHAPE), "uint8"), "bytes of 0 and 1 alone"),
    "numbers as text": (np.full((5, *SHAPE), "0.5"), "not an array of numbers"),
    "negative": (np.full((5, *SHAPE), -0.5), r"must lie in \[0, 1\]"),
    "flat": (np.zeros((5, 24)), r"2 axes \(5, 24\), but must have 4"),
    "without channels": (np.zeros((5, 4, 6)), "3 axes"),
    "one image": (np.zeros(SHAPE), "3 axes"),
    "turned": (np.zeros((5, 6, 4, 1)), r"\(6, 4, 1\), but this model was built for \(4, 6, 1\)"),
    "colour": (np.zeros((5, 4, 6, 3)), r"\(4, 6, 3\)"),
    "none": (np.zeros((0, *SHAPE)), "no images: the class selection is empty"),
    "text": (np.full((5, *SHAPE), "a"), "could not convert"),
}


@pytest.mark.parametrize("method", ["fit", "score_samples", "score_layers", "responsibilities"])
@pytest.mark.parametrize("what", BAD_IMAGES)
def test_bad_images_are_refused_in_one_sentence(what, method):
    x, message = BAD_IMAGES[what]
    with pytest.raises(ValueError, match=message) as caught:
        getattr(small_model(), method)(x)
    assert "\n" not in str(caught.value)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(ValueError, match="4 images, fewer than one batch of 5"):
        small_model().fit(np.zeros((4, *SHAPE)))


@pytest.mark.parametrize("layer", [0, 1, 3, 5, -1, "top"])
def test_an_unknown_layer_is_refused(layer):
    message = f"layer {layer} is not a cGMM layer; those of this instance are 2, 4"
    for method in (small_model().score_samples, small_model().responsibilities):
        with pytest.raises(ValueError, match=message):
            method(np.zeros((1, *SHAPE)), layer=layer)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DCGMM("G(5)"), "a perfect square, such as 4 or 9"),
        (lambda: DCGMM([notation.GMM(5)]), "a perfect square, such as 4 or 9"),
        (lambda: DCGMM("F(29,1)-G(4)"), "at most 28"),
        (lambda: DCGMM("F(3,1)-G(4)-F(4,1)-G(4)", input_shape=(5, 9, 1)), "layer 3 .* at most 3"),
        (lambda: DCGMM("F(28,1)-C(10)-G(4)"), "a classifier can only be the last layer"),
        (lambda: DCGMM("G(4)-G(4)", Recipe(waits=(0,))), "2 cGMM layers"),
        (lambda: DCGMM.from_instance("H"), "unknown instance 'H'"),
        (lambda: DCGMM.from_instance("A", "newest"), "unknown recipe 'newest'"),
        (lambda: DCGMM.from_instance("A", epoch=3), "did you mean 'epochs'"),
    ],
)
def test_a_model_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_divergence_is_an_error_and_leaves_no_wrecked_parameters_behind():
    model = small_model(learning_rate=1e30, final_learning_rate=1e30)
    message = "layer 2 is .* after epoch 1: lower learning_rate"
    with reference.eagerly(), pytest.raises(DivergenceError, match=message):
        model.fit(images(20, SHAPE))
    assert all(np.isfinite(value).all() for value in parameters(model))


def test_history_has_a_loss_and_a_radius_an_epoch_and_layer(fitted):
    _, _, history = fitted
    assert set(history) == {"layers", "loss", "radius"}
    assert [len(losses) for losses in history["loss"]] == [2] * 5
    radii = np.array(history["radius"])
    assert radii[0, 1] == pytest.approx(0.25 * 18**0.5)  # still waiting
    assert (np.diff(radii, axis=0) <= 0).all()
    assert all(isinstance(loss, float) for losses in history["loss"][2:] for loss in losses)


def test_layers_without_a_mixture_are_refused():
    with pytest.raises(ValueError, match="no cGMM layer"):
        DCGMM([notation.Folding(2, 1)])


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 1), (28, -28, 1), (28.0, 28, 1)])
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(ValueError, match=r"input_shape is .* height, width and channels"):
        DCGMM("G(4)", input_shape=shape)


@pytest.mark.parametrize("seed", [None, -1, 0.5])
def test_a_seed_that_is_none_is_refused(seed):
    model = DCGMM("G(4)", SMALL.updated(waits=()), (2, 2, 1))
    with pytest.raises(ValueError, match="seed is"):
        model.fit(images(20, (2, 2, 1)), seed=seed)


def test_divergence_in_the_very_last_step_is_noticed():
    recipe = SMALL.updated(waits=(), epochs=1, batch_size=20, learning_rate=1e30)
    model = DCGMM("F(2,1)-G(4)", recipe.updated(lambda_pi=1e30), (2, 2, 1))
    with pytest.raises(DivergenceError, match="after the last step"):
        model.fit(images(20, (2, 2, 1)), seed=0)


def test_images_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="not an array of numbers"):
        DCGMM("G(4)", input_shape=(2, 2, 1)).score_samples(np.full((3, 2, 2, 1), "a"))
