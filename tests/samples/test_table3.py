"""Table III: what judges, seeds and classes make of a mean, and nothing missing without a word."""

import itertools

import numpy as np
import pandas as pd
import pytest

from workflow.common import files
from workflow.samples import judgements, sample_summary, table3


def judge(seed, status="ok", dataset="mnist"):
    nan = "the loss is nan in epoch 1"
    attempts = [{"learning_rate": 0.01, "accuracy": [0.1], "collapsed": nan}]
    if status == "ok":
        attempts.insert(0, {"learning_rate": 0.1, "accuracy": [0.5, 0.25], "collapsed": ""})
        attempts.append({"learning_rate": 0.001, "accuracy": [0.9], "collapsed": ""})
    return {
        "dataset": {"name": dataset, "source": "full", "train_images": 60000}, "seed": seed,
        "status": status, "reason": attempts[-1]["collapsed"], "epochs": 15,
        "learning_rate": attempts[-1]["learning_rate"], "attempts": attempts,
        "accuracy": {"train": 1.0, "test": 0.99 + seed / 1000},
    }  # fmt: skip


def row(accuracy, title="RAT-SPN", seed=0, treatment="full", label="0", **more):
    measures = {"diversity": 0.5, "frechet": 3.0, "precision": 0.9, "recall": 0.2}
    ok = {"status": "ok", "reason": "", "n": 100, "compared": 100, "accuracy": accuracy}
    about = {
        "method": "ratspn", "title": title, "variant": "normal", "point": "K5",
        "dataset": "mnist", "source": "full", "train_images": 6000, "seed": seed,
        "parameter_count": 500, "centroid_count": None, "treatment": treatment,
        "published": treatment in ("full", "recipe"), "class": label,
    }  # fmt: skip
    return about | ok | measures | more


def failed(**more):
    empty = dict.fromkeys(judgements.MEASURES) | {"n": 0, "compared": 0, "class": None}
    return row(None) | empty | {"status": "failed", "reason": "out of luck"} | more


CONTROL = {"method": "control", "treatment": "control", "published": False, "seed": None}


def summary_of(*judgements_of):
    """A summary of rows, one list a judge."""
    many = [{"judge": judge(seed), "rows": rows} for seed, rows in enumerate(judgements_of)]
    rows = sample_summary.table(many)
    paper = pd.read_csv("results/reference/paper.csv")
    lines = sample_summary.with_paper(sample_summary.summary(rows), paper)
    return lines.set_index(["title", "treatment"]), rows


def test_spreads_of_judges_and_of_seeds_are_told_apart():
    # Accuracies [judges, seeds]: 0.90 0.94 / 0.80 0.88.
    lines, _ = summary_of(
        [row(0.90), row(0.94, seed=1)], [row(0.80), row(0.88, seed=1), row(0.3, treatment="mean")]
    )
    line = lines.loc["RAT-SPN", "full"]
    assert line["mean"] == pytest.approx(88)
    assert line["std_judges"] == pytest.approx(8 / np.sqrt(2)), "of 92 and 84"
    assert line["std_seeds"] == pytest.approx(6 / np.sqrt(2)), "of 85 and 91"
    assert (line["judges"], line["seeds"], line["classes"], line["images"]) == (2, 2, 1, 100)
    assert line["difference"] == pytest.approx(88 - 99.2)
    assert (line["paper_parameters"], line["parameters"]) == (1187840, 500)
    mean = lines.loc["RAT-SPN", "mean"]
    assert np.isnan(mean["paper"]) and np.isnan(mean["std_judges"])
    assert line["best"] and not mean["best"]


def test_classes_weigh_as_many_images_as_they_have():
    lines, rows = summary_of([row(1.0), row(0.0, label="1", n=300), row(0.9, "Other")])
    assert lines.loc["RAT-SPN", "full"]["mean"] == pytest.approx(25)
    assert lines.loc["RAT-SPN", "full"]["images"] == 400
    assert lines.loc["Other", "full"]["best"]
    classes = sample_summary.by_class(rows).set_index(["title", "class"])["accuracy"]
    assert classes["RAT-SPN", "0"] == 100 and classes["RAT-SPN", "1"] == 0


def test_failures_are_lines_with_their_reasons():
    lines, _ = summary_of(
        [
            row(0.9), row(0.8, treatment="mean"), failed(seed=1),
            failed(title="PD-SPN"), failed(title="GMM", **{"class": "4"}), row(0.5, "GMM"),
        ]
    )  # fmt: skip
    for treatment in ("full", "mean"):
        line = lines.loc["RAT-SPN", treatment]
        assert (line["seeds"], line["seeds_asked"], line["reasons"]) == (1, 2, "out of luck")
    lost = lines.loc["PD-SPN", "full"]
    assert (lost["judges"], lost["images"], lost["classes"]) == (0, 0, 0)
    assert np.isnan(lost["mean"]) and lost["paper"] == 97.2
    part = lines.loc["GMM", "full"]
    assert (part["classes"], part["classes_failed"], part["mean"]) == (1, 1, 50)


def test_a_judge_that_collapsed_is_left_out_where_there_are_others():
    useless = {"judge": judge(1, "collapsed"), "rows": [failed(method="unknown")]}
    rows = sample_summary.table([{"judge": judge(0), "rows": [row(0.9)]}, useless])
    assert rows["status"].tolist() == ["ok"]
    assert sample_summary.table([useless])["status"].tolist() == ["failed"]


def test_table3_says_how_it_was_made(tmp_path):
    dcgmm = {"method": "dcgmm", "centroid_count": 186625, "parameter_count": 380000}
    ours = [
        row(0.9 + seed / 100, "DCGMM-E", seed, treatment, point="E-paper", **dcgmm)
        for seed, treatment in itertools.product((0, 1), ("recipe", "mean"))
    ]
    rest = [failed(), row(0.99, judgements.TEST, **CONTROL, point="")]
    paths = {"judgements": [], "judges": []}
    for seed in (0, 1):
        several = {"judgements": {"judge": judge(seed), "rows": ours + rest}, "judges": judge(seed)}
        for kind, content in several.items():
            path = tmp_path / f"{kind}{seed}.json"
            files.write_json(path, content)
            paths[kind].append(str(path))
    words = [word for kind, names in paths.items() for word in (f"--{kind}", *names)]
    paper = ["--paper", "results/reference/paper.csv"]
    table3.main([*words, *paper, "--run", "test_1", "--out", str(tmp_path)])
    page = (tmp_path / "table3.md").read_text("utf-8")
    first, second = page.split("# Table III, MNIST: every treatment")
    assert "all of MNIST" in first and "Run `test_1`" in first
    assert "learning rate: 0.001, test accuracy in %: 99.00, 99.10" in first
    assert "learning rate 0.01 collapsed (the loss is nan in epoch 1)" in first
    assert "learning rate 0.1 ended at a training accuracy of 25.00 %" in first
    assert "learning rate 0.001 ended" not in first, "it is the judge's"
    assert (
        "| 186,625 (380,000) " in first and "| 40,850 " in first and "which is D's count" in first
    )
    assert "**90.5 ± 0.0**" in first and "| 99.1 ± 0.2 " in first and "−8.6" in first
    assert "RAT-SPN (K5), drawn in full: out of luck" in first
    assert "means of pixels" in second and "means of pixels" not in first
    assert "clipped to [0, 1]" in first
    assert r"\begin{tabular}" in (tmp_path / "table3.tex").read_text("utf-8")
    written = pd.read_csv(tmp_path / "table3.csv")
    assert written["title"].tolist() == ["DCGMM-E", "DCGMM-E", "RAT-SPN", judgements.TEST]
    assert len(pd.read_csv(tmp_path / "table3_classes.csv")) == 4


def test_papers_table_is_whole():
    published = pd.read_csv("results/reference/paper.csv")
    published = published[published["table"] == "III"]
    models = ["DCGMM-A", "DCGMM-B", "DCGMM-E", "DCGMM-F", "RAT-SPN", "DGCSPN", "PD-SPN"]
    expected = set(itertools.product(models, ["parameters", "mnist", "fashion_mnist"]))
    assert set(zip(published["row"], published["column"], strict=True)) == expected
    assert len(published) == 21


def test_a_judge_that_was_never_trained_is_told_and_not_counted():
    lost = judge(0) | {"status": "timeout", "reason": "too long", "attempts": []}
    lost |= {"learning_rate": None, "accuracy": {"train": None, "test": None}}
    assert table3._judges_sentence([lost]) == "No judge was trained."
    assert table3._judges_sentence([lost, judge(1)]).startswith(
        "Judges: 1, each the CNN of Table VII"
    )
    assert table3._rejected([lost]) == ["judge of seed 0: timeout, too long"]
