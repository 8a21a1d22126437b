"""A saved model scores as before, to the bit; whatever else is on disk is refused in a sentence."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from dcgmm import DCGMM
from dcgmm.recipes import Annealing, Recipe


@pytest.fixture
def saved(fitted, tmp_path):
    """The folder of a saved model."""
    fitted[0].save(tmp_path / "model")
    return tmp_path / "model"


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


def test_a_loaded_model_saves_the_same_files(saved, tmp_path):
    DCGMM.load(saved).save(tmp_path / "again")
    assert (tmp_path / "again" / "model.json").read_text() == (saved / "model.json").read_text()
    with np.load(saved / "arrays.npz") as ours, np.load(tmp_path / "again/arrays.npz") as theirs:
        assert ours.files == theirs.files
        assert any(name.startswith("L4/") for name in ours.files)
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_saving_replaces_a_model_and_leaves_nothing_beside_it(saved, tmp_path):
    (tmp_path / "model.part").mkdir()  # of a run that was killed
    (tmp_path / "model.part" / "rubbish").touch()
    DCGMM("G(4)", input_shape=(2, 2, 1)).save(saved)
    assert DCGMM.load(str(saved)).input_shape == (2, 2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert sorted(path.name for path in saved.iterdir()) == ["arrays.npz", "model.json"]


def test_a_recipe_survives_json():
    recipe = Recipe(
        epochs=3, waits=(0.0, 0.25), independent=(True, False), annealing=Annealing(window=7)
    )
    data = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert Recipe().updated(**data) == recipe


def described(**changes):
    def damage(folder):
        description = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(description | changes))

    return damage


def with_arrays(change):
    def damage(folder):
        with np.load(folder / "arrays.npz") as archive:
            arrays = dict(archive)
        np.savez(folder / "arrays.npz", **change(arrays))

    return damage


def truncated(name, keep):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(keep * len(content))])

    return damage


def flipped(folder):
    content = bytearray((folder / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / "arrays.npz").write_bytes(content)


def replaced_by(name, content):
    def damage(folder):
        (folder / name).write_bytes(content)

    return damage


def as_npy(folder):
    np.save(folder / "arrays.npy", np.zeros(3))
    (folder / "arrays.npy").rename(folder / "arrays.npz")


def as_file(folder):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file")


def as_folder(folder):
    (folder / "model.json").unlink()
    (folder / "model.json").mkdir()


DAMAGES = {
    "no description": lambda folder: (folder / "model.json").unlink(),
    "no arrays": lambda folder: (folder / "arrays.npz").unlink(),
    "description cut off": truncated("model.json", 0.5),
    "arrays cut off": truncated("arrays.npz", 0.5),
    "arrays cut to a stub": truncated("arrays.npz", 0.01),
    "arrays empty": truncated("arrays.npz", 0),
    "a byte changed": flipped,
    "description a list": replaced_by("model.json", b"[1, 2]"),
    "description not text": replaced_by("model.json", b"\xff\xfe\x00"),
    "foreign description": replaced_by("model.json", b'{"model": "other"}'),
    "arrays not an archive": replaced_by("arrays.npz", b"rubbish"),
    "arrays a pickle": replaced_by("arrays.npz", pickle.dumps({"a": 1})),
    "arrays one array": as_npy,
    "a file instead of a folder": as_file,
    "a folder instead of a description": as_folder,
    "another format": described(format=2),
    "other layers": described(layers="F(3,2)-G(9)-F(2,1)-G(9)"),
    "no layers": described(layers=None),
    "bad layers": described(layers="F(3,2)-G(5)"),
    "no such shape": described(input_shape=None),
    "unknown hyper-parameter": described(recipe={"epoch": 3}),
    "recipe not a mapping": described(recipe=[1]),
    "recipe with text for a number": described(recipe={"epochs": "many"}),
    "an array missing": with_arrays(lambda a: {n: v for n, v in a.items() if n != "L4/mu"}),
    "an array of another shape": with_arrays(lambda a: a | {"L2/mu": a["L2/mu"][:, :2]}),
    "an array of objects": with_arrays(lambda a: a | {"L2/mu": np.array([{}], object)}),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_or_foreign_model_is_refused_in_one_sentence(saved, what):
    DAMAGES[what](saved)
    with pytest.raises(ValueError, match=str(saved)):
        DCGMM.load(saved)


def test_a_missing_model_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"no DCGMM: .*model\.json is missing"):
        DCGMM.load(tmp_path / "nowhere")
