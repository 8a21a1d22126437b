"""Cells of the paper's tables, our values of them, and whether the two agree.

Our values come from the tables of a run. Areas and accuracies are in percent.
"""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from workflow.common import intervals

CELL = ["table", "row", "column"]
NUMBERS = ["mean", "std", "n"]
RECIPE = "paper"  # of DCGMM, by the paper's text
# The paper names binomial leaves (Sec. IV, RAT-SPN), the default of its release too.
VARIANTS = {"dcgmm": RECIPE, "ratspn": "binomial", "pdspn": "binomial"}
# Treatment of noise in Table III's samples under the corrected protocol; `paper` uses each
# release's own.
CORRECTED_NOISE = "full"
RESOLUTION = 5.0  # percent points; a wider interval around 0 would agree with almost anything
RULE = (
    "Agreement is that of the 95 % t interval of the difference ours − paper (Welch, of both "
    "means, standard deviations and n): `above` or `below` where it lies beside 0, `within` where "
    f"it holds 0 and reaches at most {RESOLUTION:g} points to either side of its middle, else "
    "`undecided`, as without an interval; `not run`: there is no value of ours. Counts of "
    "parameters have to be equal."
)

Tables = dict[str, pd.DataFrame]
"""Stem of a file, as in `table2_grid`, -> its content; tables that were not made are missing."""


def compare(paper: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Compare each of the paper's cells with ours: a row each.

    Columns: the cell; `paper` with its spread, n and line in the text; under the paper's protocol
    `metric`, `point`, `n`, `ours`, `ours_std`, `ours_low`, `ours_high`, `exact` (the exact AUROC of
    the same fits), the difference to the paper with its interval, `p`, `p_holm` (over the table)
    and `agreement`; under the corrected protocol the same, without metric, exact and p, as
    `corrected...`; and `note`, which explains missing and special values.
    """
    measured = {
        (line["table"], line["row"], line["column"], line["protocol"]): line
        for line in _measured(tables)
    }
    rows = [_row(cell, measured, tables) for cell in paper.to_dict("records")]
    result = pd.DataFrame(rows)
    result["p_holm"] = result.groupby("table")["p"].transform(intervals.holm)
    return result


def agreement(cell: dict[str, Any], difference: intervals.Difference) -> str:
    """The verdict on one value of ours, by `RULE`."""
    if math.isnan(difference.mean):
        return "not run"
    if cell["column"] == "parameters":
        return _side(difference.mean, difference.mean)
    if math.isnan(difference.low):
        return "undecided"
    verdict = _side(difference.low, difference.high)
    wide = difference.high - difference.low > 2 * RESOLUTION
    return "undecided" if verdict == "within" and wide else verdict


def _side(low: float, high: float) -> str:
    return "above" if low > 0 else "below" if high < 0 else "within"


def _row(cell: dict[str, Any], measured: dict[tuple, dict], tables: Tables) -> dict[str, Any]:
    """The row of one cell of the paper."""
    key = tuple(cell[name] for name in CELL)
    ours, corrected = (measured.get((*key, name), {}) for name in ("paper", "corrected"))
    gap, corrected_gap = _difference(ours, cell), _difference(corrected, cell)
    return {
        **{name: cell[name] for name in CELL},
        "paper": cell["value"],
        "paper_spread": cell["spread"],
        "paper_n": cell["n"],
        "paper_line": cell["source_line"],
        "metric": ours.get("metric"),
        "exact": ours.get("exact", math.nan),
        **_values(ours, "ours", ""),
        **_gap(gap, cell, ""),
        "p": gap.p,
        **_values(corrected, "corrected", "corrected_"),
        **_gap(corrected_gap, cell, "corrected_"),
        "note": ours.get("note") or corrected.get("note") or _missing(cell, ours, tables),
    }


def _difference(ours: dict[str, Any], cell: dict[str, Any]) -> intervals.Difference:
    if not ours.get("n", 0) > 0:
        return intervals.Difference(*4 * (math.nan,))
    paper = cell["value"], cell["spread"], 0 if pd.isna(cell["n"]) else int(cell["n"])
    return intervals.between_summaries((ours["mean"], ours["std"], int(ours["n"])), paper)


def _values(ours: dict[str, Any], name: str, prefix: str) -> dict[str, Any]:
    mean, std, n = (ours.get(key, math.nan) for key in NUMBERS)
    low, high = intervals.mean_interval(mean, std, n)
    percent = ours.get("column") != "parameters"
    return {
        f"{prefix}point": ours.get("point"),
        f"{prefix}n": n,
        name: mean,
        f"{name}_std": std,
        f"{name}_low": max(low, 0.0) if percent else low,  # max and min keep a NaN that comes first
        f"{name}_high": min(high, 100.0) if percent else high,
    }


def _gap(gap: intervals.Difference, cell: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}difference": gap.mean,
        f"{prefix}difference_low": gap.low,
        f"{prefix}difference_high": gap.high,
        f"{prefix}agreement": agreement(cell, gap),
    }


def _missing(cell: dict[str, Any], ours: dict[str, Any], tables: Tables) -> str:
    """Explain why there is no value, or no interval, under the paper's protocol."""
    files = {"I": "table1", "II": "table2", "III": "table3", "IV": "table4", "V": "table5"}
    if ours.get("n", 0) > 0:
        single = cell["column"] != "parameters" and ours["n"] < 2
        return "a single value has no spread" if single else ""
    if ours:
        return ours.get("reasons") or "no value"
    if cell["table"] == "IV" and cell["row"] != "DCGMM-B":
        return "the paper quotes the literature; not part of the suite"
    made = files[cell["table"]] in tables
    return "not asked for in this run" if made else f"Table {cell['table']} was not made"


def _measured(tables: Tables) -> Iterator[dict[str, Any]]:
    """Our values: one for each cell and protocol that the run's tables have."""
    readers = {
        "table1": _table1, "table2": _table2, "table3": _table3, "table4": _table4,
        "table5": _table5,
    }  # fmt: skip
    for name, reader in readers.items():
        if name in tables and len(tables[name]):
            yield from reader(tables)


def _line(table: str, row: str, column: str, protocol: str, **more: Any) -> dict[str, Any]:
    return {"table": table, "row": row, "column": column, "protocol": protocol} | more


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Mean, spread and n of a table's row, with reasons of failures and a note."""
    remarks = {"reasons": "" if pd.isna(row.get("reasons")) else row["reasons"]}
    if row.get("other"):
        remarks["note"] = f"of the variant `{row['variant']}`, since the paper's was not run"
    return {name: row[name] for name in NUMBERS} | remarks


def _table1(tables: Tables) -> Iterator[dict[str, Any]]:
    """Table I, where both protocols share their fits and differ in the measure."""
    rows = tables["table1"]
    rows = rows[rows["recipe"] == RECIPE]
    exact = rows[rows["metric"] == "auroc"].set_index(["instance", "dataset"])["mean"]
    for protocol, metric in (("paper", "auc100"), ("corrected", "auroc")):
        for row in rows[rows["metric"] == metric].to_dict("records"):
            yield _line(
                "I", row["instance"], row["dataset"], protocol,
                metric=metric, point=f"{row['instance']}-{RECIPE}",
                exact=exact.get((row["instance"], row["dataset"]), math.nan), **_numbers(row),
            )  # fmt: skip


def _table2(tables: Tables) -> Iterator[dict[str, Any]]:
    """Table II: each method's chosen point, with the exact AUROC on the pixels scored."""
    key = ["method", "variant", "grid_point", "dataset", "evidence"]
    grid = tables.get("table2_grid", pd.DataFrame(columns=[*key, "metric", "mean"]))
    grid = grid.fillna({"variant": ""})
    exact = grid[grid["metric"] == "auroc"].set_index(key)["mean"]
    rows = tables["table2"].fillna({"variant": ""})
    for row in _preferred(rows, ["protocol", "title", "dataset"]).to_dict("records"):
        yield _line(
            "II", row["title"], row["dataset"], row["protocol"],
            metric=row["metric"], point=row["grid_point"],
            exact=exact.get(tuple(row[name] for name in key), math.nan), **_numbers(row),
        )  # fmt: skip


def _table3(tables: Tables) -> Iterator[dict[str, Any]]:
    """Table III: accuracies, with their spread over judges, and the paper's parameter counts."""
    rows = tables["table3"].rename(columns={"std_judges": "std", "judges": "n"})
    rows = rows[rows["method"] != "control"].fillna({"variant": ""})
    for protocol, drawn in (
        ("paper", rows[rows["published"]]),
        ("corrected", rows[rows["treatment"] == CORRECTED_NOISE]),
    ):
        for row in _preferred(drawn, ["title", "dataset"]).to_dict("records"):
            yield _line(
                "III", row["title"], row["dataset"], protocol,
                metric="accuracy", point=row["point"], **_numbers(row),
            )  # fmt: skip
    for row in _preferred(rows, ["title"]).to_dict("records"):
        count = row["parameters"] if pd.isna(row["centroids"]) else row["centroids"]
        if pd.notna(count):
            yield _parameter_count("III", row["title"], count, row["point"])


def _table4(tables: Tables) -> Iterator[dict[str, Any]]:
    rows = tables["table4"]
    for row in rows[rows["recipe"] == RECIPE].to_dict("records"):
        yield _line(
            "IV", row["title"], row["dataset"], "paper",
            metric="accuracy", point=f"{row['instance']}-{RECIPE}", **_numbers(row),
        )  # fmt: skip


def _table5(tables: Tables) -> Iterator[dict[str, Any]]:
    rows = tables["table5"].fillna({"note": ""})
    for row in rows[rows["recipe"] == RECIPE].to_dict("records"):
        yield _parameter_count("V", row["instance"], row["centroids"], row["layers"], row["note"])


def _parameter_count(
    table: str, row: str, value: float, point: str, note: str = ""
) -> dict[str, Any]:
    """A number of parameters, which has no spread."""
    return _line(
        table, row, "parameters", "paper",
        metric="parameters", point=point, mean=float(value), std=math.nan, n=1, note=note,
    )  # fmt: skip


def _preferred(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """One row per key: of the variant that the paper names, if it was run, else the first."""
    papers = rows["method"].map(VARIANTS)
    other = papers.notna() & (rows["variant"] != papers)
    return rows.assign(other=other).sort_values("other", kind="stable").drop_duplicates(key)
