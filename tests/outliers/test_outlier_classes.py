"""The table of outlier classes: known values, and how far classes spread."""

import re

import pandas as pd
import pytest

from tests.example_record import failed, point
from workflow.common import tables
from workflow.fit import tidy
from workflow.outliers import outlier_classes as step

VALUES = {0: 0.9, 1: 0.5, 2: 0.7}  # class -> AUROC of its top layer


def records():
    """Two seeds of A for three classes, one of which has lost a seed."""
    for label, value in VALUES.items():
        for seed, change in ((0, -0.01), (1, 0.01)):
            metrics = [
                {"metric": metric, "evidence": "all", "layer": layer, "top": layer == "4",
                 "value": value + change + extra}
                for metric, layer, extra in (("auroc", "2", -0.3), ("auroc", "4", 0),
                                             ("auc100", "4", -0.2))
            ]  # fmt: skip
            yield point("A", classes=f"not{label}", seed=seed, metrics=metrics)
    yield point("E", classes="not0")
    yield failed(grid_point="E-paper", settings=point("E")["settings"], classes="not1")


def test_every_class_has_its_row_and_the_spread_is_of_their_means(tmp_path):
    tables.write_csv(tmp_path / "records.csv", tidy.table(records()))
    options = {"records": tmp_path / "records.csv", "run": "mine", "schedule": "short",
               "out": tmp_path}  # fmt: skip
    step.main([word for key, value in options.items() for word in (f"--{key}", str(value))])
    table = pd.read_csv(tmp_path / "outlier_classes.csv").set_index(["instance", "outlier"])
    ours = table.loc["A"]
    assert ours["mean"].to_dict() == pytest.approx({k: 100 * v for k, v in VALUES.items()})
    assert ours["std"].tolist() == pytest.approx([2**0.5] * 3, abs=1e-3)
    assert set(ours["classes_mean"]) == {70} and set(ours["classes_std"]) == {20}
    assert set(ours["classes_range"]) == {40}
    assert table.loc[("E", 1), ["n", "failed"]].tolist() == [0, 1]
    page = (tmp_path / "outlier_classes.md").read_text("utf-8")
    assert re.search(r"\| class 1 +\| 50\.0 ± 1\.4 \[37\.3, 62\.7\] +\| – ", page)
    assert "- E (paper), class 1: the loss is nan" in page and "nan" not in page.split("- E")[0]
    assert (tmp_path / "outlier_classes.tex").stat().st_size > 100
