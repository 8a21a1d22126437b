"""The paper's numbers, by what must be true of them whatever they are."""

import itertools

import pandas as pd
import pytest

from dcgmm import recipes
from workflow.comparison.paper_cells import CELL

PAPER = pd.read_csv("results/reference/paper.csv")
DATASETS = ["mnist", "fashion_mnist"]
SPNS = ["RAT-SPN", "DGCSPN", "PD-SPN"]


@pytest.mark.parametrize(
    ("table", "rows", "columns"),
    [
        ("I", list("ABCDEFG"), DATASETS),
        ("II", ["DCGMM-E", *SPNS], DATASETS),
        ("III", ["DCGMM-A", "DCGMM-B", "DCGMM-E", "DCGMM-F", *SPNS], ["parameters", *DATASETS]),
        ("IV", ["DCGMM-B", "RAT-SPN", "DGCSPN"], DATASETS),
        ("V", list("ABCDEFG"), ["parameters"]),
    ],
)
def test_every_cell_is_there_once(table, rows, columns):
    mine = PAPER[PAPER["table"] == table]
    cells = list(zip(mine["row"], mine["column"], strict=True))
    assert sorted(cells) == sorted(itertools.product(rows, columns))


def test_nothing_else_is_there():
    assert not PAPER.duplicated(CELL).any()
    assert set(PAPER["table"]) == {"I", "II", "III", "IV", "V"}
    assert list(PAPER) == [*CELL, "value", "spread", "n", "source_line"]


def test_percentages_are_percentages_of_five_runs():
    measured = PAPER[PAPER["column"] != "parameters"]
    assert measured["value"].between(35, 100).all()
    assert (measured["n"] == 5).all()
    assert measured["spread"].dropna().between(0.05, 6).all()
    quoted = measured[measured["spread"].isna()]
    assert set(quoted["table"]) == {"IV"} and set(quoted["row"]) == {"RAT-SPN", "DGCSPN"}


def test_counts_are_whole_and_have_no_spread():
    counts = PAPER[PAPER["column"] == "parameters"]
    assert (counts["value"] % 1 == 0).all() and (counts["value"] > 10_000).all()
    assert counts[["spread", "n"]].isna().all(axis=None)


def test_tables_agree_where_the_paper_prints_a_number_twice():
    value = PAPER.set_index(CELL)["value"]
    for dataset in DATASETS:
        assert value["I", "E", dataset] == value["II", "DCGMM-E", dataset]
    for instance in "ABF":
        assert value["III", f"DCGMM-{instance}", "parameters"] == value["V", instance, "parameters"]
    assert value["III", "DCGMM-E", "parameters"] == value["V", "D", "parameters"], (
        "the paper's slip"
    )


def test_counts_are_those_that_the_model_knows():
    counts = PAPER[PAPER["table"] == "V"].set_index("row")["value"]
    assert counts.to_dict() == {
        name: recipes.instance(name).published_parameters for name in "ABCDEFG"
    }


def test_lines_rise_within_a_table():
    for _, rows in PAPER[PAPER["table"] != "I"].groupby("table"):
        assert rows["source_line"].is_monotonic_increasing
    first = PAPER.groupby("table")["source_line"].min()
    assert first.is_monotonic_increasing, "as the tables follow one another"
