"""Table I: outlier detection by the instances of DCGMM, beside the paper's values.

Writes `table1.csv` (the top layer), `table1_layers.csv` (every layer), and both for readers as
`table1.md` and `table1.tex`. Values are in percent.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.summaries import area_summary
from workflow.data import registry
from workflow.fit import tidy

KEY = ["instance", "recipe", "dataset"]
PAPERS_METRIC = "auc100"
READING = (
    tables.SPREAD,
    "The exact AUROC is rank-based; the 100-threshold AUC is the paper's measure, to which its "
    "values and the difference refer.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--schedule", required=True, help="name of the changes to the recipes")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read(options.records)
        rows = rows[(rows["method"] == "dcgmm") & (rows["task"] == "outliers")]
        rows = rows.rename(columns={"settings.instance": "instance", "settings.recipe": "recipe"})
        summary = with_paper(summarised(rows), frames.read_paper(options.paper))
        top = summary[summary["top"]]
        sections = [
            top_section(top[top["dataset"] == name], caption(group, options.run, options.schedule))
            for name, group in rows.groupby("dataset", sort=False)
        ]
        if summary["n"].any():
            sections.append(layer_section(summary))
        tables.write_csv(options.out / "table1.csv", top)
        tables.write_csv(options.out / "table1_layers.csv", summary)
        tables.write_markdown(options.out / "table1.md", sections)
        tables.write_tex(options.out / "table1.tex", sections)


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise over seeds, in percent, for every instance, recipe, dataset, layer and metric.

    Where every seed failed, each metric has a row without a layer and with n = 0.
    """
    lines = (
        line
        for key, group in rows.groupby(KEY, sort=False)
        for line in _group_lines(dict(zip(KEY, key, strict=True)), group)
    )
    return frames.from_rows(lines, "table1", without=frames.PAPERS).astype({"top": bool})


def _group_lines(key: dict[str, str], group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of the summary for one instance, recipe and dataset."""
    failed = group[group["status"] != "ok"]
    reasons = [f"seed {row.seed}: {row.status}, {row.reason}" for row in failed.itertuples()]
    common = key | {
        "epochs": tidy.count(group["settings.hyperparameters.epochs"].iloc[0]),
        "seeds": group["seed"].nunique(),
        "failed": failed["seed"].nunique(),
        "reasons": "; ".join(reasons),
    }
    succeeded = group[(group["status"] == "ok") & group["metric"].notna()]
    if succeeded.empty:
        for metric in ("auroc", PAPERS_METRIC):
            yield common | {"layer": pd.NA, "top": True, "metric": metric} | area_summary([])
    for (layer, top, metric), values in succeeded.groupby(["layer", "top", "metric"], sort=False):
        numbers = area_summary(list(100 * values["value"]))
        yield common | {"layer": layer, "top": top, "metric": metric} | numbers


def with_paper(summary: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add the paper's value of the top layer, the difference from it, and whether ours is best.

    The best is the highest mean of a column of Table I: one recipe, dataset, layer rank and metric.
    """
    published = paper[paper["table"] == "I"].rename(
        columns={"row": "instance", "column": "dataset", "value": "paper", "spread": "paper_spread"}
    )
    summary = summary.merge(
        published[["instance", "dataset", "paper", "paper_spread"]], "left", ["instance", "dataset"]
    )
    summary.loc[~summary["top"], ["paper", "paper_spread"]] = float("nan")
    summary["difference"] = summary["mean"] - summary["paper"]
    column = summary.where(summary["top"])["mean"]
    highest = column.groupby([summary[k] for k in ("recipe", "dataset", "metric")]).transform("max")
    summary["best"] = column == highest
    return summary


def caption(rows: pd.DataFrame, run: str, schedule: str) -> str:
    """Images, outlier class, schedule and seeds of one dataset's table."""
    seeds = sorted(rows["seed"].unique())
    outlier = rows["classes"].iloc[0].removeprefix("not")
    return (
        f"Run `{run}`: trained on {tidy.images_of(rows)} ({rows['train_images'].iloc[0]} images) "
        f"without class {outlier}, which is then the outlier; schedule `{schedule}`, epochs as "
        f"listed, seeds {', '.join(map(str, seeds))}."
    )


def top_section(top: pd.DataFrame, scale: str) -> tables.Section:
    """One dataset of Table I: the top layer of each instance."""
    cells, notes = [], []
    for (instance, recipe), group in top.groupby(["instance", "recipe"], sort=False):
        measures = group.set_index("metric")
        exact, coarse = measures.loc["auroc"], measures.loc[PAPERS_METRIC]
        cells.append(
            {
                "ID": instance,
                "recipe": recipe,
                "epochs": tables.number(exact["epochs"], 0),
                metrics.MEASURES["auroc"].title: tables.cell(exact),
                metrics.MEASURES[PAPERS_METRIC].title: tables.cell(coarse),
                "paper": tables.spread(coarse["paper"], coarse["paper_spread"]),
                "difference": tables.number(coarse["difference"], signed=True),
                "n": f"{exact['n']} of {exact['seeds']}" if exact["failed"] else f"{exact['n']}",
            }
        )
        if exact["failed"]:
            notes.append(f"{instance}, {recipe}: {exact['reasons']}")
    title = f"Table I, {registry.title(top['dataset'].iloc[0])}: outlier detection by the top layer"
    return tables.Section(title, scale, pd.DataFrame(cells), notes, READING)


def layer_section(summary: pd.DataFrame) -> tables.Section:
    """Every cGMM layer, bottom to top, by the exact measure; the best of each row is marked."""
    exact = summary[(summary["metric"] == "auroc") & (summary["n"] > 0)]
    cells = []
    for (instance, recipe, dataset), group in exact.groupby(KEY, sort=False):
        line = {"ID": instance, "recipe": recipe, "dataset": registry.title(dataset)}
        for rank, row in enumerate(group.itertuples(), start=1):
            text = tables.spread(row.mean, row.std)
            best = row.mean == group["mean"].max() and len(group) > 1
            line[f"cGMM layer {rank}"] = f"L{row.layer}: {tables.best(text) if best else text}"
        cells.append(line)
    return tables.Section(
        "Table I, every layer",
        "Exact AUROC in % of each cGMM layer, bottom to top, mean ± standard deviation.",
        pd.DataFrame(cells).fillna(tables.DASH),
    )


if __name__ == "__main__":
    main()
