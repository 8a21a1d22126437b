"""Detection by the score bank, against scikit-learn on the same scores."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.outliers import bank
from workflow.common import frames
from workflow.data import tasks
from workflow.outliers import check_score_bank, detection, score_bank


@pytest.fixture
def made(tmp_path):
    return bank.written(tmp_path / "scores")


@pytest.fixture
def table(made):
    return detection.detection(made.folder, tasks.of_run({"kmnist": {}}).values())


def rows(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table.set_index("measure")


def sides(made, entry, name, classes=None):
    """Scores of inliers and of a set's outliers, of the top layer."""
    labels = made.images.labels
    outlier = np.isin(labels[name], classes) if classes else np.ones(len(labels[name]), bool)
    own = entry.scores["test", "all", "6"][:, labels["test"] != 0]
    return own, entry.scores[name, "all", "6"][:, outlier]


@pytest.mark.parametrize(
    ("task", "name", "classes"),
    [("outliers", "test", [0]), ("inverted", "inverted", [*range(1, 10)]),
     ("white", "constant", [255]), ("fashion_mnist", "fashion_mnist", None),
     ("glyphs", "glyphs", None)],
)  # fmt: skip
def test_measures_are_those_of_scikit_learn_over_seeds(made, table, task, name, classes):
    inliers, outliers = sides(made, made.deep, name, classes)
    truth = np.repeat([1, 0], [inliers.shape[1], outliers.shape[1]])
    scores = np.concatenate([inliers, outliers], axis=1)
    of = rows(table, task=task, grid_point="E-paper", score="score")
    for measure, function, sign in (
        ("auroc", roc_auc_score, 1),
        ("aupr_in", average_precision_score, 1),
        ("aupr_out", lambda y, s: average_precision_score(1 - y, s), -1),
    ):
        values = [100 * function(truth, sign * of_seed) for of_seed in scores]
        assert of.loc[measure, "mean"] == pytest.approx(np.mean(values))
        assert of.loc[measure, "std"] == pytest.approx(np.std(values, ddof=1))
    assert (of["n"] == 3).all()
    assert (of[["inliers", "outliers"]] == [inliers.shape[1], outliers.shape[1]]).all(axis=None)


def test_a_failed_seed_is_left_out_and_said(table):
    of = rows(table, task="inverted", grid_point="A-paper", score="score")
    assert (of["n"] == 2).all()
    assert (of["seeds"] == 3).all()
    assert (of["reasons"] == "seed 1: diverged: the loss is not finite").all()


def test_a_missing_set_is_a_row_with_its_reason(table):
    of = rows(table, task="kmnist", grid_point="E-paper", score="score")
    assert (of["n"] == 0).all()
    assert of["mean"].isna().all()
    assert (of["reasons"] == bank.MISSING).all()


def test_corrections_are_of_whole_images_and_complexity_of_densities_alone(made, table):
    assert {*table[table["grid_point"] == "E-paper"]["score"]} == {"score", "typicality"}
    of = rows(table, task="inverted", grid_point="A-paper", score="complexity")
    inliers, outliers = sides(made, made.flat, "inverted", [*range(1, 10)])
    labels, bits = made.images.labels, made.images.compressed_bits
    own = inliers[0] / math.log(2) + bits["test"][labels["test"] != 0]
    other = outliers[0] / math.log(2) + bits["inverted"][labels["inverted"] != 0]
    first = 100 * roc_auc_score([1] * len(own) + [0] * len(other), [*own, *other])
    one = made.flat
    score_bank.write(made.folder, [], [score_bank.Entry(one.metadata | {"reasons": {}}, (0,),
        {key: values[:1] for key, values in one.scores.items()})])  # fmt: skip
    alone = detection.detection(made.folder, tasks.of_run({}).values())
    of = rows(alone, task="inverted", grid_point="A-paper", score="complexity")
    assert of.loc["auroc", "mean"] == pytest.approx(first)


def test_the_control_needs_no_model(made, table):
    of = rows(table, task="glyphs", method="compressed_size")
    own = -made.images.compressed_bits["test"][made.images.labels["test"] != 0]
    other = -made.images.compressed_bits["glyphs"]
    truth = [1] * len(own) + [0] * len(other)
    assert of.loc["auroc", "mean"] == pytest.approx(100 * roc_auc_score(truth, [*own, *other]))
    assert (of["seeds"] == 1).all()


def test_the_interval_of_the_mean_is_narrower_than_that_of_a_seed(made, table):
    of = rows(table, task="inverted", grid_point="E-paper", score="score").loc["auroc"]
    from workflow.outliers import delong

    singles = [
        100 * np.subtract(*delong.interval(*both)[::-1])
        for both in zip(*sides(made, made.deep, "inverted", [*range(1, 10)]), strict=True)
    ]
    assert 0 < of["test_high"] - of["test_low"] < max(singles)


def test_infinite_scores_rank_and_have_no_thresholds(made):
    scores = {key: values.copy() for key, values in made.deep.scores.items()}
    scores["inverted", "all", "6"][:] = -np.inf
    score_bank.write(
        made.folder, [], [score_bank.Entry(made.deep.metadata, made.deep.seeds, scores)]
    )
    table = detection.detection(made.folder, tasks.of_run({}).values())
    of = rows(table, task="inverted", grid_point="E-paper", score="score")
    assert of.loc["auroc", "mean"] == 100
    assert of.loc["auc100", "n"] == 0
    assert "infinite" in of.loc["auc100", "reasons"]


def test_readers_get_a_section_for_each_shown_measure_with_reasons_below(made, tmp_path):
    words = ["--bank", str(made.folder), "--tasks", '{"kmnist": {}}', "--run", "r"]
    detection.main([*words, "--out", str(tmp_path / "tables")])
    text = (tmp_path / "tables/detection.md").read_text()
    assert text.count("# Detection, MNIST: ") == 2
    assert f"- no result, KMNIST: {bank.MISSING}" in text
    assert "size as PNG" in text
    assert len(frames.read_csv(tmp_path / "tables/detection.csv", frames.TABLES["detection"]))


# The check of published numbers.


def tidy_records(made, change=0.0):
    """Tidy records of both models, as their fits would have them."""
    from workflow.fit import tidy

    lines = []
    for one in (made.deep, made.flat):
        for fit, measures in check_score_bank.recomputed(one, made.images):
            for (evidence, layer, metric), value in measures.items():
                lines.append(
                    dict(zip(check_score_bank.FIT, fit, strict=True))
                    | {"task": "outliers", "metric": metric, "evidence": evidence, "layer": layer}
                    | {"value": value + change, "train_images": 1, "validation_images": 0}
                )
    return pd.DataFrame(lines).reindex(columns=tidy.COLUMNS)


@pytest.mark.parametrize("damage", ["nothing", "record", "table", "bank"])
def test_published_numbers_come_out_of_the_bank_alone(made, tmp_path, damage, capsys):
    words = ["--bank", str(made.folder), "--run", "r", "--tasks", "{}", "--out", str(tmp_path)]
    detection.main(words)
    records = tidy_records(made, 1e-3 if damage == "record" else 0)
    frames.write_csv(tmp_path / "records.csv", records)
    table = tmp_path / "detection.csv"
    if damage == "table":
        cells = frames.read_csv(table, frames.TABLES["detection"])
        cells.loc[cells.index[5], "mean"] += 0.01
        frames.write_csv(table, cells)
    if damage == "bank":
        scores = {key: -values for key, values in made.deep.scores.items()}
        changed = score_bank.Entry(made.deep.metadata, made.deep.seeds, scores)
        score_bank.write(made.folder, [], [changed])
    words = ["--bank", str(made.folder), "--records", str(tmp_path / "records.csv")]
    if damage == "nothing":
        check_score_bank.main([*words, "--detection", str(table)])
        assert " 20 measures of records and " in capsys.readouterr().out
    else:
        expected = {"table": r"detection\.csv: mean of mnist/not0"}.get(damage, "in the record, by")
        with pytest.raises(SystemExit, match=expected):
            check_score_bank.main([*words, "--detection", str(table)])
