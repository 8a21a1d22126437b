"""Records: the schema refuses bad ones, and the tidy table loses nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.example_record import failed, fit_of, point, record
from workflow.common import files
from workflow.fit import fitting, records, tidy
from workflow.fit import scores as saved_scores
from workflow.outliers import measure_outliers


def test_good_records_pass():
    assert records.check(record()) == record()
    assert records.check(failed()) == failed()
    fit = record()
    for key in ("task", "counts", "metrics"):
        del fit[key]
    assert records.check(fit | {"history": {"loss": [[1.0]]}})


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"status": "fine"}, "status"),
        ({"status": "failed"}, "reason"),
        ({"status": "refused"}, "reason"),
        ({"estimate": {"days": 1}}, "estimate"),
        ({"training": record()["training"] | {"sample_weight": "class"}}, "training.sample_weight"),
        ({"status": "failed", "reason": "x"}, "metrics"),
        ({"reason": "but it went well"}, "reason"),
        ({"seed": -1}, "seed"),
        ({"seed": "0"}, "seed"),
        ({"classes": "not"}, "classes"),
        ({"schema_version": 1}, "schema_version"),
        ({"dataset": {"name": "mnist"}}, "dataset"),
        ({"dataset": record()["dataset"] | {"sha256": "abc"}}, "dataset.sha256"),
        ({"metrics": [{"metric": "auroc", "layer": "2", "top": True}]}, "metrics.0"),
        ({"metrics": [record()["metrics"][0] | {"value": None}]}, "metrics.0.value"),
        ({"surprise": 1}, "its top level"),
        ({"surprise": float("nan")}, "surprise"),
        ({"seed": 2**32}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"schema_version": 2.0}, "schema_version"),
        ({"classes": "not0\n"}, "classes"),
        ({"reason": 501 * "a", "status": "failed", "metrics": []}, "reason"),
        ({"settings": {"a": [{"b": float("inf")}]}}, "settings.a.0.b"),
        ({"history": {"loss": [[float("nan")]]}}, "history.loss.0.0"),
        ({"settings": {"a\x1b": 1}}, "settings"),
        ({"metrics": [record()["metrics"][0] | {"value": 1.5}]}, "metrics.0.value"),
        ({"metrics": [record()["metrics"][0] | {"value": -0.1}]}, "metrics.0.value"),
        ({"metrics": [record()["metrics"][0] | {"value": float("nan")}]}, "metrics.0.value"),
        ({"metrics": [record()["metrics"][0] | {"metric": "auc"}]}, "metrics.0.metric"),
        ({"metrics": [record()["metrics"][0] | {"metric": "accuracy"}]}, "metrics.0.metric"),
        ({"metrics": 2 * [record()["metrics"][0]]}, "metrics.1"),
        ({"task": "outlier"}, "task"),
        ({"counts": {"inliers": 900}}, "counts"),
        ({"counts": {"inliers": 900, "outliers": 0}}, "counts"),
        ({"dataset": record()["dataset"] | {"validation_images": 5}}, "dataset.validation_images"),
        ({"training": record()["training"] | {"images": 7}}, "dataset.train_images"),
    ],
)
def test_bad_records_are_refused(changes, place):
    with pytest.raises(ValueError, match=r"outliers\.json is not a valid record") as error:
        records.check(record(**changes), "outliers.json")
    assert f"at {place}, " in str(error.value)


def test_every_published_record_is_valid():
    lines = Path("results/reference/1/records.jsonl").read_text("utf-8").splitlines()
    assert len(lines) > 500
    for line in lines:
        one = json.loads(line)
        assert files.unseal(one)
        records.check(one)


def test_a_sum_of_shares_may_round_above_one():
    one = record()["metrics"][0] | {"value": 1.0000000000000002}
    assert records.check(record(metrics=[one]))["metrics"] == [one]


def test_a_reason_is_cut_to_fit_a_record():
    reason = fitting.reason(ValueError("\x1b[1mno\tmemory" + 9000 * "!"))
    assert reason.startswith("ValueError: [1mno memory!")
    assert records.check(failed(reason=f"class 9: {reason}"))


@pytest.mark.parametrize("key", records.check(record()).keys() - {"task", "counts", "metrics"})
def test_nothing_may_be_missing(key):
    broken = record()
    del broken[key]
    with pytest.raises(ValueError, match=key):
        records.check(broken)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "outliers.json"
    path.write_text(json.dumps(record())[:-20])
    with pytest.raises(ValueError, match=r"outliers\.json is damaged .*; remove it and run again"):
        records.read(path)


def test_scores_keep_their_layers_in_order(tmp_path):
    path = tmp_path / "scores.npz"
    test = {"all": {"2": np.zeros(3), "11": np.ones(3)}, "bottom_half": {"11": np.arange(3.0)}}
    saved_scores.write(path, record(), np.arange(3), {"test": test})
    back = saved_scores.read(path)
    assert back.labels.tolist() == [0, 1, 2]
    assert {name: list(layers) for name, layers in back.test.items()} == {
        "all": ["2", "11"],
        "bottom_half": ["11"],
    }
    assert back.test["bottom_half"]["11"].tolist() == [0, 1, 2]
    assert back.validation == {}


def test_truncated_scores_are_named(tmp_path):
    path = tmp_path / "scores.npz"
    saved_scores.write(path, record(), np.arange(10), {"test": {"all": {"2": np.zeros(10)}}})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"scores\.npz is damaged"):
        saved_scores.read(path)


def test_tidy_has_a_row_for_every_metric_and_every_failure():
    table = tidy.table([record(), failed(seed=1)])
    assert len(table) == 5
    assert list(table.columns[: len(tidy.COLUMNS)]) == list(tidy.COLUMNS)
    assert table["value"].tolist()[:4] == [0.6, 0.59, 0.7, 0.68]
    assert pd.isna(table["value"].iloc[4])
    assert table["reason"].iloc[4] == "the loss is nan"
    assert table["settings.hyperparameters.epochs"].tolist() == [3] * 5
    assert table["settings.hyperparameters.waits"].iloc[0] == "[0.0, 0.1]"


LABELS = np.repeat(np.arange(10), 20)


def put(root, instance, seed, test, validation=None):
    """A fit and its scores where a run has them."""
    fit = fit_of(point(instance, seed=seed)) | {"history": {}}
    folder = root / f"fit/dcgmm/{instance}-paper/mnist/not0/seed{seed}"
    files.write_json(folder / "fit.json", fit)
    scores = {"test": test, "validation": validation or {}}
    aside = LABELS[:2] if validation else LABELS[:0]
    saved_scores.write(folder / "scores.npz", fit, LABELS, scores, aside)
    return folder


def measured(root, *instances, seeds=(0,)):
    """The table that the program makes of fits."""
    points = [f"dcgmm/{instance}-paper" for instance in instances]
    options = {
        "root": [root / "fit"], "points": points, "datasets": ["mnist"], "classes": ["not0"],
        "seeds": seeds, "out": [root / "records.csv"],
    }  # fmt: skip
    words = [word for key, values in options.items() for word in (f"--{key}", *map(str, values))]
    measure_outliers.main(words)
    return tidy.read(root / "records.csv")


def test_a_product_of_fits_is_measured(tmp_path):
    scores = {"all": {"2": LABELS + 0.0, "11": LABELS + 1.0}}
    for instance in "AB":
        for seed in (0, 1):
            folder = put(tmp_path, instance, seed, scores)
    table = measured(tmp_path, "A", "B", seeds=(0, 1))
    assert table.groupby(["grid_point", "seed"]).size().tolist() == [4, 4, 4, 4]
    files.write_json(folder / "fit.json", {"seed": 1})
    with pytest.raises(SystemExit, match=r"seed1/fit\.json is not a valid record"):
        measured(tmp_path, "A", "B", seeds=(0, 1))


def test_every_layer_and_evidence_is_measured(tmp_path):
    random = np.random.default_rng(0)
    perfect = (LABELS > 0) + 0.0
    test = {
        "all": {"2": random.normal(size=200), "11": perfect},
        "bottom_half": {"11": -perfect},
    }
    kept_aside = {"all": {"2": np.array([-3.0, -3.0]), "11": np.array([-1.0, -2.0])}}
    put(tmp_path, "B", 0, test, kept_aside)
    table = measured(tmp_path, "B")
    assert set(zip(table["inliers"], table["outliers"], strict=True)) == {(180, 20)}
    top = table[table["top"]].set_index(["metric", "evidence"])
    assert top["layer"].astype(str).unique().tolist() == ["11"]
    assert top["value"]["auroc", "all"] == 1
    assert top["value"]["auroc", "bottom_half"] == 0
    assert top["value"]["validation_log_likelihood", "all"] == -1.5
    assert len(table) == 2 * 2 + 2 + 2
