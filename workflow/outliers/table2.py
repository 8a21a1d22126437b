"""Table II: outlier detection by DCGMM-E and its competitors, under every protocol.

Writes `table2.csv` (the chosen points), `table2_grid.csv` (every point), `table2_effects.csv` (what
the protocols' differences do), and the first and the last for readers in `table2.md` and
`table2.tex`. Values are in percent.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from workflow.common import frames, tables
from workflow.common.command_line import plain_errors
from workflow.fit import tidy
from workflow.outliers import selection

EVIDENCE = {"all": "whole image", "bottom_half": "bottom half"}
READING = (
    tables.SPREAD,
    "`paper` measures the 100-threshold AUC as the authors' release does, `corrected` the exact "
    "AUROC of whole images. Where a grid was searched, a point is chosen: `paper` by its best test "
    "AUC; `corrected` by the highest log-likelihood of the inliers kept aside. The paper's values "
    "stand beside both.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.outliers.table2", description=__doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--plan", required=True, type=json.loads, help="JSON, see selection.Plan")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        records = selection.with_models(tidy.read(options.records))
        grid = selection.grid_summary(records)
        chosen = selection.choose(grid, options.plan)
        effects = selection.effects(grid, chosen, options.plan)
        chosen = with_paper(chosen, frames.read_paper(options.paper))
        sections = [
            chosen_section(
                group,
                caption(records[records["dataset"] == name], options.run),
                missing(grid[grid["dataset"] == name]),
            )
            for name, group in chosen.groupby("dataset", sort=False)
        ]
        if len(effects):
            sections.append(effect_section(effects))
        tables.write_csv(options.out / "table2.csv", chosen)
        tables.write_csv(options.out / "table2_grid.csv", grid)
        tables.write_csv(options.out / "table2_effects.csv", effects)
        tables.write_markdown(options.out / "table2.md", sections)
        tables.write_tex(options.out / "table2.tex", sections)


def with_paper(chosen: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add the paper's value, our difference, and whether ours is its protocol's best."""
    published = paper[paper["table"] == "II"].rename(
        columns={"row": "title", "column": "dataset", "value": "paper", "spread": "paper_spread"}
    )
    columns = ["title", "dataset", "paper", "paper_spread"]
    chosen = chosen.merge(published[columns], "left", ["title", "dataset"])
    chosen["difference"] = chosen["mean"] - chosen["paper"]
    highest = chosen.groupby(["protocol", "dataset"])["mean"].transform("max")
    chosen["best"] = chosen["mean"] == highest
    return chosen


def caption(records: pd.DataFrame, run: str) -> str:
    """Images, outlier class and seeds of one dataset's table."""
    outlier = records["classes"].iloc[0].removeprefix("not")
    seeds = ", ".join(map(str, sorted(records["seed"].unique())))
    return (
        f"Run `{run}`: {tables.images_of(records)} without class {outlier}, which is then the "
        f"outlier; seeds {seeds}."
    )


def missing(grid: pd.DataFrame) -> list[str]:
    """One sentence for each reason why fits of one dataset have no result, and which they are."""
    lacking = grid[grid["failed"] > 0].drop_duplicates(["method", "grid_point"])
    return [
        f"no result: {title}, {', '.join(f'`{p}`' for p in dict.fromkeys(group['grid_point']))}: "
        f"{reason}"
        for (title, reason), group in lacking.groupby(["title", "reasons"], sort=False)
    ]


def chosen_section(chosen: pd.DataFrame, scale: str, notes: list[str]) -> tables.Section:
    """One dataset: a row for every model and protocol."""
    cells = []
    order = {model: place for place, model in enumerate(chosen["method"].unique())}
    ranked = chosen.assign(order=chosen["method"].map(order))
    for row in ranked.sort_values(["order", "variant"], kind="stable").to_dict("records"):
        measured = row["n"] > 0
        cells.append(
            {
                "model": tables.model(row["title"], row["variant"]),
                "protocol": row["protocol"],
                "grid point": f"{row['grid_point']} (of {row['candidates']})"
                if measured
                else tables.DASH,
                "parameters": tables.count(row["parameters"]) if measured else tables.DASH,
                "images": tables.count(row["train_images"]),
                "scored": EVIDENCE[row["evidence"]],
                "AUC": tables.cell(pd.Series(row)),
                "paper": tables.spread(row["paper"], row["paper_spread"]),
                "difference": tables.number(row["difference"], signed=True),
                "n": f"{row['n']} of {row['seeds']}" if row["failed"] else f"{row['n']}",
            }
        )
    name = tables.name(chosen["dataset"].iloc[0])
    title = f"Table II, {name}: outlier detection, DCGMM-E and its competitors"
    return tables.Section(title, scale, pd.DataFrame(cells), notes, READING)


def effect_section(effects: pd.DataFrame) -> tables.Section:
    """Whole against half images, however trained: one line a grid point."""
    cells = []
    key = ["method", "title", "variant", "grid_point"]
    for (_, title, variant, point), group in effects.groupby(key, sort=False):
        line = {"model": tables.model(title, variant), "trained as": point}
        for dataset in effects["dataset"].unique():
            for evidence, words in EVIDENCE.items():
                here = group[(group["dataset"] == dataset) & (group["evidence"] == evidence)]
                text = tables.spread(here["mean"].iloc[0], here["std"].iloc[0]) if len(here) else ""
                line[f"{tables.name(dataset)}, {words}"] = text or tables.DASH
        cells.append(line)
    return tables.Section(
        "Table II, what the protocol does",
        "Exact AUROC in %, mean ± standard deviation, at the point of the grid that the corrected "
        "protocol chooses (the choice may differ between datasets), trained as each protocol "
        "trains, and scored on whole images or on their bottom half, the rest integrated out. A "
        "dash: the method has no marginals, or this point was not chosen on this dataset.",
        pd.DataFrame(cells),
    )


if __name__ == "__main__":
    main()
