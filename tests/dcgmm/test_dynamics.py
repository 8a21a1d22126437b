"""What is measured while training goes on, and training one layer after the other."""

import keras
import numpy as np
import pytest

from dcgmm import DCGMM, fitting, training
from dcgmm.layers.gmm import Parameters
from dcgmm.recipes import Annealing

TEXT, SHAPE, BATCH = "F(3,2)-G(4)-F(2,1)-G(9)", (7, 7, 1), 5
PARTS = ("mu", "root_precision", "logits")
rng = np.random.default_rng(3)
IMAGES = rng.random((6 * BATCH + 2, *SHAPE), "float32")  # 6 steps an epoch
OTHERS = rng.random((130, *SHAPE), "float32")  # more than a batch of inference


def fresh(text=TEXT, **changes):
    settings = {"epochs": 2, "batch_size": BATCH, "waits": (0, 0.3)} | changes
    model = DCGMM(text, input_shape=SHAPE)
    return DCGMM(text, model.recipe.updated(**settings), SHAPE)


def parameters(model):
    return [
        np.asarray(getattr(model.layers[index - 1], part))
        for index in model.gmm_indices
        for part in PARTS
    ]


@pytest.mark.parametrize(
    ("measurements", "steps"),
    [(1, [12]), (2, [6, 12]), (3, [3, 6, 9, 12]), (5, [2, 4, 6, 8, 10, 12]),
     (7, list(range(1, 13))), (99, list(range(1, 13)))],
)  # fmt: skip
def test_measurements_are_equally_far_apart_and_at_least_as_many_as_asked(measurements, steps):
    history = fresh().fit(IMAGES, validation=OTHERS, measurements=measurements)
    assert history["val_step"] == steps
    assert np.shape(history["val_loss"]) == (len(steps), 2)


def test_every_few_epochs_do_where_a_run_has_more_than_measurements():
    history = fresh(epochs=7).fit(IMAGES, validation=OTHERS, measurements=3)
    assert history["val_step"] == [6, 18, 30, 42]  # the last step, and every twelfth before it


def test_measurements_are_at_fractions_of_the_run():
    history = fresh().fit(IMAGES, validation=OTHERS, measurements=(1, 0.4, 0.01, 0.5))
    assert history["val_step"] == [1, 5, 6, 12]
    layers = fresh().fit(IMAGES, validation=OTHERS, measurements=[0.25, 0.8], layerwise=True)
    assert layers["val_step"] == [6, 19]  # of both phases


@pytest.mark.parametrize("measurements", [12, 5, (0.3, 0.35, 0.9)])
def test_measuring_changes_no_bit_of_the_model(measurements):
    quick = Annealing(window=3, tolerance=0.5, factor=0.5)
    measured, alone = fresh(annealing=quick), fresh(annealing=quick)
    ours = measured.fit(
        IMAGES, validation=OTHERS, measurements=measurements, validation_scores=True
    )
    theirs = alone.fit(IMAGES)
    assert ours["radius"] == theirs["radius"]
    assert theirs["radius"][0] != theirs["radius"][-1]
    for layer in (0, 1):  # sums of losses are rounded part by part
        losses = [[epoch[layer] for epoch in history["loss"]] for history in (ours, theirs)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for array, other in zip(parameters(measured), parameters(alone), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.backend
@pytest.mark.parametrize("text", [TEXT, f"{TEXT}-C(3)"])
def test_the_last_measurement_is_of_the_fitted_model(text):
    model = fresh(text)
    labels = None if text == TEXT else np.arange(len(IMAGES)) % 3
    history = model.fit(IMAGES, labels, validation=OTHERS, measurements=3, validation_scores=True)
    expected = np.stack([*model.score_layers(OTHERS).values()])  # [L, n]
    scores = np.array(history["val_score"])
    assert (scores.dtype, scores.shape) == (np.float32, (4, *expected.shape))
    np.testing.assert_array_equal(scores[-1], expected)
    assert not np.allclose(scores[0], expected)
    assert history["val_loss"] == pytest.approx(scores.mean(axis=2), rel=1e-6)


def test_radii_are_those_at_the_ends_of_epochs():
    quick = Annealing(window=3, tolerance=0.5, factor=0.5)
    history = fresh(annealing=quick).fit(IMAGES, validation=OTHERS, measurements=4)
    assert history["val_step"] == [3, 6, 9, 12]
    assert history["val_radius"][1::2] == history["radius"]
    assert "val_score" not in history, "unless asked for"


@pytest.mark.backend
def test_a_layer_learns_alone_in_its_phase():
    model = fresh()
    losses = np.array(model.fit(IMAGES, layerwise=True)["loss"], dtype=float)
    assert losses.shape == (4, 2)  # two layers of two epochs each
    np.testing.assert_array_equal(np.isnan(losses), [[0, 1], [0, 1], [1, 0], [1, 0]])


def test_the_lowest_layer_is_the_same_as_in_a_model_of_its_own():
    stack, alone = fresh(), fresh("F(3,2)-G(4)", waits=(0,))
    stack.fit(IMAGES, layerwise=True)
    alone.fit(IMAGES)
    for ours, theirs in zip(parameters(stack)[:3], parameters(alone), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_a_higher_layer_learns_from_layers_that_rest():
    """It is a model of its own, of the responsibilities that the trained layers below give."""
    below, stack = fresh("F(3,2)-G(4)", waits=(0,)), fresh()
    below.fit(IMAGES)
    stack.fit(IMAGES, layerwise=True)
    gamma = below.responsibilities(IMAGES)
    phase = stack.recipe.updated(waits=(0,), independent=())
    above = DCGMM("F(2,1)-G(9)", phase, gamma.shape[1:])
    start = fresh().layers[3].parameters  # centroids depend on the index, too
    above.layers[1].parameters = Parameters(*map(np.asarray, start))
    loop = fitting.training_loop(above.network, above.recipe, 6 * phase.epochs)
    order = training.batches(len(IMAGES), phase, seed=0)
    resident = keras.ops.convert_to_tensor(gamma.reshape(len(gamma), -1))
    states = above.network.states()
    for epoch in range(2):
        chosen = keras.ops.convert_to_tensor(order(2 + epoch))  # epochs are counted through
        [(states, _)] = loop([(states, chosen)], resident, np.int32(6 * epoch))
    for part, expected in zip(PARTS, states[0].parameters, strict=True):
        ours = np.asarray(getattr(stack.layers[3], part))
        # Rounding may turn a near tie of two components, which moves them by 1e-3 a step.
        np.testing.assert_allclose(ours, expected, atol=3e-3, err_msg=part)
    moved = np.abs(np.asarray(stack.layers[3].mu) - np.asarray(start.mu)).max()
    assert moved > 0.05


def test_a_classifier_learns_last_of_all():
    labels = np.arange(len(IMAGES)) % 3
    history = fresh(f"{TEXT}-C(3)").fit(IMAGES, labels, layerwise=True)
    assert [value is None for value in history["accuracy"]] == [True, True, False, False]


def test_models_of_one_architecture_share_what_is_compiled_but_no_parameters():
    first, second = fresh(epochs=1), fresh(epochs=1)
    assert first.network.compiled is second.network.compiled
    first.fit(IMAGES, seed=1)
    before = first.score_samples(OTHERS)
    second.fit(IMAGES, seed=2)
    assert not np.allclose(second.score_samples(OTHERS), before)
    np.testing.assert_array_equal(first.score_samples(OTHERS), before)
    np.testing.assert_array_equal(first.sample(3), first.sample(3))
    assert not np.array_equal(first.sample(3), second.sample(3))


def test_another_setting_shares_nothing():
    assert fresh().network.compiled is not fresh(epochs=3).network.compiled


@pytest.mark.parametrize(
    ("measurements", "message"),
    [
        (0, "measurements is 0, but must be a whole number from 1"),
        (-1, "measurements is -1"),
        (2.5, "measurements is 2.5"),
        ("12", "measurements is '12'"),
        ([], "measurements are empty, but must be a count or fractions of the run, above 0 up"),
        ((0.5, 0), "measurements hold 0, but must"),
        ((0.5, 1.5), "measurements hold 1.5"),
        ((0.5, float("nan")), "measurements hold nan"),
        (["1"], "measurements hold '1'"),
    ],
)
def test_measurements_that_are_neither_a_number_nor_fractions_are_refused(measurements, message):
    with pytest.raises(ValueError, match=message):
        fresh().fit(IMAGES, validation=OTHERS, measurements=measurements)


def test_images_to_measure_on_must_fit_the_model():
    with pytest.raises(ValueError, match="this model was built for"):
        fresh().fit(IMAGES, validation=OTHERS[:, 1:])
