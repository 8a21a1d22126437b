"""Multiverse of protocols on small tables whose truth is counted by hand."""

import itertools

import pandas as pd
import pytest

from workflow.common import frames
from workflow.outliers import multiverse, multiverse_figure, multiverse_values

PAPER = multiverse.PAPERS
COLUMNS = [*frames.TABLES["multiverse_values"]]


def rows(title, *values, seed=0, **protocol):
    """A row for each value, of successive seeds, the paper's protocol but for what is said."""
    protocol = {"dataset": "mnist"} | PAPER | protocol
    return [
        protocol | {"title": title, "seed": seed + number, "value": value}
        for number, value in enumerate(values)
    ]


def table_of(*parts):
    return pd.DataFrame(itertools.chain(*parts), columns=COLUMNS)


def summary_of(*parts):
    summary = multiverse.summarised(multiverse.specifications(table_of(*parts)))
    return summary.set_index(["dataset", "first", "second"])


def test_counts_the_protocols_that_put_the_first_ahead():
    summary = summary_of(
        rows("E", 80, 90), rows("G", 70),  # the paper's: +15
        rows("E", 60, outlier="1"), rows("G", 80, outlier="1"),  # -20
        rows("E", 50, measure="auroc"), rows("G", 50, measure="auroc"),  # a tie
        rows("E", 30, measure="fpr95"), rows("G", 40, measure="fpr95"),  # lower is better: +10
        rows("E", 99, evidence="all"),  # no rival
    )  # fmt: skip
    line = summary.loc[("mnist", "E", "G")]
    assert (line["protocols"], line["ahead"]) == (4, pytest.approx(62.5))
    assert (line["low"], line["median"], line["high"]) == (-20, 5, 15)
    assert (line["paper"], line["paper_rank"], line["paper_agrees"]) == (15, 1, True)


def test_the_papers_protocol_may_be_the_odd_one():
    others = [
        part for outlier in "12" for title, value in (("E", 60), ("G", 70))
        for part in [rows(title, value, outlier=outlier)]
    ]  # fmt: skip
    line = summary_of(rows("E", 80), rows("G", 79), *others).loc[("mnist", "E", "G")]
    assert (line["ahead"], line["paper"]) == (pytest.approx(100 / 3), 1)
    assert (line["paper_rank"], line["paper_agrees"]) == (1, False)
    worse = summary_of(rows("E", 50), rows("G", 79), *others).loc[("mnist", "E", "G")]
    assert (worse["paper_rank"], worse["paper_agrees"]) == (3, True)


def test_nothing_agrees_without_a_majority():
    even = rows("E", 60, outlier="1"), rows("G", 70, outlier="1")
    assert pd.isna(summary_of(rows("E", 9), rows("G", 8), *even)["paper_agrees"].item())
    tied = rows("E", 8), rows("G", 8), *even
    line = summary_of(*tied).loc[("mnist", "E", "G")]
    assert line["ahead"] == 25 and line["paper"] == 0 and pd.isna(line["paper_agrees"])


def test_datasets_are_counted_apart_and_together():
    summary = summary_of(
        rows("E", 80), rows("G", 70),
        rows("E", 80, dataset="fashion_mnist"), rows("G", 90, dataset="fashion_mnist"),
        rows("V", 85, dataset="fashion_mnist"),
    )  # fmt: skip
    ahead = summary["ahead"].to_dict()
    assert ahead["mnist", "E", "G"] == 100 and ahead["fashion_mnist", "E", "G"] == 0
    assert ahead["all", "E", "G"] == 50 and ahead["all", "G", "V"] == 100
    assert ("mnist", "E", "V") not in ahead
    assert summary["paper"].notna().sum() == 4, "the paper's protocol is of one dataset"


def test_a_factor_that_does_not_concern_a_method_matches_any():
    compared = multiverse.specifications(
        table_of(
            rows("E", 80, choice=None), rows("E", 60, choice=None, recipe="released"),
            rows("R", 70, recipe=None), rows("R", 75, recipe=None, choice="likelihood"),
            rows("G", 72, recipe=None, choice=None),
        )
    )  # fmt: skip
    pairs = dict(iter(compared.groupby(["first", "second"])))
    two_sided = pairs["E", "R"].set_index(["recipe", "choice"])["difference"].to_dict()
    assert two_sided == {
        ("paper", "test"): 10, ("paper", "likelihood"): 5,
        ("released", "test"): -10, ("released", "likelihood"): -15,
    }  # fmt: skip
    assert sorted(pairs["E", "G"]["difference"]) == [-12, 8], "its recipes, once each"
    assert sorted(pairs["R", "G"]["difference"]) == [-2, 3], "no recipe multiplies them"
    papers = compared[compared["paper"]].set_index(["first", "second"])["difference"].to_dict()
    assert papers == {("E", "R"): 10, ("E", "G"): 8, ("R", "G"): -2}


def test_values_that_are_missing_compare_nothing():
    compared = multiverse.specifications(table_of(rows("E", 80), rows("G", float("nan"))))
    assert compared.empty and multiverse.summarised(compared).empty
    apart = multiverse.specifications(table_of(rows("E", 80), rows("G", 70, outlier="1")))
    assert apart.empty and multiverse.summarised(apart).empty


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([rows("E", 1, measure="aurok")], "unknown measure 'aurok'; did you mean 'auroc'"),
        ([rows("E", 1), rows("E", 2)], "E has two values for mnist, 0, published, .* seed 0"),
        ([rows("E", 1), rows("E", 2, recipe=None)], "E leaves recipe empty in some rows"),
    ],
)
def test_refuses_what_cannot_be_compared(parts, message):
    with pytest.raises(ValueError, match=message):
        multiverse.specifications(table_of(*parts, rows("G", 3)))


def test_the_papers_protocol_names_every_factor():
    with pytest.raises(ValueError, match=r"needs outlier, evidence, .*, not outlier, dataset"):
        multiverse.specifications(table_of(rows("E", 1)), {"outlier": "0", "dataset": "mnist"})


def write(folder, table, monkeypatch):
    """Run the step in a folder, as if the values of its bank were a table."""
    monkeypatch.setattr(multiverse_values, "of_bank", lambda *_: table)
    values = {
        "bank": folder,
        "tasks": "{}",
        "run": "demo",
        "out": folder,
        "figures": folder / "f",
    }
    multiverse.main([word for key, value in values.items() for word in (f"--{key}", str(value))])
    return (folder / "multiverse.md").read_text("utf-8")


def test_step_writes_all_files(tmp_path, monkeypatch):
    datasets = [
        rows(title, value, dataset=dataset, outlier=outlier)
        for dataset in ("mnist", "fashion_mnist")
        for outlier in ("0", "letters")
        for title, value in (("DCGMM-E", 80), ("VAE", 70), ("GMM", 75 if outlier == "0" else 85))
    ]
    page = write(tmp_path, table_of(*datasets), monkeypatch)
    assert "# Who is ahead under which protocol, FashionMNIST" in page
    line = "| DCGMM-E | VAE | 2 | 100.0 | +10.0 [+10.0, +10.0] | +10.0 | 1 | yes |"
    assert page.replace(" ", "").count(line.replace(" ", "")) == 2
    assert page.count("the paper's   |") == 2, "all datasets together have no protocol of the paper"
    for name in ("multiverse.csv", "f/multiverse_protocols.csv"):
        table = frames.read_table(tmp_path / name)
        assert [*table] == [*frames.TABLES[(tmp_path / name).stem]]
    assert set(table["outlier"]) == {"0", "letters"}
    for name in ("multiverse.tex", "multiverse.sections.json", "f/multiverse.svg"):
        assert (tmp_path / name).stat().st_size > 100


def test_the_figure_has_the_papers_model_beside_each_other_one():
    pairs = pd.DataFrame([("A", "B"), ("A", "DCGMM-E"), ("DCGMM-E", "B")], columns=multiverse.PAIR)
    assert multiverse.is_drawn(pairs).tolist() == [False, True, True]
    assert multiverse.is_drawn(pairs[:1]).all(), "without it all are drawn"


def test_a_run_with_a_single_method_says_so(tmp_path, monkeypatch):
    assert "No results" in write(tmp_path, table_of(rows("E", 80)), monkeypatch)
    for name in ("multiverse.csv", "f/multiverse_protocols.csv"):
        assert frames.read_table(tmp_path / name).empty


def test_the_papers_protocol_is_marked_at_its_difference():
    compared = multiverse.specifications(
        table_of(
            rows("E", 80), rows("G", 70), rows("E", 60, outlier="1"), rows("G", 80, outlier="1")
        )
    )
    figure = multiverse_figure.draw(compared, multiverse.summarised(compared))
    (axis,) = figure.axes
    (mark,) = [line for line in axis.lines if line.get_marker() == "D"]
    assert mark.get_xdata().tolist() == [10]
    (place,) = mark.get_ydata()
    assert -0.5 < place < 0, "the higher half, since it favours the first"
    assert "50 %" in [text.get_text() for text in axis.texts]
