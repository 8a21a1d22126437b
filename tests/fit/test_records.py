"""Records: the schema refuses bad ones, and the tidy table loses nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.example_record import failed, point, record
from workflow.common import files
from workflow.fit import fitting, records, tidy
from workflow.fit import gather_records as step
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


def test_step_gathers_the_product_of_its_axes(tmp_path):
    for instance in "AB":
        for seed in (0, 1):
            folder = tmp_path / f"fit/dcgmm/{instance}-paper/mnist/not0/seed{seed}"
            folder.mkdir(parents=True)
            files.write_json(folder / "outliers.json", point(instance, seed=seed))
    out = tmp_path / "records.csv"
    axes = "--points dcgmm/A-paper dcgmm/B-paper --datasets mnist --classes not0 --seeds 0 1"
    arguments = [
        "--root",
        f"{tmp_path}/fit",
        *axes.split(),
        "--task",
        "outliers",
        "--out",
        str(out),
    ]
    step.main(arguments)
    table = pd.read_csv(out)
    assert table.groupby(["grid_point", "seed"]).size().tolist() == [4, 4, 4, 4]
    files.write_json(folder / "outliers.json", {"task": "outliers"})
    with pytest.raises(SystemExit, match=r"seed1/outliers\.json is not a valid record"):
        step.main(arguments)


def test_outliers_step_measures_every_layer_and_evidence(tmp_path):
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 20)
    perfect = (labels > 0) + 0.0
    test = {
        "all": {"2": random.normal(size=200), "11": perfect},
        "bottom_half": {"11": -perfect},
    }
    kept_aside = {"all": {"2": np.array([-3.0, -3.0]), "11": np.array([-1.0, -2.0])}}
    scores = {"test": test, "validation": kept_aside}
    saved_scores.write(tmp_path / "scores.npz", record(), labels, scores, labels[:2])
    fit = {k: v for k, v in record().items() if k not in ("task", "counts", "metrics")}
    files.write_json(tmp_path / "fit.json", fit | {"history": {}})
    names = {"fit": "fit.json", "scores": "scores.npz", "out": "outliers.json"}
    measure_outliers.main(
        [word for key, f in names.items() for word in (f"--{key}", str(tmp_path / f))]
    )
    result = records.read(tmp_path / "outliers.json")
    assert result["counts"] == {"inliers": 180, "outliers": 20}
    top = {
        (m["metric"], m["evidence"]): (m["layer"], m["value"])
        for m in result["metrics"]
        if m["top"]
    }
    assert top["auroc", "all"] == ("11", 1.0)
    assert top["auroc", "bottom_half"] == ("11", 0.0)
    assert top["validation_log_likelihood", "all"] == ("11", -1.5)
    assert len(result["metrics"]) == 2 * 2 + 2 + 2
