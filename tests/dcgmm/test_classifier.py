"""The classifier layer: softmax regression on activities, and nothing else in the model changed."""

import dataclasses
import functools
import json

import keras
import numpy as np
import pytest
import reference
from keras import ops

from dcgmm import DCGMM, notation, recipes, training
from dcgmm.errors import DivergenceError
from dcgmm.layers import Classifier
from dcgmm.layers import classifier as linear
from dcgmm.recipes import Annealing, Recipe
from tests import saved

SHAPE = (7, 9, 1)  # activities of 3 x 4 x 4, then of 2 x 3 x 9
TEXT = "F(3,2)-G(4)-F(2,1)-G(9)"
QUICK = Annealing(window=4, tolerance=0.7)
RECIPE = Recipe(epochs=2, batch_size=10, waits=(0.0, 0.3), annealing=QUICK)


def data(count=43, shape=SHAPE, classes=3, seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    images = 0.6 * rng.random((count, *shape), "float32")
    images[np.arange(count), labels % shape[0]] += 0.4  # a bright row tells the class
    return images, labels


@functools.cache
def fitted(*inputs):
    """A small trained model on the cGMM layers `inputs`, and its history; not to be refitted."""
    model = DCGMM(TEXT + "-C(3)", RECIPE.updated(classifier={"inputs": inputs}), SHAPE)
    return model, model.fit(*data(), seed=0)


def states(model):
    """All that training changes in the cGMM layers: parameters and controllers."""
    return [np.asarray(value) for value in keras.tree.flatten(model.network.states())]


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


class SoftmaxRegression:
    """Rows are images: E = -mean log softmax(x W' + b)[label], stepped down by its derivatives."""

    def __init__(self, parameters, rate):
        self.weights, self.bias = (np.asarray(p, "float64") for p in parameters)
        self.rate = rate

    def step(self, x, labels):
        """Loss and accuracy before the step."""
        p = softmax(x @ self.weights.T + self.bias)
        error = p - np.eye(p.shape[1])[labels]
        self.weights = self.weights - self.rate * error.T @ x / len(x)
        self.bias = self.bias - self.rate * error.mean(axis=0)
        return -np.log(p[np.arange(len(x)), labels]).mean(), (p.argmax(axis=1) == labels).mean()


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(4, 5)), rng.integers(0, 4, 5).astype("int32")

    def loss_and_gradient(values):
        with reference.double_precision():
            loss, gradient, _ = linear.cross_entropy(
                ops.convert_to_tensor(values), ops.convert_to_tensor(labels)
            )
            return float(loss), np.asarray(gradient)

    loss, gradient = loss_and_gradient(logits)
    expected = -np.log(softmax(logits.T)[np.arange(5), labels]).mean()
    assert loss == pytest.approx(expected, rel=1e-12)
    for place in np.ndindex(*logits.shape):
        step = np.zeros_like(logits)
        step[place] = 1e-5
        up, down = (loss_and_gradient(logits + sign * step)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, abs=1e-9)


@pytest.mark.backend
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_probabilities_are_a_softmax_even_of_large_numbers(scale):
    layer = Classifier(3, seed=4)
    layer.build((5, None))
    x = scale * np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    weights, bias = map(np.asarray, layer.parameters)
    expected = softmax(x.T.astype("float64") @ weights.T + bias).T
    np.testing.assert_allclose(layer(ops.convert_to_tensor(x)), expected, atol=2e-4)
    assert layer.compute_output_shape((5, 7)) == (3, 7)
    same = Classifier.from_config(layer.get_config())
    same.build((5, None))
    np.testing.assert_array_equal(same.parameters.weights, weights)


def test_initial_weights_are_a_truncated_normal_of_the_fan_in():
    layer = Classifier(10, seed=(0, 2, 5))
    layer.build((2500, None))
    weights = np.asarray(layer.parameters.weights) * 50
    assert np.abs(weights).max() < 2
    assert weights.mean() == pytest.approx(0, abs=0.03)
    assert weights.std() == pytest.approx(0.8796, abs=0.02)  # of a normal cut off at 2
    assert not np.asarray(layer.parameters.bias).any()
    other = Classifier(10, seed=(1, 2, 5))
    other.build((2500, None))
    assert not np.array_equal(other.parameters.weights, layer.parameters.weights)


@pytest.mark.parametrize(
    ("inputs", "wait", "waits"),
    [
        pytest.param((), 0.0, (1, 1), id="fixed features"),
        pytest.param((2, 4), 0.0, (0, 0.4), id="both layers", marks=pytest.mark.backend),
        pytest.param((2,), 0.3, (0, 0.4), id="lower layer, delayed", marks=pytest.mark.backend),
        pytest.param((4, 2), 0.0, (0.4, 0), id="both, in another order"),
    ],
)
def test_fit_takes_the_steps_of_softmax_regression_on_activities_before_the_update(
    inputs, wait, waits
):
    recipe = RECIPE.updated(
        waits=waits, classifier={"inputs": inputs, "wait": wait, "learning_rate": 0.5}
    )
    model, (images, labels) = DCGMM(TEXT + "-C(3)", recipe, SHAPE), data()
    mixtures = [model.layers[index - 1].parameters for index in model.gmm_indices]
    plain = reference.Stack(TEXT, model.recipe, mixtures, total_steps=8)
    regression = SoftmaxRegression(model.classifier.parameters, rate=0.5)
    before = regression.weights
    seen = []
    for i, batch in enumerate(
        np.concatenate([training.batches(43, recipe, seed=0)(epoch) for epoch in range(2)])
    ):
        (_, lower), (_, upper) = plain.forward(images[batch])
        activities = {2: lower, 4: upper}
        plain.step(images[batch], i)
        if i / 9 >= wait:
            x = [activities[index].reshape(10, -1) for index in inputs or (4,)]
            seen.append(regression.step(np.concatenate(x, axis=1), labels[batch]))

    history = model.fit(images, labels, seed=0)
    assert min((m.narrowest for m in plain.mixtures if m.wait < 1), default=1) > 5e-5
    weights, bias = model.classifier.parameters
    np.testing.assert_allclose(weights, regression.weights, atol=2e-6)
    np.testing.assert_allclose(bias, regression.bias, atol=2e-6)
    assert np.abs(regression.weights - before).max() > 1e-2
    losses, accuracies = np.mean(seen[-4:], axis=0)
    assert history["cross_entropy"][1] == pytest.approx(losses, rel=1e-5)
    assert history["accuracy"][1] == pytest.approx(accuracies, abs=1e-6)


@pytest.mark.parametrize(
    ("inputs", "wait", "changes"),
    [
        ((2,), 0, {"independent": (True, False), "waits": (0, 0)}),
        ((2, 4), 0, {"waits": (0.1, 0.4)}),
        ((), 0.1, {"annealing": Annealing(window=2, factor=0.05, tolerance=9)}),
    ],
    ids=["below", "both, waiting", "on top, annealed"],
)
def test_the_mixtures_are_to_the_bit_those_without_a_classifier(inputs, wait, changes):
    (images, labels), recipe = data(), RECIPE.updated(epochs=3, **changes)
    alone = DCGMM(TEXT, recipe, SHAPE)
    classifier = {"inputs": inputs, "wait": wait}
    classifying = DCGMM(TEXT + "-C(3)", recipe.updated(classifier=classifier), SHAPE)
    history = classifying.fit(images, labels, seed=3)
    expected = alone.fit(images, seed=3)
    if "annealing" in changes:
        assert max(expected["radius"][-1]) < 0.07  # the layers have gone on to sharp winners
    for ours, theirs in zip(states(classifying), states(alone), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert {name: history[name] for name in expected} == expected
    assert set(history) - set(expected) == {"cross_entropy", "accuracy"}
    np.testing.assert_array_equal(
        classifying.score_samples(images), alone.score_samples(images)
    )  # of the top cGMM layer, not of the classifier


def test_separable_classes_are_learnt_about_as_well_as_by_another_implementation():
    sklearn = pytest.importorskip("sklearn.linear_model")
    (images, labels), (unseen, truth) = data(600), data(400, seed=2)
    recipe = Recipe(epochs=30, batch_size=20).updated(classifier={"learning_rate": 0.5})
    model = DCGMM("F(7,1)-G(16)-C(3)", recipe, SHAPE)
    history = model.fit(images, labels, seed=0)
    accuracy = (model.predict(unseen) == truth).mean()

    features = [model.responsibilities(x).reshape(len(x), -1) for x in (images, unseen)]
    other = sklearn.LogisticRegression(max_iter=1000).fit(features[0], labels)
    assert accuracy > 0.9
    assert accuracy == pytest.approx(other.score(features[1], truth), abs=0.05)
    assert history["cross_entropy"][-1] < history["cross_entropy"][0] / 2
    assert history["accuracy"][-1] > 0.9


def test_the_same_seed_gives_the_same_bits_with_labels_of_any_integer_type():
    (model, history), (images, labels) = fitted(2), data()
    same, other = (DCGMM(model.notation, model.recipe, SHAPE) for _ in range(2))
    assert same.fit(images, labels.astype("uint8").tolist(), seed=0) == history
    with reference.eagerly():
        other.fit(images, labels.astype("uint8"), seed=1)
    for ours, equal, unequal in zip(
        model.classifier.parameters,
        same.classifier.parameters,
        other.classifier.parameters,
        strict=True,
    ):
        np.testing.assert_array_equal(ours, equal)
        assert not np.array_equal(ours, unequal)


@pytest.mark.parametrize("inputs", [(), (2,), (2, 4)])
def test_probabilities_are_those_of_the_responsibilities_in_the_order_of_positions(inputs):
    model, (images, _) = fitted(*inputs)[0], data(130)
    gammas = [model.responsibilities(images, i).reshape(130, -1) for i in inputs or (4,)]
    weights, bias = map(np.asarray, model.classifier.parameters)
    expected = softmax(np.concatenate(gammas, axis=1) @ weights.T + bias)
    shares = model.predict_proba(images)
    assert (shares.dtype, shares.shape) == (np.float32, (130, 3))
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    classes = model.predict(images)
    assert np.issubdtype(classes.dtype, np.integer)
    np.testing.assert_array_equal(classes, shares.argmax(axis=1))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 230])
def test_predictions_do_not_depend_on_the_images_beside(count):
    model, (images, _) = fitted(2, 4)[0], data(count, seed=5)
    shares = model.predict_proba(images)
    alone = [model.predict_proba(x) for x in (images[:1], images[-1:])]
    np.testing.assert_allclose(shares[[0, -1]], np.concatenate(alone), rtol=1e-5)


@pytest.mark.parametrize("inputs", [(2,), (2, 4)])
def test_a_loaded_model_predicts_the_same_to_the_bit(inputs, tmp_path):
    (model, _), (images, _) = fitted(*inputs), data()
    model.save(tmp_path / "model")
    loaded = DCGMM.load(tmp_path / "model")
    assert (loaded.notation, loaded.recipe, loaded.summary()) == (
        model.notation, model.recipe, model.summary(),
    )  # fmt: skip
    np.testing.assert_array_equal(loaded.predict_proba(images), model.predict_proba(images))
    np.testing.assert_array_equal(loaded.score_samples(images), model.score_samples(images))


@pytest.mark.parametrize("name", ["weights", "bias"])
@pytest.mark.parametrize("change", [lambda value: None, lambda value: value[:2]])
def test_a_saved_classifier_that_is_damaged_is_refused(name, change, tmp_path):
    fitted(2)[0].save(tmp_path / "model")
    _, arrays = saved.content(tmp_path / "model")
    saved.replace(tmp_path / "model", **{f"L5/{name}": change(arrays[f"L5/{name}"])})
    with pytest.raises(ValueError, match=r"is damaged .*: fit it again"):
        DCGMM.load(tmp_path / "model")


def test_a_model_that_was_saved_before_fit_still_has_no_classes_to_tell(tmp_path):
    DCGMM(TEXT + "-C(3)", input_shape=SHAPE).save(tmp_path / "model")
    with pytest.raises(ValueError, match="call fit with images and labels"):
        DCGMM.load(tmp_path / "model").predict(data()[0])


def test_the_signal_of_a_class_is_the_inverse_that_the_release_takes():
    model, _ = fitted()
    weights, bias = (np.asarray(p, "float64") for p in model.classifier.parameters)
    classes = np.array([2, 0, 0])
    signal = model.control_signal(classes)
    assert signal.shape == (3, 2, 3, 9)
    t = np.log(np.array([[0.025, 0.025, 0.95], [0.95, 0.025, 0.025], [0.95, 0.025, 0.025]]))
    expected = (t - bias) @ weights
    expected -= expected.min(axis=1, keepdims=True)
    np.testing.assert_allclose(signal.reshape(3, -1), expected, atol=1e-5)

    strong = model.control_signal([1], confidence=0.999)
    t = np.log([[0.0005, 0.999, 0.0005]])
    expected = ((t - bias) @ weights).reshape(1, 2, 3, 9)
    np.testing.assert_allclose(strong, expected - expected.min(), atol=1e-5)


def test_images_drawn_by_the_signal_of_a_class_are_recognised_as_that_class():
    images, labels = data(300, (7, 7, 1))
    recipe = RECIPE.updated(epochs=20, waits=(), classifier={"learning_rate": 0.5})
    model = DCGMM("F(7,1)-G(16)-C(3)", recipe, (7, 7, 1))
    model.fit(images, labels, seed=0)
    classes = np.arange(90) % 3
    drawn = model.sample(90, classes=classes, keep=1)
    top = model.control_signal(classes)
    assert (drawn == model.sample(90, top=top, keep=1)).all()
    with pytest.raises(ValueError, match="classes and top both say how to start"):
        model.sample(90, classes=classes, top=top)
    assert (model.predict(drawn) == classes).mean() > 0.9


def test_parameters_are_as_many_as_counted_and_the_papers_convention_leaves_the_classifier_out():
    model, _ = fitted(2, 4)
    without = DCGMM(TEXT, RECIPE, SHAPE)
    own = sum(np.asarray(value).size for value in model.classifier.parameters)
    assert own == 3 * (3 * 4 * 4 + 2 * 3 * 9 + 1)
    assert model.n_parameters == without.n_parameters + own
    assert model.count_parameters("centroids") == without.count_parameters("centroids")
    lines = model.summary().splitlines()
    assert lines[5].split() == ["L5", "C(3)", "1", "1", "3", "reads", "L2,", "L4"]
    assert f"{model.n_parameters:,} with precisions and weights and the classifier" in lines[-1]


def test_table_iv_is_data():
    paper, released = (recipes.instance("B-class", name) for name in ("paper", "released"))
    assert recipes.recipe_names("B-class") == ["paper", "released"]
    assert "B-class" not in recipes.instance_names()
    assert paper.layers == (*recipes.instance("B").layers, notation.Classifier(10))
    assert notation.write(released.layers) == "F(4,2)-G(121)-F(13,1)-G(16)-C(10)"
    assert [each.recipe.classifier.inputs for each in (paper, released)] == [(2, 4), (2,)]
    for each in (paper, released):
        assert (each.recipe.epochs, each.recipe.waits) == (15, (0, 0.1))
        assert (each.recipe.classifier.learning_rate, each.recipe.classifier.wait) == (0.05, 0)
        assert (each.recipe.lambda_pi, each.recipe.lambda_sigma) == (0.2, 0.1)
    assert released.recipe.independent == (True, False)
    assert released.recipe.shuffle == "once"
    model = DCGMM.from_instance("B-class", "released")
    assert model.classifier.parameters.weights.shape == (10, 13 * 13 * 121)
    both = DCGMM.from_instance("B-class")
    assert both.classifier.parameters.weights.shape == (10, 11 * 11 * 49 + 49)


def test_a_recipe_with_a_classifier_survives_json():
    recipe = Recipe().updated(classifier={"inputs": [2, 4], "wait": 0.5, "learning_rate": 0.1})
    data = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert Recipe().updated(**data) == recipe
    assert recipe.classifier.inputs == (2, 4)


def test_a_waiting_classifier_has_neither_loss_nor_accuracy():
    model = DCGMM(TEXT + "-C(3)", RECIPE.updated(classifier={"wait": 0.5}), SHAPE)
    history = model.fit(*data(), seed=0)
    assert history["cross_entropy"][0] is None
    assert history["accuracy"][0] is None
    assert history["cross_entropy"][1] > 0


def classifying(text=TEXT + "-C(3)", **settings):
    return DCGMM(text, RECIPE.updated(classifier=settings), SHAPE)


IMAGES, LABELS = data()


def signal(classes, *inputs, **settings):
    return fitted(*inputs)[0].control_signal(classes, **settings)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: classifying().fit(IMAGES), "needs labels"),
        (lambda: DCGMM(TEXT, RECIPE, SHAPE).fit(IMAGES, LABELS), "has no classifier: leave them"),
        (lambda: classifying().fit(IMAGES, LABELS[1:]), "42 labels for 43 images"),
        (lambda: classifying().fit(IMAGES, LABELS.astype("f4")), "float32, but must be integers"),
        (lambda: classifying().fit(IMAGES, LABELS.astype(str)), "must be integers"),
        (lambda: classifying().fit(IMAGES, LABELS > 1), "bool, but must be integers"),
        (lambda: classifying().fit(IMAGES, np.eye(3, dtype=int)[LABELS]), r"2 axes \(43, 3\)"),
        (lambda: classifying().fit(IMAGES, LABELS + 1), "hold 3, but .* the classes 0 to 2"),
        (lambda: classifying().fit(IMAGES, LABELS - 1), "hold -1, but"),
        (lambda: classifying(TEXT + "-C(2)").fit(IMAGES, LABELS), "the classes 0 to 1"),
        (lambda: classifying().predict(IMAGES), "has not learnt yet: call fit"),
        (lambda: classifying().predict_proba(IMAGES), "has not learnt yet: call fit"),
        (lambda: DCGMM(TEXT, RECIPE, SHAPE).predict(IMAGES), "has no classifier: end its layers"),
        (lambda: fitted(2)[0].predict(IMAGES[0]), "3 axes"),
        (lambda: classifying("F(3,2)-C(3)-G(4)"), "a classifier can only be the last layer"),
        (
            lambda: DCGMM([notation.GMM(4), notation.Classifier(3), notation.GMM(4)]),
            r"G\(4\)-C\(3\)-G\(4\): a classifier can only be the last layer",
        ),
        (lambda: DCGMM([notation.Classifier(3)]), "no cGMM layer"),
        (lambda: DCGMM([]), "no cGMM layer"),
        (lambda: classifying(inputs=(3,)), "reads layer 3, which is no cGMM .* from 2, 4"),
        (lambda: classifying(inputs=(5,)), "reads layer 5, which is no cGMM"),
        (lambda: classifying(inputs=("2",)), "reads layer 2, which is no cGMM|'2'"),
        (lambda: classifying(inputs=(2, 2)), r"\(2, 2\), but must name a layer only once"),
        (lambda: classifying("G(4)-G(4)-P(2,2)-C(3)"), "reads layer 3, which is no cGMM"),
        (lambda: classifying(TEXT, inputs=(2,)), "has no classifier: leave it out"),
        (lambda: classifying(input=(2,)), "did you mean 'inputs'"),
        (lambda: classifying(learning_rate=0), "learning_rate is 0, but must be above 0"),
        (lambda: classifying(wait=2), "wait is 2, but must be a fraction"),
        (lambda: Recipe(classifier=3), "classifier is 3, but must be a mapping"),
        (lambda: Classifier(0), "classes must be at least 1, but is 0"),
        (lambda: signal([3]), "hold 3, but the classifier knows the classes 0 to 2"),
        (lambda: signal([-1]), "hold -1"),
        (lambda: signal([0.0]), "must be integers"),
        (lambda: signal([1], confidence=1.0), r"must lie between 1/3 and 1"),
        (lambda: signal([1], confidence=0.2), r"must lie between 1/3 and 1"),
        (lambda: signal([1], 2), "reads layer 2, but images of a class .* layer 4,"),
        (lambda: signal([1], 2, 4), "reads layers 2 and 4, but"),
        (lambda: DCGMM(TEXT).control_signal([1]), "has no classifier"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(ask, message):
    with pytest.raises(ValueError, match=message) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_a_classifier_that_diverges_is_named_and_leaves_nothing_behind():
    model = classifying(learning_rate=1e38)
    with (
        reference.eagerly(),
        pytest.raises(DivergenceError, match=r"layer 5 is .*: lower classifier\.learning_rate"),
    ):
        model.fit(IMAGES, LABELS)
    assert not model.fitted
    assert all(np.isfinite(value).all() for value in map(np.asarray, model.classifier.parameters))
