"""Table II: outlier detection by DCGMM-E and its competitors, under every protocol.

Writes `table2.csv` (the chosen points), `table2_grid.csv` (every point) and `table2_effects.csv`
(the effect of the protocol); the first and the last for readers as `table2.md` and `table2.tex`.
Values are in percent.
"""

import json
from pathlib import Path

import pandas as pd

from workflow.common import frames, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import masks, registry
from workflow.fit import tidy
from workflow.outliers import selection

READING = (
    tables.SPREAD,
    "`paper` measures the 100-threshold AUC as the authors' release does, `corrected` the exact "
    "AUROC of whole images. Where a grid was searched, a point is chosen: `paper` by its best test "
    "AUC; `corrected` by the highest log-likelihood of the inliers kept aside. The paper's values "
    "stand beside both.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--plan", required=True, type=json.loads, help="JSON, see selection.Plan")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        # The chosen points, beside the paper's values.
        records = selection.with_models(tidy.read(options.records))
        grid = selection.grid_summary(records)
        choices = selection.choose(grid, options.plan)
        effects = selection.effects(grid, choices, options.plan)
        choices = with_paper(choices, frames.read_paper(options.paper))

        # For readers, a section for each dataset and one for the protocol's effect.
        sections = [
            choice_section(
                group,
                caption(records[records["dataset"] == name], options.run),
                missing(grid[grid["dataset"] == name]),
            )
            for name, group in choices.groupby("dataset", sort=False)
        ]
        if len(effects):
            sections.append(effect_section(effects))
        tables.write_csv(options.out / "table2.csv", choices)
        tables.write_csv(options.out / "table2_grid.csv", grid)
        tables.write_csv(options.out / "table2_effects.csv", effects)
        tables.write_markdown(options.out / "table2.md", sections)
        tables.write_tex(options.out / "table2.tex", sections)


def with_paper(choices: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add the paper's value, the difference from it, and whether ours is its protocol's best."""
    published = paper[paper["table"] == "II"].rename(
        columns={"row": "title", "column": "dataset", "value": "paper", "spread": "paper_spread"}
    )
    columns = ["title", "dataset", "paper", "paper_spread"]
    choices = choices.merge(published[columns], "left", ["title", "dataset"])
    choices["difference"] = choices["mean"] - choices["paper"]
    highest = choices.groupby(["protocol", "dataset"])["mean"].transform("max")
    choices["best"] = choices["mean"] == highest
    return choices


def caption(records: pd.DataFrame, run: str) -> str:
    """Images, outlier class and seeds of one dataset's table."""
    outlier = records["classes"].iloc[0].removeprefix("not")
    seeds = ", ".join(map(str, sorted(records["seed"].unique())))
    return (
        f"Run `{run}`: {tidy.images_of(records)} without class {outlier}, which is then the "
        f"outlier; seeds {seeds}."
    )


def missing(grid: pd.DataFrame) -> list[str]:
    """One sentence for each reason why fits of one dataset failed, naming their grid points."""
    failed = grid[grid["failed"] > 0].drop_duplicates(["method", "grid_point"])
    return [
        f"no result: {title}, {', '.join(f'`{p}`' for p in dict.fromkeys(group['grid_point']))}: "
        f"{reason}"
        for (title, reason), group in failed.groupby(["title", "reasons"], sort=False)
    ]


def choice_section(choices: pd.DataFrame, scale: str, notes: list[str]) -> tables.Section:
    """One dataset: a row for every model and protocol."""
    cells = []
    order = {model: place for place, model in enumerate(choices["method"].unique())}
    ranked = choices.assign(order=choices["method"].map(order))
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
                "scored": masks.TITLES[row["evidence"]],
                "AUC": tables.cell(pd.Series(row)),
                "paper": tables.spread(row["paper"], row["paper_spread"]),
                "difference": tables.number(row["difference"], signed=True),
                "n": f"{row['n']} of {row['seeds']}" if row["failed"] else f"{row['n']}",
            }
        )
    name = registry.title(choices["dataset"].iloc[0])
    title = f"Table II, {name}: outlier detection, DCGMM-E and its competitors"
    return tables.Section(title, scale, pd.DataFrame(cells), notes, READING)


def effect_section(effects: pd.DataFrame) -> tables.Section:
    """Scores of whole against half images: one row per grid point."""
    cells = []
    key = ["method", "title", "variant", "grid_point"]
    scored = {
        name: words for name, words in masks.TITLES.items() if name in set(effects["evidence"])
    }
    for (_, title, variant, point), group in effects.groupby(key, sort=False):
        line = {"model": tables.model(title, variant), "trained as": point}
        for dataset in effects["dataset"].unique():
            for evidence, words in scored.items():
                area = group[(group["dataset"] == dataset) & (group["evidence"] == evidence)]
                text = tables.spread(area["mean"].iloc[0], area["std"].iloc[0]) if len(area) else ""
                line[f"{registry.title(dataset)}, {words}"] = text or tables.DASH
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
