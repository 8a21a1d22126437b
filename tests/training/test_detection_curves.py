"""Training curves of detection: numbers of hand-made curves; failed seeds are shown."""

import numpy as np
import pytest

from tests import example_record
from workflow.common import files, frames, npz
from workflow.fit import curves
from workflow.training import detection_curves

PAPER = "results/reference/paper.csv"
LABELS = np.repeat(np.arange(10), 3)  # of the test images
IMAGES = curves.sample(LABELS, "not0", 3)
RADII = [[1.8, 2.5], [0.6, 1.2], [0.01, 0.3]]


def scores(separated=(0, 2, 3)):
    """Of three measurements, two layers and six images; how many outliers the top layer tells."""
    result = np.zeros((3, 2, 6), np.float32)
    result[:, 0, 3:] = 1  # the lower layer takes outliers for inliers
    for of_layers, count in zip(result, separated, strict=True):
        of_layers[1, 3:] = [-1] * count + [1] * (3 - count)
    return result


def fit(path, *, seed=0, instance="B", status="ok", of_layers=None, dataset="mnist"):
    """A folder of a fit with its curve."""
    record = example_record.fit_of(example_record.point(instance, dataset, seed=seed))
    record |= {"status": status, "reason": "" if status == "ok" else "the loss is nan"}
    record["history"] = {"layers": [2, 4], "val_step": [9, 18, 27], "val_radius": RADII}
    of_layers = scores() if of_layers is None else of_layers
    if status != "ok":
        record["history"], of_layers = {}, curves.NO_SCORES
    folder = path / f"fit/dcgmm/{instance}-paper/{dataset}/not0/seed{seed}"
    files.write_json(folder / "fit.json", record)
    curves.write(folder / "curve.npz", record, of_layers, LABELS, IMAGES)
    return folder


def made(path, *folders):
    """The table of the step, which has run."""
    words = ["--fits", *map(str, folders), "--paper", PAPER, "--out", str(path)]
    detection_curves.main(words)
    return frames.read_table(path / "detection_curves.csv")


def test_images_are_evenly_spaced_of_either_kind():
    labels = np.array([0, 1, 2, 1, 0, 2, 1, 1, 0, 2, 2, 1])
    assert curves.sample(labels, "not0", 3).tolist() == [1, 5, 9, 0, 4, 8]
    assert curves.sample(labels, "not0", 2).tolist() == [1, 6, 0, 4]
    assert sorted(curves.sample(labels, "not0", 99)) == list(range(12))


def test_a_curve_is_what_was_written_and_no_other(tmp_path):
    path = fit(tmp_path) / "curve.npz"
    curve = curves.read(path)
    assert curve.step.tolist() == [9, 18, 27]
    np.testing.assert_array_equal(curve.radius, np.array(RADII, np.float32))
    np.testing.assert_array_equal(curve.scores, scores())
    assert curve.images.tolist() == [3, 12, 21, 0, 1, 2]
    assert curve.labels.tolist() == [1, 4, 7, 0, 0, 0]
    metadata, arrays = npz.read(path)
    npz.write(path, metadata, arrays | {"labels": curve.labels[1:]})
    with pytest.raises(
        ValueError, match=r"curve\.npz is damaged \(its scores are \(3, 2, 6\), not"
    ):
        curves.read(path)
    del arrays["step"]
    npz.write(path, metadata, arrays)
    with pytest.raises(ValueError, match=r"curve\.npz is damaged \(.*step"):
        curves.read(path)


def test_every_layer_and_measurement_is_a_row(tmp_path):
    table = made(tmp_path, fit(tmp_path), fit(tmp_path, seed=1, of_layers=scores((1, 3, 3))))
    assert len(table) == 2 * 3 * 2
    first = table[table["seed"] == 0].set_index(["layer", "step"])
    assert first.loc[4, "auroc"].tolist() == pytest.approx([0, 200 / 3, 100], rel=1e-5)
    assert first.loc[2, "auroc"].tolist() == [0, 0, 0]
    assert first.loc[4, "radius"].tolist() == [2.5, 1.2, 0.3]
    assert first.loc[4, "epoch"].tolist() == [1, 2, 3]
    assert first.loc[4, "top"].all() and not first.loc[2, "top"].any()
    assert set(table["paper"]) == {93.3}
    for suffix in ("svg", "png"):
        assert (tmp_path / f"detection_curves_mnist.{suffix}").stat().st_size > 1000


def test_the_top_layer_is_strong_and_its_seeds_are_thin(tmp_path):
    table = made(tmp_path, fit(tmp_path), fit(tmp_path, seed=1))
    above, below = detection_curves.draw(table).axes
    assert above.get_title() == "B (paper), MNIST"
    names = [text.get_text() for text in below.get_legend().get_texts()]
    assert names == ["paper, 100 thresholds", "L4 (top)", "L2"]
    paper, top, *seeds, lower = above.get_lines()
    assert set(paper.get_ydata()) == {93.3}
    assert top.get_linewidth() > lower.get_linewidth() > seeds[0].get_linewidth()
    assert (len(seeds), top.get_linestyle(), lower.get_linestyle()) == (2, "-", "--")
    radii = [line.get_ydata().tolist() for line in below.get_lines()]
    assert radii == [[2.5, 1.2, 0.3], [1.8, 0.6, 0.01]]


def test_failed_seeds_are_rows_and_in_the_legend(tmp_path):
    table = made(tmp_path, fit(tmp_path), fit(tmp_path, seed=1, status="diverged"))
    lost = table[table["seed"] == 1]
    assert (lost["status"].tolist(), lost["auroc"].isna().all()) == (["diverged"], True)
    assert ">seed 1: diverged<" in (tmp_path / "detection_curves_mnist.svg").read_text("utf-8")
    table = made(tmp_path, fit(tmp_path, seed=1, status="diverged"))
    assert ">no result<" in (tmp_path / "detection_curves_mnist.svg").read_text("utf-8")
    assert len(table) == 1


def test_scores_that_are_not_finite_are_a_gap(tmp_path):
    wrong = scores()
    wrong[0, 1, 2] = -np.inf
    table = made(tmp_path, fit(tmp_path, of_layers=wrong))
    assert table["auroc"].isna().sum() == 1


def test_every_dataset_has_a_figure_and_every_instance_a_pair_of_panels(tmp_path):
    folders = [fit(tmp_path, instance=name) for name in "ABCDE"]
    folders.append(fit(tmp_path, dataset="fashion_mnist"))
    table = made(tmp_path, *folders)
    assert (tmp_path / "detection_curves_fashion_mnist.png").exists()
    figure = detection_curves.draw(table[table["dataset"] == "mnist"])
    shown = [axis.get_title() for axis in figure.axes if axis.axison and axis.get_title()]
    assert shown == [f"{name} (paper), MNIST" for name in "ABCDE"]
