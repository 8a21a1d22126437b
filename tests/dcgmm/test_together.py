"""Several models trained at once are those that are trained alone."""

import keras
import numpy as np
import pytest
import reference

from dcgmm import DCGMM, fit_together
from dcgmm.errors import DivergenceError
from dcgmm.recipes import Annealing, Recipe

SHAPE = (7, 9, 1)
SEEDS = (4, 0, 7)
# The lower layer's radius falls below 0.07 for one seed before it does for another.
RECIPE = Recipe(
    epochs=6,
    batch_size=10,
    waits=(0.0, 0.3),
    annealing=Annealing(window=3, tolerance=0.3, factor=0.3),
)
TEXTS = {
    "shared": ("F(3,2)-G(4)-F(2,1)-G(9)", {}),
    "independent, pooling": (
        "F(4,1)-G(4)-P(2,2)-F(2,1)-G(4)", {"independent": (True, False), "shuffle": "once"},
    ),
    "classifier": ("F(3,2)-G(4)-F(2,1)-G(9)-C(3)", {}),
}  # fmt: skip
IMAGES = np.random.default_rng(1).random((47, *SHAPE), "float32")
LABELS = np.arange(47) % 3


def wrecked(x):
    return x * np.nan if keras.backend.is_float_dtype(x.dtype) else x


def kind(name):
    text, changes = TEXTS[name]
    return DCGMM(text, RECIPE.updated(**changes), SHAPE)


def longer(name):
    return DCGMM(TEXTS[name][0], RECIPE.updated(epochs=7), SHAPE)


@pytest.mark.backend
@pytest.mark.parametrize("name", TEXTS)
def test_each_is_as_its_seed_alone_makes_it(name):
    labels = LABELS if name == "classifier" else None
    models = [kind(name) for _ in SEEDS]
    histories = fit_together(models, IMAGES, labels, seeds=SEEDS)
    scores = [model.score_samples(IMAGES) for model in models]
    for model, seed, history, ours in zip(models, SEEDS, histories, scores, strict=True):
        alone = kind(name)
        expected = alone.fit(IMAGES, labels, seed=seed)
        assert history.keys() == expected.keys()
        np.testing.assert_array_equal(history["radius"], expected["radius"])
        losses, others = (np.array(each["loss"], "float64") for each in (history, expected))
        np.testing.assert_allclose(losses, others, rtol=1e-5)  # None, of a layer that waits, is NaN
        np.testing.assert_allclose(ours, alone.score_samples(IMAGES), rtol=1e-4, atol=1e-3)
        assert model.fitted
        if labels is not None:
            np.testing.assert_array_equal(model.predict(IMAGES), alone.predict(IMAGES))
    assert not np.allclose(scores[0], scores[1])


@pytest.mark.backend
def test_annealing_ends_at_another_time_for_another_seed():
    """Or the tests above would not show that a branch is taken for all at once."""
    histories = fit_together([kind("shared") for _ in SEEDS], IMAGES, seeds=SEEDS)
    ended = np.array([history["radius"] for history in histories])[:, :, 0] < 0.07  # [seed, epoch]
    assert ended.any(axis=1).all()
    assert (ended.any(axis=0) & ~ended.all(axis=0)).any()


def test_bytes_train_as_the_pixels_they_stand_for():
    held = np.random.default_rng(2).integers(0, 256, (30, *SHAPE), "uint8")
    models = [kind("shared") for _ in range(2)]
    histories = [models[0].fit(held), models[1].fit(held / np.float32(255))]
    assert histories[0] == histories[1]
    parameters = [model.layers[1].parameters for model in models]
    for ours, theirs in zip(*parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    scores = models[0].score_samples(held), models[1].score_samples(held / np.float32(255))
    np.testing.assert_array_equal(*scores)
    with pytest.raises(ValueError, match=r"images are \(7, 8, 1\), but this model"):
        models[0].fit(held[:, :, 1:])


@pytest.mark.backend
def test_other_images_are_measured_for_each():
    models = [kind("shared") for _ in SEEDS[:2]]
    measured = {"validation": IMAGES[:20], "measurements": 6, "validation_scores": True}
    histories = fit_together(models, IMAGES, seeds=SEEDS[:2], **measured)
    alone = kind("shared").fit(IMAGES, seed=SEEDS[1], **measured)
    assert histories[1]["val_step"] == alone["val_step"]
    assert histories[1]["val_radius"] == alone["val_radius"]
    np.testing.assert_allclose(histories[1]["val_loss"], alone["val_loss"], rtol=1e-5)
    ours, theirs = (np.array(history["val_score"]) for history in (histories[1], alone))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)
    assert not np.allclose(histories[0]["val_score"], theirs)


@pytest.mark.backend
def test_one_that_diverges_stops_no_other():
    models = [kind("shared") for _ in SEEDS[:2]]
    start = models[0].network.start
    models[0].network.start = lambda seed: keras.tree.map_structure(wrecked, start(seed))
    with reference.eagerly():
        first, second = fit_together(models, IMAGES, seeds=SEEDS[:2])
    assert isinstance(first, DivergenceError)
    assert "layer 2 is nan after epoch 1" in str(first)
    assert not models[0].fitted
    assert models[1].fitted
    alone = kind("shared")
    assert second["loss"][-1] == pytest.approx(alone.fit(IMAGES, seed=0)["loss"][-1], rel=1e-5)


@pytest.mark.parametrize(
    ("models", "seeds", "message"),
    [
        (lambda: [kind("shared")], (0, 1), "1 models and 2 seeds: give one each"),
        (lambda: [], (), "0 models and 0 seeds"),
        (lambda: [kind("shared")], (-1,), "seed is -1"),
        (lambda: [kind("shared")], (2**32,), "integer from 0 to 2"),
        (lambda: [kind("shared")] * 2, (0, True), "seed is True"),
        (lambda: [kind("shared")], "1", "seed is '1'"),
        (lambda: [kind("shared")] * 2, (0, 1), "a model is there twice"),
        (lambda: [kind("shared"), longer("shared")], (0, 1), "differ in their recipe"),
        (lambda: [kind("shared"), kind("classifier")], (0, 1), "differ in their notation"),
    ],
)
def test_what_cannot_be_trained_together_is_refused(models, seeds, message):
    with pytest.raises(ValueError, match=message):
        fit_together(models(), IMAGES, seeds=seeds)
