"""Figures of what DCGMM draws, and Table IV: the right pictures and numbers in the right places."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dcgmm import notation, recipes
from tests.example_record import point
from workflow.common import files, npz, panels, tables
from workflow.data import datasets
from workflow.fit import tidy
from workflow.pictures import (
    draw_images,
    figure5,
    figure6,
    figure7,
    figure8,
    semantics,
)
from workflow.training import diagrams, table4

ABOUT = {
    "title": "DCGMM-C", "point": "C-paper", "dataset": "mnist", "classes": "all", "seed": 0,
    "status": "ok", "published": "recipe",
}  # fmt: skip
NO_FIT = ABOUT | {"status": "failed"}


def saved(path, about=ABOUT, kind="samples", **arrays):
    arrays = {f"{kind}/{name}": values for name, values in arrays.items()}
    npz.write(path, {"drawn by": {kind: about}}, arrays, compressed=True)
    return str(path)


def greys(n, shape=(3, 2, 1)):
    """Images as bright as their index over n."""
    return np.arange(n, dtype="float32")[:, None, None, None] / n * np.ones(shape, "float32")


def test_tiles_stand_in_rows_with_white_between():
    sheet = panels.tile(greys(5), 3)
    assert sheet.shape == (2 * 4 - 1, 3 * 3 - 1)
    assert sheet[0, ::3].tolist() == pytest.approx([0, 0.2, 0.4])
    assert sheet[4, ::3].tolist() == pytest.approx([0.6, 0.8, 1.0]), "what is missing is white"
    assert (sheet[3] == 1).all() and (sheet[:, 2] == 1).all()
    assert panels.tile(greys(2, (3, 2, 3)), 2).shape == (3, 5, 3)


class Model:
    """Draws grey images, lighter when sharpened or integrated out."""

    def sample(self, n, *, seed, start):
        assert start == "cycle"
        return np.full((n, 4, 4, 1), 0.25, "float32")

    def sample_and_likelihoods(self, n, *, seed, start, sharpen):
        assert sharpen is True
        likelihoods = {4: (np.full(n, -3.0), np.full(n, -1.0))}
        return np.full((n, 4, 4, 1), 0.5, "float32"), likelihoods

    def inpaint(self, images, known, *, method, seed):
        return np.where(known, images, {"black": 0.5, "marginal": 1.0}[method])


def test_figure5_shows_both_series_and_the_likelihoods(tmp_path):
    arrays = draw_images.sharpening(Model(), None, {"seed": 0})
    drawn = saved(tmp_path / "c.npz", kind="sharpening", **arrays)
    again = saved(tmp_path / "c1.npz", ABOUT | {"seed": 1}, "sharpening", **arrays)
    failed = saved(tmp_path / "d.npz", NO_FIT, "sharpening")
    out = ["--name", "figure9", "--out", str(tmp_path)]
    figure5.main(["--draws", drawn, again, failed, *out])
    row, other = pd.read_csv(tmp_path / "figure9.csv").to_dict("records")
    assert (row["folding_layer"], row["before"], row["after"], row["improved"]) == (4, -3, -1, 1)
    assert row["images"] == draw_images.SHARPENED and (row["seed"], other["seed"]) == (0, 1)
    assert (tmp_path / "figure9.svg").read_text("utf-8").count("<image") == 2, "the first seed's"
    assert (tmp_path / "figure9.png").stat().st_size > 100


def test_figure8_measures_the_erased_half_alone(tmp_path):
    images = np.ones((4, 4, 4, 1), "float32")
    arrays = draw_images.filled(Model(), images, mean=np.full((4, 4, 1), 0.75), seed=0)
    assert (arrays["black"][:, :, :2] == 1).all()
    drawn = saved(tmp_path / "a.npz", kind="inpainting", **arrays)
    failed = saved(tmp_path / "f.npz", NO_FIT, "inpainting")
    judged = [("original", 1.0), ("black", 0.5), ("erased", 0.25)]
    about = {"point": "C-paper", "classes": "all", "seed": 0}
    rows = [about | {"filled": filled, "accuracy": accuracy} for filled, accuracy in judged]
    files.write_json(tmp_path / "judged.json", rows)
    out = ["--name", "figure8", "--accuracy", str(tmp_path / "judged.json"), "--out", str(tmp_path)]
    brighter = saved(tmp_path / "a1.npz", ABOUT | {"seed": 1}, "inpainting", **arrays)
    figure8.main(["--draws", drawn, brighter, failed, *out])
    table = pd.read_csv(tmp_path / "figure8.csv")
    assert table["seed"].value_counts().to_dict() == {0: 4, 1: 4}
    assert table.loc[table["seed"] == 1, "accuracy"].isna().all(), "the judge saw the first alone"
    table = table[table["seed"] == 0].set_index("filled")
    expected = {"black": 0.25, "marginal": 0.0, "erased": 1.0, "mean": 0.0625}
    assert table["mse"].to_dict() == pytest.approx(expected)
    assert (table["standard_error"] == 0).all()
    assert table["accuracy"].dropna().to_dict() == {"black": 0.5, "erased": 0.25}
    assert (table["accuracy_whole"] == 1).all()
    assert (tmp_path / "figure8.svg").stat().st_size > 100


def test_figure12_shows_a_fit_that_failed(tmp_path):
    drawn = saved(tmp_path / "a.npz", sample=greys(100, (4, 4, 1)))
    failed = saved(tmp_path / "f.npz", NO_FIT)
    figure6.main(["--draws", drawn, failed, "--name", "figure12", "--out", str(tmp_path)])
    assert "failed" in (tmp_path / "figure12.svg").read_text("utf-8")


@pytest.fixture(scope="module")
def coloured(tmp_path_factory):
    """Figure 7 of two classes: by a VAE, by A, which failed for one, and by B, of one alone."""
    tmp_path = tmp_path_factory.mktemp("coloured")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 4, 4, 3), dtype=np.uint8)
    labels = np.arange(20) % 2
    dataset = datasets.Dataset("colour_digits", "subset", pixels, labels, pixels, labels, {})
    dataset.save(tmp_path / "data.npz")
    about = ABOUT | {"dataset": "colour_digits", "classes": "only1", "point": "x"}
    images = greys(50, (4, 4, 3)) * np.array([1, 0.5, 0], "float32")
    vae = about | {"title": "VAE", "classes": "all"}
    saved(tmp_path / "vae.npz", vae, sample=images, sample_mean=images / 2)
    saved(tmp_path / "a1.npz", about | {"title": "A"}, sample=images)
    saved(tmp_path / "a0.npz", about | {"title": "A", "classes": "only0", "status": "diverged"})
    kind = "sharpening"
    saved(tmp_path / "b1.npz", about | {"title": "B"}, kind, plain=images, sharpened=images * 0)
    second = about | {"title": "B", "seed": 1}
    saved(tmp_path / "b2.npz", second, kind, plain=images / 3, sharpened=images)
    figure7.main([
        "--data", f"{tmp_path}/data.npz", "--means", f"{tmp_path}/vae.npz",
        "--draws", f"{tmp_path}/a1.npz", f"{tmp_path}/a0.npz",
        "--sharpened", f"{tmp_path}/b1.npz", f"{tmp_path}/b2.npz",
        "--name", "figure7", "--out", str(tmp_path),
    ])  # fmt: skip
    return tmp_path, pixels, labels, images


def test_figure7_measures_diversity_as_the_mean_over_pairs(coloured):
    folder, pixels, labels, images = coloured

    def over_pairs(values):
        values = values.reshape(len(values), -1).astype(float)
        squares = ((values[:, None] - values) ** 2).mean(axis=2)
        return squares.sum() / (len(values) * (len(values) - 1))

    table = pd.read_csv(folder / "figure7.csv")
    second = table[table["seed"] == 1].set_index("kind")["squared_distance"]
    assert second.to_dict() == pytest.approx(
        {"plain": over_pairs(images) / 9, "sharpened": over_pairs(images)}, abs=1e-6
    )
    table = table[table["seed"] != 1].set_index(["shown", "classes"])
    expected = {
        ("colour_digits (of MNIST, not SVHN) training images", "only1"):
            over_pairs(pixels[labels == 1] / 255),
        ("colour_digits (of MNIST, not SVHN) training images", "only0"):
            over_pairs(pixels[labels == 0] / 255),
        ("VAE (x, trained on all classes)", "all"): over_pairs(images) / 4,
        ("A (x)", "only1"): over_pairs(images),
        ("A (x)", "only0"): np.nan,
        ("B (x), not sharpened", "only1"): over_pairs(images),
        ("B (x), sharpened", "only1"): 0.0,
    }  # fmt: skip
    distances = table["squared_distance"].to_dict()
    assert distances == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert table["images"].tolist() == [10, 10, 50, 50, 0, 50, 50]


def test_figure7_shows_each_class_in_colour_and_what_failed(coloured):
    folder, *_ = coloured
    picture = (folder / "figure7.svg").read_text("utf-8")
    for words in (
        "class 0",
        "class 1",
        "VAE",
        "not SVHN",
        "B",
        ", sharpened",
        "diverged",
        "no fit",
    ):
        assert words in picture
    shown = plt.imread(folder / "figure7.png")[..., :3]
    coloured_pixels = np.ptp(shown, axis=2) > 0.3
    assert coloured_pixels.mean() > 0.05


@pytest.mark.parametrize("name", [*recipes.instance_names(), *recipes.classifier_names()])
def test_a_diagram_names_every_layer_and_shape(tmp_path, name):
    diagrams.main(["--instances", name, "--out", str(tmp_path)])
    picture = (tmp_path / f"diagram_{name}.svg").read_text("utf-8")
    layers = recipes.instance(name).layers
    for layer, (rows, columns, channels) in zip(
        layers, notation.shapes(layers, (28, 28, 1)), strict=True
    ):
        assert f">{layer}<" in picture
        assert f">{rows}x{columns}<" in picture and f">x{channels}<" in picture


def tiles(monkeypatch, step):
    """The first image of every picture that a step shows, in order."""
    shown = []
    monkeypatch.setattr(step.panels, "tile", lambda x, _: shown.append(float(x[0].mean())) or x[0])
    return shown


def test_samples_have_the_noise_of_each_release(tmp_path, monkeypatch):
    """DCGMM's recipe and full noise stand under one key, pixels' means under another."""
    arrays = {"sample": greys(9) + 0.5, "sample_mean": greys(9)}
    paths = [
        saved(tmp_path / f"{published}.npz", ABOUT | {"published": published}, **arrays)
        for published in ("recipe", "full", "mean")
    ]
    shown = tiles(monkeypatch, figure6)
    figure6.main(["--draws", *paths, "--name", "figure6", "--out", str(tmp_path)])
    assert shown == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("other", "expected"), [("released", [0.25, 0.75]), ("clean", [0.75, 0.25])]
)
def test_semantics_stand_in_their_rows_whichever_is_the_recipe_s(
    tmp_path, monkeypatch, other, expected
):
    arrays = {"sample": greys(30) * 0 + 0.25, f"sample_{other}": greys(30) * 0 + 0.75}
    paths = [saved(tmp_path / "d.npz", **arrays), saved(tmp_path / "failed.npz", NO_FIT)]
    shown = tiles(monkeypatch, semantics)
    semantics.main(["--draws", *paths, "--out", str(tmp_path)])
    assert shown == expected
    assert (tmp_path / "semantics.png").exists()


def classified(value, recipe="paper", seed=0, **more):
    """A record of Table IV."""
    metric = {"metric": "accuracy", "evidence": "all", "layer": "top", "top": True}
    base = point("B-class", recipe=recipe, seed=seed, classes="all", task="classification")
    base["settings"]["hyperparameters"] |= {"classifier": {"inputs": [2, 4]}}
    return base | {"metrics": [metric | {"value": value}]} | more


def test_table4_has_deeper_instances_without_a_number_of_the_papers(tmp_path):
    deep = classified(0.9)
    deep["settings"] = deep["settings"] | {"instance": "E-class"}
    tables.write_csv(tmp_path / "records.csv", tidy.table([classified(0.97), deep]))
    words = ["--records", str(tmp_path / "records.csv"), "--paper", "results/reference/paper.csv"]
    table4.main([*words, "--run", "demo", "--out", str(tmp_path)])
    table = pd.read_csv(tmp_path / "table4.csv").set_index("title")
    assert table["mean"].to_dict() == pytest.approx({"DCGMM-B": 97, "DCGMM-E": 90})
    assert table["best"].to_dict() == {"DCGMM-B": True, "DCGMM-E": False}
    assert table["difference"].isna().to_dict() == {"DCGMM-B": False, "DCGMM-E": True}


def test_table4_stands_beside_the_paper_and_the_literature(tmp_path):
    failed = {"status": "failed", "reason": "no", "metrics": []}
    fits = [classified(0.97), classified(0.99, seed=1), classified(0, "released", **failed)]
    tables.write_csv(tmp_path / "records.csv", tidy.table(fits))
    values = {
        "records": tmp_path / "records.csv", "paper": "results/reference/paper.csv",
        "run": "demo", "out": tmp_path,
    }  # fmt: skip
    table4.main([word for key, value in values.items() for word in (f"--{key}", str(value))])
    table = pd.read_csv(tmp_path / "table4.csv").set_index("recipe")
    assert table.loc["paper", ["mean", "difference"]].tolist() == pytest.approx([98.0, 0.0])
    assert table.loc["paper", "inputs"] == "L2, L4"
    assert (table.loc["released", "n"], table.loc["released", "failed"]) == (0, 1)
    page = (tmp_path / "table4.md").read_text("utf-8")
    assert "**98.0 ± 1.4**" in page and "| 98.66 " in page and "- DCGMM-B (released): no" in page
    assert r"\textbf{98.0 $\pm$ 1.4}" in (tmp_path / "table4.tex").read_text("utf-8")
