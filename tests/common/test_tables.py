"""Tables: the right numbers in the right cells, and nothing missing without a word."""

import itertools
import math
import re

import pandas as pd
import pytest

from dcgmm import notation
from tests.example_record import failed, point
from workflow.common import tables
from workflow.fit import tidy
from workflow.outliers import table1
from workflow.training import table5, table6

PAPER = pd.read_csv("results/reference/paper.csv")


def summary_of(*several):
    rows = tidy.table(several).rename(
        columns={"settings.instance": "instance", "settings.recipe": "recipe"}
    )
    return table1.with_paper(table1.summarised(rows), PAPER), rows


def top_row(summary, instance, metric="auc100", dataset="mnist"):
    chosen = summary[summary["top"] & (summary["metric"] == metric)]
    chosen = chosen[(chosen["instance"] == instance) & (chosen["dataset"] == dataset)]
    (row,) = chosen.to_dict("records")
    return row


def scored(instance, value, seed=0, **more):
    metrics = [
        {
            "metric": metric,
            "evidence": "all",
            "layer": layer,
            "top": top,
            "value": value - (not top) / 10,
        }
        for layer, top in (("2", False), ("4", True))
        for metric in ("auroc", "auc100")
    ]
    return point(instance, metrics=metrics, seed=seed, **more)


def test_mean_spread_and_difference_to_the_paper():
    summary, _ = summary_of(*(scored("B", 0.9 + 0.01 * seed, seed) for seed in range(3)))
    row = top_row(summary, "B")
    assert (row["n"], row["failed"], row["seeds"]) == (3, 0, 3)
    assert (row["mean"], row["std"]) == pytest.approx((91.0, 1.0))
    assert (row["paper"], row["difference"]) == pytest.approx((93.3, -2.3))
    assert row["ci_low"] < 91 < row["ci_high"]


def test_only_the_top_layer_has_a_value_of_the_paper():
    summary, _ = summary_of(scored("B", 0.9))
    below = summary[~summary["top"]]
    assert below["paper"].isna().all()
    assert below["mean"].tolist() == pytest.approx([80.0, 80.0])


def test_best_is_marked_once_a_column():
    summary, _ = summary_of(
        scored("A", 0.9), scored("B", 0.8), scored("A", 0.6, dataset="fashion_mnist"),
        scored("B", 0.7, dataset="fashion_mnist"), scored("B", 0.95, recipe="released"),
    )  # fmt: skip
    best = summary[summary["best"] & (summary["metric"] == "auroc")]
    keys = list(zip(best["instance"], best["recipe"], best["dataset"], strict=True))
    assert keys == [
        ("A", "paper", "mnist"),
        ("B", "paper", "fashion_mnist"),
        ("B", "released", "mnist"),
    ]
    assert best["top"].all()


def test_failures_are_shown_with_their_reason():
    broken = point("E", **{k: failed()[k] for k in ("status", "reason", "metrics")})
    both_broken = [broken | {"settings": point("F")["settings"], "seed": seed} for seed in (0, 1)]
    summary, rows = summary_of(
        scored("B", 0.9), scored("B", 0.9, 1), scored("A", 0.9), broken, scored("E", 0.8, 1),
        *both_broken,
    )  # fmt: skip
    section = table1.top_section(summary[summary["top"]], table1.caption(rows, "t", "s"))
    cells = section.cells.set_index("ID")
    assert cells.loc["B", "n"] == "2"
    assert cells.loc["E", "n"] == "1 of 2"
    assert cells.loc["F", "n"] == "0 of 2"
    assert cells.loc["F", "exact AUROC"] == tables.DASH
    assert section.notes[0] == "E, paper: seed 0: diverged, the loss is nan"
    assert "F, paper: seed 0: diverged, the loss is nan; seed 1: diverged" in section.notes[1]
    row = top_row(summary, "F")
    assert (row["n"], row["failed"]) == (0, 2)
    assert math.isnan(row["mean"])


def test_caption_tells_the_scale():
    _, rows = summary_of(scored("B", 0.9), scored("B", 0.9, 3))
    caption = table1.caption(rows, "demo", "short")
    for part in ("`demo`", "shipped subset of MNIST", "5400 images", "class 0", "`short`", "0, 3"):
        assert part in caption


def test_layers_are_compared_in_a_table_of_their_own():
    summary, _ = summary_of(scored("B", 0.9), scored("B", 0.92, 1))
    (row,) = table1.layer_section(summary).cells.to_dict("records")
    assert row["cGMM layer 1"] == "L2: 81.0 ± 1.4"
    assert row["cGMM layer 2"] == "L4: **91.0 ± 1.4**"


def test_markdown_says_once_how_to_read_and_tex_says_it_of_every_float(tmp_path):
    cells = pd.DataFrame({"a": ["1"]})
    both = [tables.Section(f"T{n}", f"Of {n}.", cells, ["so"], ["All alike."]) for n in (1, 2)]
    tables.write_markdown(tmp_path / "t.md", both)
    first, second = (tmp_path / "t.md").read_text().split("# T2")
    assert "Of 1.\n\nAll alike.\n\n| a " in first and "All alike." not in second
    tables.write_tex(tmp_path / "t.tex", both)
    tex = (tmp_path / "t.tex").read_text()
    assert r"\caption{T1. Of 1. All alike.}" in tex and r"\caption{T2. Of 2. All alike.}" in tex


def arguments(folder):
    """The step's command line."""
    values = {
        "records": folder / "records.csv", "paper": "results/reference/paper.csv",
        "run": "demo", "schedule": "short", "out": folder,
    }  # fmt: skip
    return [word for key, value in values.items() for word in (f"--{key}", str(value))]


def test_step_writes_all_files(tmp_path):
    table = tidy.table([scored("B", 0.9), scored("B", 0.92, 1)])
    tables.write_csv(tmp_path / "records.csv", table)
    table1.main(arguments(tmp_path))
    written = pd.read_csv(tmp_path / "table1.csv")
    assert written["metric"].tolist() == ["auroc", "auc100"]
    assert "| B    | paper    | 3 " in (tmp_path / "table1.md").read_text()
    tex = (tmp_path / "table1.tex").read_text()
    assert r"\textbf{91.0 $\pm$ 1.4} [78.3, 100.0]" in tex
    assert not list(tmp_path.glob("*.part"))


def test_step_survives_a_run_in_which_all_failed(tmp_path):
    tables.write_csv(tmp_path / "records.csv", tidy.table([failed(), failed(seed=1)]))
    table1.main(arguments(tmp_path))
    page = (tmp_path / "table1.md").read_text()
    assert "0 of 2" in page
    assert "seed 1: diverged, the loss is nan" in page


def test_papers_table_is_whole():
    published = PAPER[PAPER["table"] == "I"]
    expected = set(itertools.product("ABCDEFG", ["mnist", "fashion_mnist"]))
    assert set(zip(published["row"], published["column"], strict=True)) == expected
    assert len(published) == 14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % of A_1 & B", r"50 \% of A\_1 \& B"),
        ("**7 ± 1**", r"\textbf{7 $\pm$ 1}"),
        ("`run_1`", r"\texttt{run\_1}"),
        ("{$#^~}", r"\{\$\#\textasciicircum{}\textasciitilde{}\}"),
        ("\\", r"\textbackslash{}"),
    ],
)
def test_text_is_escaped_for_tex(text, expected):
    assert tables.escape(text) == expected


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (-2.34, {}, "−2.3"),
        (2.34, {"signed": True}, "+2.3"),
        (float("nan"), {}, tables.DASH),
        (80, {"digits": 0}, "80"),
    ],
)
def test_numbers_are_written_for_readers(value, options, expected):
    assert tables.number(value, **options) == expected


def test_table5_counts_as_published_but_for_c():
    table = table5.counted()
    paper = table[table["recipe"] == "paper"].set_index("instance")
    assert list(paper.index) == list("ABCDEFG")
    differs = paper.index[paper["centroids"] != paper["published"]]
    assert list(differs) == ["C"]
    assert paper.loc["C", "note"]
    released = table[table["recipe"] == "released"].set_index("instance")["centroids"]
    assert released[["B", "C", "E", "F"]].tolist() == [669977, 1673497, 1768500, 1872725]


@pytest.mark.parametrize("symbol", ["F", "P", "C", "G"])
def test_table6_formulas_are_what_the_layers_do(symbol):
    _, _, *formulas = table6.LAYER_TYPES[symbol]
    for height, width, kernel, stride in itertools.product((7, 12), (9, 10), (2, 3), (1, 2)):
        arguments = {"F": (kernel, stride), "P": (kernel, stride), "C": (10,), "G": (25,)}[symbol]
        layer = notation.LAYER_TYPES[symbol](*arguments)
        values = {"H": height, "W": width, "C": 4, "f": kernel, "s": stride, "S": 10, "K": 25}
        names = values | {"floor": math.floor, "ceil": math.ceil}
        computed = tuple(eval(python(formula), {}, names) for formula in formulas)
        assert computed == layer.output_shape((height, width, 4))


def python(formula):
    """A formula of Table VI as an expression."""
    signs = {
        "⌊": "floor(",
        "⌋": ")",
        "⌈": "ceil(",
        "⌉": ")",
        "−": "-",
        "Δ": "s",
        "′": "",
        "²": "**2",
    }
    text = "".join(signs.get(character, character) for character in formula)
    return re.sub(r"2C", "2*C", text)


def test_geometry_ends_in_one_vector():
    last = table6.geometry().groupby("instance").last()
    assert last[["H", "W", "C"]].to_numpy().tolist() == [[1, 1, 49]] * 7
