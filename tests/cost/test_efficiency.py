"""What fits cost: medians of one host, and images counted as often as they were scored."""

import numpy as np
import pandas as pd
import pytest

from tests.example_record import competitor, failed, point, record
from workflow.cost import efficiency
from workflow.fit import tidy
from workflow.samples import sample_files

HERE = record()["host"]


def timed(one, fit, score, host="0a1b2c3d"):
    """A record with these seconds, made on a host."""
    return one | {
        "seconds": {"fit": fit, "score": score, "cpu": 1.0},
        "host": HERE | {"id": host},
    }


def step(folder, records, abouts=()):
    """The CSV and the Markdown of records, and of files of samples."""
    tidy.write(folder / "all.csv", records)
    files = []
    for number, about in enumerate(abouts):
        files.append(str(folder / f"{number}.npz"))
        sample_files.write(files[-1], about, {"full/0": np.zeros((1, 2, 2, 1), "uint8")})
    words = ["--records", str(folder / "all.csv"), "--run", "mine", "--out", str(folder)]
    efficiency.main([*words, "--samples", *files])
    table = pd.read_csv(folder / "efficiency.csv").set_index("grid_point")
    return table, (folder / "efficiency.md").read_text("utf-8")


def test_seconds_are_medians_of_the_host_of_most_fits(tmp_path):
    records = [timed(point("B", seed=seed), fit, 2.0) for seed, fit in enumerate((3, 10, 4))]
    records += [timed(point("B", seed=seed), 1000, 9, "ffff") for seed in (3, 4)]
    records += [timed(failed(seed=5), None, None)]
    table, text = step(tmp_path, records)
    line = table.loc["B-paper"]
    assert (line["seconds_fit"], line["n"], line["seeds"], line["host"]) == (4, 3, 4, "0a1b2c3d")
    assert line["score_1000"] == pytest.approx(2.0)  # of 900 inliers and 100 outliers
    assert "of host `0a1b2c3d` alone" in text and "- 2 fits of other hosts are left out" in text
    assert "3 of 4" in text


def test_images_scored_twice_count_twice(tmp_path):
    scores = {("auroc", "all"): 0.5, ("auc100", "all"): 0.5, ("auroc", "bottom_half"): 0.5}
    table, _ = step(tmp_path, [timed(competitor(scores, components=5), 1, 3.0)])
    assert table["score_1000"].tolist() == [1.5]


def test_classification_counts_the_images_of_the_same_data(tmp_path):
    accuracy = [{"metric": "accuracy", "evidence": "all", "layer": "top", "top": True, "value": 1}]
    classifier = point(
        "B-class", classes="all", task="classification", counts={"images": 1000}, metrics=accuracy
    )
    table, _ = step(tmp_path, [timed(point("B"), 1, 1.0), timed(classifier, 1, 4.0)])
    assert table.loc["B-class-paper", "score_1000"] == 4.0


def test_drawing_is_told_where_it_was_timed(tmp_path):
    def about(grid_point, seed, seconds, host="0a1b2c3d"):
        base = sample_files.metadata(record(grid_point=grid_point, seed=seed))
        drawing = {"host": host, "images": 50, "seconds": {"recipe": seconds, "mean": 0.001}}
        return base | ({"drawing": drawing} if seconds else {})

    abouts = [about("B-paper", 0, 0.5), about("B-paper", 1, 1.5), about("B-paper", 2, 9, "ffff"),
              about("A-paper", 0, None)]  # fmt: skip
    table, text = step(tmp_path, [timed(point(i), 1, 1.0) for i in "AB"], abouts)
    assert table.loc["B-paper", "sample_1000"] == pytest.approx(20.0)
    assert np.isnan(table.loc["A-paper", "sample_1000"])
    assert "- 1 timed drawings of other hosts are left out" in text


def test_fits_that_all_failed_have_a_line_of_dashes(tmp_path):
    table, text = step(tmp_path, [timed(failed(), None, None)])
    assert table.loc["B-paper", "n"] == 0 and table.loc["B-paper", "parameters"] == 587412
    assert "| –" in text and "0 of 1" in text
