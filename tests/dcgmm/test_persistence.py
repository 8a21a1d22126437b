"""A saved model scores as before, to the bit; whatever else is on disk is refused in a sentence."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from dcgmm import DCGMM
from dcgmm.recipes import Annealing, Recipe
from tests import saved as saved_models


@pytest.fixture
def saved(fitted, tmp_path):
    """The folder of a saved model."""
    fitted[0].save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.backend
def test_a_loaded_model_is_the_saved_one_to_the_bit(fitted, saved):
    model, images, _ = fitted
    loaded = DCGMM.load(saved)
    assert (loaded.notation, loaded.recipe) == (model.notation, model.recipe)
    assert loaded.input_shape == model.input_shape
    assert loaded.summary() == model.summary()
    for layer, scores in model.score_layers(images).items():
        np.testing.assert_array_equal(loaded.score_layers(images)[layer], scores)
        expected = model.responsibilities(images, layer)
        np.testing.assert_array_equal(loaded.responsibilities(images, layer), expected)


def test_a_loaded_model_saves_the_same_file(saved, tmp_path):
    DCGMM.load(saved).save(tmp_path / "again")
    (about, ours), (again, theirs) = map(saved_models.content, (saved, tmp_path / "again"))
    assert about == again
    assert list(ours) == list(theirs)
    assert any(name.startswith("L4/") for name in ours)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_saving_replaces_a_model_of_other_layers(saved):
    DCGMM("G(4)", input_shape=(2, 2, 1)).save(saved)
    assert DCGMM.load(str(saved)).input_shape == (2, 2, 1)
    assert [path.name for path in saved.iterdir()] == ["model.npz"]


def test_a_model_of_another_package_is_neither_replaced_nor_loaded(fitted, saved):
    _, arrays = saved_models.content(saved)
    saved_models.rewrite(saved, {"format": 2, "method": "vae", "settings": {}}, arrays)
    before = (saved / "model.npz").read_bytes()
    with pytest.raises(FileExistsError, match="is no DCGMM that was saved here"):
        fitted[0].save(saved)
    assert (saved / "model.npz").read_bytes() == before
    with pytest.raises(ValueError, match="holds a model, but no DCGMM"):
        DCGMM.load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_not_saved_over_a_model(fitted, saved, value):
    before = (saved / "model.npz").read_bytes()
    broken = DCGMM.load(saved)
    broken.layers[1].mu.assign(np.full(broken.layers[1].mu.shape, value, "float32"))
    with pytest.raises(ValueError, match="L2/mu holds NaN or infinity"):
        broken.save(saved)
    assert (saved / "model.npz").read_bytes() == before


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError])
def test_an_error_that_is_no_damage_is_passed_on_as_it_is(saved, monkeypatch, error):
    def fail(*_, **__):
        raise error("of Keras")

    monkeypatch.setattr("dcgmm.stack.build", fail)
    with pytest.raises(error, match=r"^'?of Keras'?$"):
        DCGMM.load(saved)


def test_a_recipe_survives_json():
    recipe = Recipe(
        epochs=3, waits=(0.0, 0.25), independent=(True, False), annealing=Annealing(window=7)
    )
    data = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert Recipe().updated(**data) == recipe


def described(**changes):
    return lambda folder: saved_models.describe(folder, **changes)


DAMAGES = {
    "other layers": described(layers="F(3,2)-G(9)-F(2,1)-G(9)"),
    "no layers": described(layers=None),
    "bad layers": described(layers="F(3,2)-G(5)"),
    "no cGMM layer": described(layers="F(3,2)"),
    "a kernel that does not fit": described(layers="F(30,2)-G(4)"),
    "no such shape": described(input_shape=None),
    "unknown hyper-parameter": described(recipe={"epoch": 3}),
    "recipe not a mapping": described(recipe=[1]),
    "recipe with text for a number": described(recipe={"epochs": "many"}),
    "an array missing": lambda folder: saved_models.replace(folder, **{"L4/mu": None}),
    "an array too many": lambda folder: saved_models.replace(folder, **{"L3/mu": np.zeros(3)}),
    "an array of another shape": lambda folder: saved_models.replace(
        folder, **{"L2/mu": saved_models.content(folder)[1]["L2/mu"][:, :2]}
    ),
    "a pickle": lambda folder: (folder / "model.npz").write_bytes(pickle.dumps({"a": 1})),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_or_foreign_model_is_refused_in_one_sentence(saved, what):
    DAMAGES[what](saved)
    with pytest.raises(ValueError, match=str(saved)):
        DCGMM.load(saved)


def test_a_missing_model_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"no DCGMM: .*model\.npz is missing"):
        DCGMM.load(tmp_path / "nowhere")
