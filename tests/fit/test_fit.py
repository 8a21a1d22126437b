"""The step that fits: which images a method gets, and that whatever goes wrong is a record."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from workflow.common import files
from workflow.data.datasets import Dataset
from workflow.fit import curves, fit, fit_classes, fitting, measurement, methods, records
from workflow.fit import scores as saved_scores
from workflow.outliers import measure_held_out
from workflow.pictures import competitors, draw_images, drawings
from workflow.training import measure_classification

PLAIN = {"holdout": False, "images": None, "sample_weight": None}
LABELS = np.array([0, 1, 2, 1, 0, 2, 1, 1, 0, 2, 2, 1])


def dataset():
    """Twelve training images of 4x4, each as bright as its index, and three test images."""
    x = np.arange(12, dtype=np.uint8)[:, None, None, None] * np.ones((4, 4, 1), np.uint8)
    y_test = np.array([0, 1, 2])
    return Dataset("toy", "full", x, LABELS, x[:3], y_test, {"file": 64 * "c"})


def indices(images):
    """Of images, whether bytes or pixels."""
    corner = images[:, 0, 0, 0]
    return (corner if corner.dtype == np.uint8 else np.rint(corner * 255).astype(int)).tolist()


def test_a_sixth_is_kept_aside_whatever_the_class():
    images = fitting.Images.choose(dataset(), "not0", PLAIN | {"holdout": True})
    assert indices(images.train) == [1, 2, 3, 5, 6, 7, 9]
    assert indices(images.validation) == [10, 11], "the last two of twelve"
    assert len(images.test) == 3
    assert images.sample_weight is None


def test_a_class_that_is_held_out_is_seen_among_those_kept_aside_alone():
    images = fitting.Images.choose(dataset(), "not0_1", PLAIN | {"holdout": True})
    assert set(images.labels) == {2}
    assert images.validation_labels.tolist() == [2, 1], "the last two, of which none is of class 0"
    assert images.held_out
    usual = fitting.Images.choose(dataset(), "not0", PLAIN | {"holdout": True})
    assert not usual.held_out and usual.validation_labels.tolist() == [2, 1]


def test_a_held_out_class_is_told_among_images_kept_aside(tmp_path, monkeypatch):
    training = PLAIN | {"holdout": True}
    run(tmp_path, monkeypatch, Fake(), training, classes=("not0_1",))
    measured = (tmp_path / "fit", "held_out", measure_held_out.measure)
    record = measurement.record(*measured)
    assert (record["task"], record["counts"]) == ("held_out", {"inliers": 1, "outliers": 1})
    exact = {m["evidence"]: m["value"] for m in record["metrics"] if m["metric"] == "auroc"}
    assert exact == {"all": 0, "bottom_half": 0, "top_half": 0}, (
        "image 11, of class 1, is the brighter one"
    )
    run(tmp_path, monkeypatch, Fake(), training)
    with pytest.raises(ValueError, match="not0, which hold out no class to choose by"):
        measurement.record(*measured)


def test_the_first_images_may_do_and_labels_may_weigh():
    training = PLAIN | {"images": 3, "sample_weight": "label"}
    images = fitting.Images.choose(dataset(), "not0", training)
    assert indices(images.train) == [1, 2, 3]
    assert images.sample_weight.tolist() == [1, 2, 1]
    assert len(images.validation) == 0


@dataclass
class Fake:
    """A method that does as it is told; its density is the brightness."""

    error: Exception | None = None
    capabilities = frozenset({"score", "marginals", "sample", "inpaint", "sample_weight"})
    estimated_memory = 2**31
    n_parameters = 1
    weights = None

    def fit(self, images, *, seed, progress, sample_weight=None):
        if self.error:
            raise self.error
        self.weights = sample_weight
        return {"log_likelihood": [np.float32(1.5), np.nan]}

    def score_samples(self, images, known=None):
        known = np.ones(images.shape[1:], bool) if known is None else known
        return (images * known).sum((1, 2, 3))

    def sample(self, n, *, seed=0, noise=True):
        return np.full((n, 4, 4, 1), 0.5 if noise else 0.25, "float32")

    def inpaint(self, images, known, *, seed=0, noise=True):
        return np.where(known, images, np.float32(1))

    def save(self, folder):
        folder.mkdir(exist_ok=True)  # a model replaces one


def run(tmp_path, monkeypatch, model, training=PLAIN, limits=None, step=fit, classes=("not0",)):
    """The step on the toy dataset; the record it writes."""
    monkeypatch.setattr(methods, "create", lambda *_: model)
    dataset().save(tmp_path / "data.npz")
    (tmp_path / "lock").write_text("")
    values = {
        "method": "ratspn", "grid-point": "K1", "settings": "{}", "training": json.dumps(training),
        "limits": json.dumps(limits or {}), "data": tmp_path / "data.npz", "seed": 0,
        "lock": tmp_path / "lock", "out": tmp_path / "fit",
    }  # fmt: skip
    words = [word for key, value in values.items() for word in (f"--{key}", str(value))]
    step.main([*words, "--classes", *classes])
    assert (tmp_path / "fit/model").is_dir()
    return files.read_json(tmp_path / "fit/fit.json")


def test_a_fit_is_scored_on_all_evidence(tmp_path, monkeypatch):
    model = Fake()
    training = PLAIN | {"holdout": True, "sample_weight": "label"}
    record = run(tmp_path, monkeypatch, model, training)
    assert (record["status"], record["estimate"]) == ("ok", {"memory_gb": 2.0})
    assert record["history"] == {"log_likelihood": [1.5, None]}
    assert record["dataset"].items() >= {"train_images": 7, "validation_images": 2}.items()
    assert model.weights.tolist() == [1, 2, 1, 2, 1, 1, 2]
    scores = saved_scores.read(tmp_path / "fit/scores.npz")
    assert scores.labels.tolist() == [0, 1, 2]
    whole, half = (scores.test[name]["top"] for name in ("all", "bottom_half"))
    assert whole == pytest.approx(2 * half)
    assert list(scores.validation) == ["all"]


@pytest.mark.parametrize(
    ("error", "limits", "status", "reason"),
    [
        (ValueError("two\nlines"), {}, "failed", "ValueError: two"),
        (ArithmeticError("nan"), {}, "diverged", "ArithmeticError: nan"),
        (None, {"memory_gb": 1.5}, "refused", "this fit needs about 2 GiB"),
    ],
)
def test_what_goes_wrong_is_a_record(tmp_path, monkeypatch, error, limits, status, reason):
    record = run(tmp_path, monkeypatch, Fake(error), limits=limits)
    assert record["status"] == status
    assert record["reason"].startswith(reason)
    assert record["estimate"] == {"memory_gb": 2.0}
    assert saved_scores.read(tmp_path / "fit/scores.npz").test == {}


class OfEach(Fake):
    """It remembers what it was fitted to, and fails for the class of the images 2, 5, 9, 10."""

    def __init__(self, fails=False):
        self.fitted, self.fails = [], fails

    def fit(self, images, *, seed, progress):
        self.fitted.append(indices(images))
        if self.fails and 2 in self.fitted[-1]:
            raise ArithmeticError("no")
        return {"loss": [len(images)]}

    def save(self, folder):
        folder.mkdir()
        (folder / "images").write_text(str(self.fitted[-1]))


def test_each_class_is_fitted_alone(tmp_path, monkeypatch):
    model = OfEach()
    record = run(tmp_path, monkeypatch, model, step=fit_classes, classes=("2", "0"))
    assert model.fitted == [[2, 5, 9, 10], [0, 4, 8]]
    saved = {path.parent.name: path.read_text() for path in tmp_path.glob("fit/model/*/images")}
    assert saved == {"2": "[2, 5, 9, 10]", "0": "[0, 4, 8]"}
    assert record["history"] == {"2": {"loss": [4]}, "0": {"loss": [3]}}
    assert (record["classes"], record["dataset"]["train_images"]) == ("each", 7)
    assert records.check(record)["status"] == "ok"


def test_a_class_that_fails_is_named(tmp_path, monkeypatch):
    record = run(tmp_path, monkeypatch, OfEach(True), step=fit_classes, classes=("0", "2"))
    assert records.check(record)["status"] == "diverged"
    assert record["reason"] == "class 2: ArithmeticError: no"


def drawn_from(tmp_path, monkeypatch, model, **limits):
    """The draws of a fit, as the figure reads them."""
    run(tmp_path, monkeypatch, model, limits=limits)
    monkeypatch.setattr(methods, "load", lambda *_: model)
    names = {"fit": "fit/fit.json", "model": "fit/model", "data": "data.npz", "out": "draws.npz"}
    words = [word for key, f in names.items() for word in (f"--{key}", str(tmp_path / f))]
    draw_images.main([*words, "--kinds", "samples"])
    return drawings.read(tmp_path / "draws.npz")


def test_draws_and_their_figure(tmp_path, monkeypatch):
    about, arrays = drawn_from(tmp_path, monkeypatch, Fake())
    expected = {"title": "RAT-SPN", "point": "K1", "dataset": "toy", "classes": "not0"}
    assert about == expected | {"status": "ok", "published": "full", "seed": 0}
    assert list(arrays) == list(competitors.KINDS)
    assert arrays["sample"].shape == (draw_images.SAMPLES, 4, 4, 1)
    assert indices(arrays["original"]) == [1, 2], "of the classes that were fitted"
    assert (arrays["inpaint"][:, :, :2] == arrays["original"][:, :, :2]).all()
    assert (arrays["inpaint"][:, :, 2:] == 1).all()
    (tmp_path / "other").mkdir()
    nothing = drawn_from(tmp_path / "other", monkeypatch, Fake(), memory_gb=1)
    assert (nothing[0]["status"], nothing[1]) == ("refused", {})
    paths = [str(tmp_path / "draws.npz"), str(tmp_path / "other/draws.npz")]
    competitors.main(["--draws", *paths, "--out", str(tmp_path)])
    assert (tmp_path / "competitors.png").stat().st_size > 100


class Classifying(Fake):
    """It has learnt the labels of the test images by heart, but for the last."""

    classifier = object()
    seen = None

    def fit(self, images, *, labels, seed, progress):
        self.seen = labels
        return {}

    def predict(self, images):
        return np.array([0, 1, 0])


def test_a_classifier_gets_labels_and_predicts(tmp_path, monkeypatch):
    model = Classifying()
    run(tmp_path, monkeypatch, model)
    assert model.seen.tolist() == [1, 2, 1, 2, 1, 1, 2, 2, 1]
    measure = measure_classification.measure
    record = measurement.record(tmp_path / "fit", "classification", measure)
    assert (record["task"], record["counts"]) == ("classification", {"images": 3})
    (metric,) = record["metrics"]
    assert (metric["metric"], metric["value"]) == ("accuracy", pytest.approx(2 / 3))


def of_seeds(tmp_path, monkeypatch, *flags, seeds=(3, 5), **more):
    """The step for several seeds on the toy dataset; their records."""
    monkeypatch.setattr(methods, "create", lambda *_: Fake())
    dataset().save(tmp_path / "data.npz")
    (tmp_path / "lock").write_text("")
    folders = [tmp_path / f"seed{seed}" for seed in seeds]
    values = {
        "method": ["dcgmm"], "grid-point": ["K1"], "settings": ["{}"], "classes": ["not0"],
        "training": [json.dumps(PLAIN)], "data": [tmp_path / "data.npz"], "seed": seeds,
        "lock": [tmp_path / "lock"], "out": folders,
    } | more  # fmt: skip
    words = [word for key, value in values.items() for word in (f"--{key}", *map(str, value))]
    fit.main([*words, *flags])
    return [records.check(files.read_json(folder / "fit.json")) for folder in folders]


class Measured(Fake):
    """It is measured as it trains: twice, under two layers, each image by its brightness."""

    def fit(self, images, *, seed, progress, validation, measurements, validation_scores):
        assert (measurements, validation_scores) == (2, True)
        scores = np.float32([indices(validation)] * 2)  # [layers, n]
        history = {"val_step": [3, 6], "val_radius": [[1, 2], [0.5, 1]], "val_loss": [[0, 0]] * 2}
        return {"loss": [[1.0]]} | history | {"val_score": [scores, scores]}


@pytest.mark.parametrize("together", [False, True])
def test_a_curve_is_of_a_sample_of_test_images(tmp_path, monkeypatch, together):
    curve = {"curve": [json.dumps({"measurements": 2, "images": 1})]}
    monkeypatch.setattr(
        methods, "fit",
        lambda name, models, images, seeds, more: [
            Measured().fit(images, seed=seed, progress=True, **more) for seed in seeds
        ],
    )  # fmt: skip
    for record in of_seeds(tmp_path, monkeypatch, *["--together"] * together, **curve):
        saved = curves.read(tmp_path / f"seed{record['seed']}/curve.npz")
        assert record["history"].keys() == {"loss", "val_step", "val_radius"}
        assert (saved.images.tolist(), saved.labels.tolist()) == ([1, 0], [1, 0])
        assert saved.scores.tolist() == [[[1, 0]] * 2] * 2
        assert (saved.step.tolist(), saved.radius[1].tolist()) == ([3, 6], [0.5, 1])


@pytest.mark.parametrize("error", [None, ArithmeticError("nan")])
def test_a_curve_without_measurements_is_empty(tmp_path, monkeypatch, error):
    run(tmp_path, monkeypatch, Fake(error))
    saved = curves.read(tmp_path / "fit/curve.npz")
    assert [len(values) for values in saved] == [0] * 5


def test_seeds_that_are_fitted_together_have_a_record_each(tmp_path, monkeypatch):
    history, diverged = {"loss": [[1.0]]}, ArithmeticError("the loss of layer 2 is nan")
    monkeypatch.setattr(methods, "fit", lambda *_: [history, diverged])
    first, second = of_seeds(tmp_path, monkeypatch, "--together")
    assert [(each["seed"], each["together"]) for each in (first, second)] == [(3, 2), (5, 2)]
    assert (first["status"], first["history"]) == ("ok", history)
    assert second["status"] == "diverged"
    assert second["reason"] == "ArithmeticError: the loss of layer 2 is nan"
    assert first["seconds"]["fit"] == second["seconds"]["fit"]
    assert (first["seconds"]["score"] is None, second["seconds"]["score"] is None) == (False, True)
    scores = [saved_scores.read(tmp_path / f"seed{seed}/scores.npz") for seed in (3, 5)]
    assert [bool(each.test) for each in scores] == [True, False]


def test_what_ends_the_fit_of_several_seeds_is_the_record_of_each(tmp_path, monkeypatch):
    ended = {"status": "timeout", "reason": "it ran longer", "cpu": 8.0, "memory_mb": 9.0}
    both = of_seeds(tmp_path, monkeypatch, ended=[json.dumps(ended)])
    assert [each["status"] for each in both] == ["timeout"] * 2
    assert [each["seconds"]["cpu"] for each in both] == [4.0] * 2


def test_seeds_are_fitted_in_turn_and_one_that_fails_stops_no_other(tmp_path, monkeypatch):
    asked = []

    def fitted(name, models, images, seeds, more):
        asked.append(seeds)
        if seeds == [3]:
            raise ArithmeticError("the loss of layer 2 is nan")
        return [{"loss": [[1.0]]}]

    monkeypatch.setattr(methods, "fit", fitted)
    first, second = of_seeds(tmp_path, monkeypatch)
    assert asked == [[3], [5]]
    assert [each["status"] for each in (first, second)] == ["diverged", "ok"]
    assert "together" not in first and "together" not in second
    assert 0 < second["seconds"]["cpu"] < first["seconds"]["cpu"], "the first has the start"


def test_seeds_that_are_done_keep_their_results_when_the_job_is_ended(tmp_path, monkeypatch):
    def fitted(name, models, images, seeds, more):
        if seeds == [5]:
            raise KeyboardInterrupt  # as good as a signal
        return [{"loss": [[1.0]]}]

    monkeypatch.setattr(methods, "fit", fitted)
    files.write_json(tmp_path / "seed5/fit.json", {"of": "an earlier fit"})
    with pytest.raises(KeyboardInterrupt):
        of_seeds(tmp_path, monkeypatch)
    ended = {"status": "timeout", "reason": "it ran longer", "cpu": 8.0, "memory_mb": 9.0}
    first, second = of_seeds(tmp_path, monkeypatch, ended=[json.dumps(ended)])
    assert (first["status"], second["status"]) == ("ok", "timeout")
    assert saved_scores.read(tmp_path / "seed3/scores.npz").test
    assert second["seconds"]["cpu"] == 8.0


def test_other_methods_are_not_fitted_side_by_side(tmp_path, monkeypatch):
    both = of_seeds(tmp_path, monkeypatch, "--together", method=["gmm"])
    assert {each["reason"] for each in both} == {
        "ValueError: gmm fits one seed at a time: give one"
    }


def test_every_seed_needs_a_folder(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="--seed has 1 values, --out 2"):
        of_seeds(tmp_path, monkeypatch, seed=[1])


@pytest.mark.parametrize("kind", draw_images.KINDS)
@pytest.mark.parametrize("trouble", [RuntimeError("no luck"), MemoryError("no room")])
def test_drawing_that_fails_is_a_file_that_says_so_unless_the_machine_is_to_blame(
    tmp_path, monkeypatch, kind, trouble
):
    run(tmp_path, monkeypatch, Fake())

    def fail(*_):
        raise trouble

    monkeypatch.setattr(methods, "load", fail)
    names = {"fit": "fit/fit.json", "model": "fit/model", "data": "data.npz", "out": "drawn.npz"}
    words = [word for key, f in names.items() for word in (f"--{key}", str(tmp_path / f))]
    words += ["--kinds", kind]
    if isinstance(trouble, MemoryError):
        with pytest.raises(SystemExit, match="no room; nothing is recorded"):
            draw_images.main(words)
        assert not (tmp_path / "drawn.npz").exists()
        return
    draw_images.main(words)
    about, arrays = drawings.read(tmp_path / "drawn.npz", kind)
    assert (about["status"], arrays) == ("failed", {})


@pytest.mark.parametrize("damage", ["of another seed", "deleted", "altered", "one more"])
def test_draws_are_of_the_model_that_the_fit_saved(tmp_path, monkeypatch, damage):
    def save(self, folder):
        folder.mkdir(exist_ok=True)
        (folder / "model.npz").write_bytes(str(folder.parent).encode())

    monkeypatch.setattr(Fake, "save", save)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, monkeypatch, Fake())
    monkeypatch.setattr(methods, "load", lambda *_: Fake())
    ours, theirs = (tmp_path / name / "fit/model/model.npz" for name in ("one", "other"))
    files_of = {"fit": "fit/fit.json", "model": "fit/model", "data": "data.npz", "out": "draws.npz"}
    words = [w for key, f in files_of.items() for w in (f"--{key}", str(tmp_path / "one" / f))]
    words += ["--kinds", "samples"]
    (ours.parent / ".snakemake_timestamp").touch()
    draw_images.main(words)
    if damage == "of another seed":
        ours.write_bytes(theirs.read_bytes())
    elif damage == "deleted":
        ours.unlink()
    elif damage == "one more":
        (ours.parent / "7").mkdir()
        (ours.parent / "7/model.npz").write_bytes(theirs.read_bytes())
    else:
        ours.write_bytes(ours.read_bytes() + b"!")
    says = "is missing" if damage == "deleted" else "is not the file that this fit saved"
    with pytest.raises(SystemExit, match=rf"model\.npz {says}: remove .*fit and run again"):
        draw_images.main(words)
