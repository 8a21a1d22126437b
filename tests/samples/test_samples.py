"""Files of drawn images: what is written can be read, and what is wrong is told in one sentence."""

import json

import numpy as np
import pytest
from matplotlib.image import imread

from baselines.gaussian import GaussianPixels
from tests.example_record import record
from workflow.common import files, provenance
from workflow.fit import methods
from workflow.samples import contact_sheets, draw_classes, sample_files

ABOUT = {
    "method": "gaussian", "title": "Mine", "point": "p", "dataset": "mnist", "seed": 0,
    "status": "ok", "reason": "", "published": "full",
}  # fmt: skip
SHAPE = (4, 4, 1)


def test_images_become_bytes_within_their_range():
    images = np.array([-0.2, 0, 0.4 / 255, 0.6 / 255, 0.5, 1, 7]).reshape(7, 1, 1, 1)
    assert sample_files.as_bytes(images, 7).ravel().tolist() == [0, 0, 0, 1, 128, 255, 255]
    with pytest.raises(ValueError, match=r"are \[7, 1, 1, 1\], not \[8, H, W, C\]"):
        sample_files.as_bytes(images, 8)
    images[3] = np.nan
    with pytest.raises(ValueError, match="1 of 7 images drawn hold values that are not finite"):
        sample_files.as_bytes(images, 7)


def test_bytes_and_floats_are_read_alike():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 4, 4, 1)
    unit = sample_files.as_unit(grey, SHAPE)
    assert unit.dtype == np.float32 and (unit.min(), unit.max()) == (0, 1)
    assert np.array_equal(unit, sample_files.as_unit(unit.astype("float64"), SHAPE))
    assert np.array_equal(sample_files.as_bytes(unit, 16), grey)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 5, 1), "uint8"), r"\[2, 4, 5, 1\], but must be \[n, 4, 4, 1\]"),
        (np.zeros((0, 4, 4, 1), "uint8"), "with n from 1"),
        (np.zeros((4, 4, 1)), r"\[4, 4, 1\]"),
        (np.zeros((2, 4, 4, 1), "int64"), "are int64, but must be uint8 or float"),
        (np.full((2, 4, 4, 1), np.nan), "32 values are not finite"),
        (np.full((2, 4, 4, 1), 255.0), r"from 255 to 255, but must be in \[0, 1\]"),
        (np.full((2, 4, 4, 1), -0.5), "from -0.5"),
    ],
)
def test_unfit_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        sample_files.as_unit(images, SHAPE)


@pytest.mark.parametrize("key", ["full", "full/x", "/3", "full/-1", "full/1/2"])
def test_names_of_arrays_have_a_form(key):
    assert sample_files.treatment_and_class("mean/7") == ("mean", 7)
    with pytest.raises(ValueError, match="write '<treatment>/<class>'"):
        sample_files.treatment_and_class(key)


def test_files_are_checked(tmp_path):
    path = tmp_path / "samples.npz"
    sample_files.write(path, ABOUT, {"full/0": np.ones((2, *SHAPE), "uint8")})
    about, arrays = sample_files.read(path)
    assert about == ABOUT and arrays["full/0"].sum() == 32
    np.savez(path, about=np.array(json.dumps({"title": "Mine"})))
    with pytest.raises(ValueError, match=r"samples\.npz lacks method, point, dataset"):
        sample_files.read(path)
    for content in (b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="missing, damaged or no file of samples"):
            sample_files.read(path)
    np.savez(path, images=np.zeros(3))
    with pytest.raises(ValueError, match=r"no file of samples .*about"):
        sample_files.read(path)
    with pytest.raises(ValueError, match=r"none\.npz is missing"):
        sample_files.read(tmp_path / "none.npz")


def a_fit(folder, **changes):
    """The record of a fit of each class."""
    base = record(method="gaussian", grid_point="default", settings={}, classes="each") | changes
    files.write_json(folder / "fit.json", base)


def step(folder, images=30):
    """Draw, and read what was written."""
    names = {"fit": "fit.json", "model": "model", "out": "samples.npz"}
    words = [word for key, name in names.items() for word in (f"--{key}", str(folder / name))]
    draw_classes.main([*words, "--images", str(images)])
    return sample_files.read(folder / "samples.npz")


def test_each_class_is_drawn_from_its_own_model(tmp_path):
    a_fit(tmp_path)
    generator = np.random.default_rng(0)
    for label in (0, 2):
        model = GaussianPixels(minimum_variance=1e-4, input_shape=SHAPE)
        model.fit(0.3 + 0.2 * label + 0.05 * generator.standard_normal((50, *SHAPE)))
        model.save(tmp_path / "model" / str(label))
    about, arrays = step(tmp_path)
    assert set(arrays) == {"full/0", "mean/0", "full/2", "mean/2"}
    assert {images.shape for images in arrays.values()} == {(30, *SHAPE)}
    for label in (0, 2):
        drawn = arrays[f"full/{label}"] / 255
        assert drawn.mean() == pytest.approx(0.3 + 0.2 * label, abs=0.01)
        assert drawn.std(0).mean() == pytest.approx(0.05, abs=0.01)
        assert (arrays[f"mean/{label}"] == arrays[f"mean/{label}"][0]).all()
    assert about["status"] == "ok" and about["parameter_count"] == 587412
    assert about["centroid_count"] is None
    drawing = about["drawing"]
    assert drawing["images"] == 30 and drawing["host"] == provenance.host()["id"]
    assert set(drawing["seconds"]) == {"full", "mean"} and min(drawing["seconds"].values()) > 0
    again = step(tmp_path)[1]
    assert all(np.array_equal(arrays[key], again[key]) for key in arrays)

    sheet = tmp_path / "samples.png"
    contact_sheets.main(["--samples", str(tmp_path / "samples.npz"), "--out", str(sheet)])
    assert imread(sheet).ndim == 3


class Fake:
    """A DCGMM that says how it was asked."""

    def __init__(self, label, broken=False):
        self.label, self.broken, self.asked = label, broken, []

    def sample(self, n, *, seed, **how):
        self.asked.append((seed, how))
        images = np.full((n, *SHAPE), 0.5)
        images[0] = np.nan if self.broken and self.label == 1 else 0.5
        return images

    def count_parameters(self, convention):
        return {"centroids": 7}[convention]


def with_models(folder, monkeypatch, layers="F(4,1)-G(4)", **more):
    """Folders of three classes whose models are fakes."""
    models = {}
    for label in range(3):
        (folder / "model" / str(label)).mkdir(parents=True)
        models[str(label)] = Fake(label, **more)
    monkeypatch.setattr(methods, "load", lambda fit, place: models[place.name])
    settings = {"instance": "E", "recipe": "paper", "layers": layers}
    a_fit(folder, method="dcgmm", settings=settings)
    return models


def test_dcgmm_is_drawn_in_three_treatments_by_a_seed_a_class(tmp_path, monkeypatch):
    models = with_models(tmp_path, monkeypatch)
    about, arrays = step(tmp_path)
    assert (about["published"], about["centroid_count"]) == ("recipe", 7)
    assert (about["title"], about["variant"]) == ("DCGMM-E", "paper")
    assert len(arrays) == 9
    for label, model in enumerate(models.values()):
        times = 2 if label == 0 else 1  # the first class is drawn again, and timed
        assert [how["noise"] for _, how in model.asked[::times]] == [True, 1.0, False]
        assert len(model.asked) == 3 * times
        assert type(model.asked[times][1]["noise"]) is float, "True would be the recipe's fraction"
        assert len({seed for seed, _ in model.asked}) == 1
    assert len({model.asked[0][0] for model in models.values()}) == 3


def test_an_instance_that_pools_is_sharpened_too(tmp_path, monkeypatch):
    models = with_models(tmp_path, monkeypatch, layers="F(2,1)-G(4)-P(2,2)-F(2,1)-G(4)")
    about, arrays = step(tmp_path)
    assert len(arrays) == 4 * 3 and "sharpened" in about["drawing"]["seconds"]
    seeds, hows = zip(*models["1"].asked, strict=True)
    assert hows[-1] == {"sharpen": True}, "with the recipe's noise"
    assert len(set(seeds)) == 1, "the same samples as unsharpened"


def test_what_cannot_be_drawn_is_a_file_with_the_reason(tmp_path, monkeypatch):
    with_models(tmp_path, monkeypatch, broken=True)
    about, arrays = step(tmp_path)
    assert about["status"] == "failed" and not arrays
    assert "1 of 30 images drawn hold values that are not finite" in about["reason"]

    a_fit(tmp_path, status="diverged", reason="the loss is nan")
    about, arrays = step(tmp_path)
    assert (about["status"], about["reason"], arrays) == ("diverged", "the loss is nan", {})
    sheet = tmp_path / "samples.png"
    contact_sheets.main(["--samples", str(tmp_path / "samples.npz"), "--out", str(sheet)])
    assert sheet.stat().st_size > 100


def test_a_fit_without_models_has_no_images(tmp_path):
    a_fit(tmp_path)
    about, arrays = step(tmp_path)
    assert about["status"] == "failed" and "holds no model of any class" in about["reason"]
    assert not arrays
