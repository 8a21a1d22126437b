"""Effect on outlier detection of changing one factor of a recipe at a time.

Writes `ablations.csv` (a row for every instance, dataset, factor and measure), and for readers
`ablations.md` and `ablations.tex`. Values are in percent, differences in points.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, intervals, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.summaries import area_summary
from workflow.data import registry
from workflow.fit import tidy

KEY = ["dataset", "instance"]
READING = (
    tables.SPREAD,
    "Values are of the top layer; differences are to the recipe as it is, of the same seeds "
    "[paired 95 % t interval]. A line that names several changes is another published recipe. The "
    "paper's values are 100-threshold AUCs.",
)
MODEL = ("settings.layers", "settings.hyperparameters.")  # prefixes of columns a factor may change


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--recipe", required=True, help="name of the recipe that is changed")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--schedule", required=True, help="name of the changes to the recipes")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read(options.records)
        rows = rows.rename(columns={"settings.instance": "instance"})
        summary = summarised(rows, options.recipe)
        paper = frames.read_paper(options.paper).query("table == 'I'").set_index(["column", "row"])
        sections = [
            dataset_section(group, paper["value"], caption(rows[rows["dataset"] == name], options))
            for name, group in summary.groupby("dataset", sort=False)
        ]
        tables.write_csv(options.out / "ablations.csv", summary)
        tables.write_markdown(options.out / "ablations.md", sections)
        tables.write_tex(options.out / "ablations.tex", sections)


def summarised(rows: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Summarise the top layer over seeds, in percent, for every grid point and measure.

    `difference` is the change from the unchanged recipe, with a paired t interval over the `pairs`
    of seeds that both have; the unchanged recipe's rows have none. `changed` names the changes.
    """
    lines = []
    for key, group in rows.groupby(KEY, sort=False):
        base = group[group["grid_point"] == f"{key[1]}-{recipe}"]
        for point, point_rows in group.groupby("grid_point", sort=False):
            failed = point_rows[point_rows["status"] != "ok"]
            labels = dict(zip(KEY, key, strict=True)) | {
                "point": point,
                "changed": differences(base.iloc[0], point_rows.iloc[0]) if len(base) else "",
                "base": point == f"{key[1]}-{recipe}",
                "seeds": point_rows["seed"].nunique(),
                "failed": failed["seed"].nunique(),
                "reasons": "; ".join(dict.fromkeys(failed["reason"])),
            }
            for metric in metrics.METRICS:
                values = _by_seed(point_rows, metric)
                line = labels | {"metric": metric} | area_summary(list(values))
                lines.append(line | _difference(values, _by_seed(base, metric), labels["base"]))
    return frames.from_rows(lines, "ablations").assign(best=False)


def differences(base: pd.Series, other: pd.Series) -> str:
    """Name the layers and hyper-parameters in which a grid point differs from another.

    >>> base, other = ({"settings.hyperparameters.shuffle": way} for way in ("epoch", "once"))
    >>> differences(pd.Series(base), pd.Series(other))
    'shuffle once, not epoch'
    """
    words = []
    for column in base.index:
        if not column.startswith(MODEL):
            continue
        base_value, other_value = (_word(row[column]) for row in (base, other))
        if base_value != other_value:
            name = column.removeprefix("settings.").removeprefix("hyperparameters.")
            words.append(f"{name} {other_value}, not {base_value}")
    return "; ".join(words)


def _word(value: Any) -> str:
    """Write a setting from the tidy table, which holds a text, a list in JSON or a number."""
    if pd.isna(value):
        return "unset"
    return value if isinstance(value := tidy.setting(value), str) else f"{value:g}"


def _by_seed(rows: pd.DataFrame, metric: str) -> pd.Series:
    """The top layer's values in percent, by seed."""
    succeeded = rows[
        (rows["status"] == "ok") & (rows["metric"] == metric) & rows["top"].isin([True])
    ]
    return 100 * succeeded.set_index("seed")["value"].astype(float)


def _difference(changed: pd.Series, base: pd.Series, is_base: bool) -> dict[str, Any]:
    """Mean change from the base over the seeds of both; empty for the base itself."""
    seeds = changed.index.intersection(base.index)
    if is_base or seeds.empty:
        unknown = float("nan")
        return {"pairs": 0, "difference": unknown, "low": unknown, "high": unknown}
    result = intervals.paired(list(changed[seeds]), list(base[seeds]))
    return {
        "pairs": len(seeds), "difference": result.mean, "low": result.low, "high": result.high
    }  # fmt: skip


def caption(rows: pd.DataFrame, options: argparse.Namespace) -> str:
    """Images, outlier class, schedule, seeds and recipe of one dataset's table."""
    seeds = ", ".join(map(str, sorted(rows["seed"].unique())))
    outlier = rows["classes"].iloc[0].removeprefix("not")
    return (
        f"Run `{options.run}`: trained on {tidy.images_of(rows)} without class {outlier}, which "
        f"is then the outlier; schedule `{options.schedule}`, seeds {seeds}. Each line is the "
        f"recipe `{options.recipe}` but for what it names."
    )


def dataset_section(summary: pd.DataFrame, paper: pd.Series, text: str) -> tables.Section:
    """One dataset: a row per grid point."""
    dataset, cells, notes = summary["dataset"].iloc[0], [], []
    for (instance, _), group in summary.groupby(["instance", "point"], sort=False):
        row = group.iloc[0]
        published = paper.get((dataset, instance), float("nan"))
        line = {"ID": instance, "changed": "nothing" if row["base"] else row["changed"]}
        for metric in metrics.METRICS:
            name = metrics.MEASURES[metric].title
            values = group.set_index("metric").loc[metric]
            line |= {name: tables.cell(values), f"Δ {name}": _difference_cell(values)}
        line["paper"] = tables.number(published) if row["base"] else ""
        cells.append(line)
        if row["failed"]:
            notes.append(f"{row['point']}: {row['reasons']}")
    title = f"One factor at a time, {registry.title(dataset)}"
    return tables.Section(title, text, pd.DataFrame(cells), notes, READING)


def _difference_cell(row: pd.Series) -> str:
    """A difference with its interval; empty for the unchanged recipe."""
    if row["base"]:
        return ""
    text = tables.number(row["difference"], signed=True)
    low, high = (tables.number(row[name], signed=True) for name in ("low", "high"))
    return f"{text} [{low}, {high}]" if row["pairs"] > 1 else text


if __name__ == "__main__":
    main()
