"""Table IV: classification accuracy of DCGMM with a classifier layer, and of the literature.

Writes `table4.csv`, `table4.md` and `table4.tex`; values are in percent. In the paper's text, the
classifier reads the two highest cGMM layers of B; in its release, the lower one of another
architecture. Of deeper instances, the text says without numbers that they are worse (Sec. V-I).
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.summaries import area_summary
from workflow.data import registry
from workflow.fit import tidy
from workflow.plan import catalogue

OURS = "DCGMM-B"  # the only row of the paper that is not quoted from the literature
READING = (
    tables.SPREAD,
    "Accuracy on test images. Values of sum-product networks are the paper's, from the literature.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read(options.records)
        paper = frames.read_paper(options.paper)
        paper = paper[paper["table"] == "IV"]
        summary = with_paper(summarised(rows), paper)
        sections = [
            dataset_section(group, paper[paper["column"] == name], rows, options.run)
            for name, group in summary.groupby("dataset", sort=False)
        ]
        tables.write_csv(options.out / "table4.csv", summary)
        tables.write_markdown(options.out / "table4.md", sections)
        tables.write_tex(options.out / "table4.tex", sections)


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise over seeds, in percent, for every instance, recipe and dataset."""
    key = ["settings.instance", "settings.recipe", "dataset"]
    lines = []
    for (instance, recipe, dataset), group in rows.groupby(key, sort=False):
        succeeded, failed = group[group["status"] == "ok"], group[group["status"] != "ok"]
        inputs = group["settings.hyperparameters.classifier.inputs"].iloc[0]
        labels = {
            "title": catalogue.title_of_classifier(instance),
            "instance": instance,
            "recipe": recipe,
            "dataset": dataset,
            "layers": group["settings.layers"].iloc[0],
            "inputs": ", ".join(f"L{index}" for index in json.loads(inputs)),
            "epochs": tidy.count(group["settings.hyperparameters.epochs"].iloc[0]),
            "parameters": group["parameter_count"].max(),
            "seeds": group["seed"].nunique(),
            "failed": failed["seed"].nunique(),
            "reasons": "; ".join(dict.fromkeys(failed["reason"])),
        }
        lines.append(labels | area_summary(list(100 * succeeded["value"])))
    return frames.from_rows(lines, "table4", without=frames.PAPERS).astype({"parameters": "Int64"})


def with_paper(summary: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add the paper's value, the difference from it, and whether ours is best."""
    published = paper.rename(
        columns={"row": "title", "column": "dataset", "value": "paper", "spread": "paper_spread"}
    )
    key = ["title", "dataset"]
    summary = summary.merge(published[[*key, "paper", "paper_spread"]], "left", key)
    summary["difference"] = summary["mean"] - summary["paper"]
    summary["best"] = summary["mean"] == summary.groupby("dataset")["mean"].transform("max")
    return summary


def dataset_section(
    ours: pd.DataFrame, paper: pd.DataFrame, rows: pd.DataFrame, run: str
) -> tables.Section:
    """One dataset: our rows, then the literature's, which were not run."""
    cells = [_model_cells(row) for row in ours.to_dict("records")]
    cells += [
        {
            "model": row.row,
            "accuracy": tables.DASH,
            "paper": tables.number(row.value, 2),
        }
        for row in paper[paper["row"] != OURS].itertuples()
    ]

    name = ours["dataset"].iloc[0]
    fits = rows[rows["dataset"] == name]
    caption = (
        f"Run `{run}`: trained on {tidy.images_of(fits)} "
        f"({tables.count(fits['train_images'].iloc[0])} images)."
    )
    failed = ours[ours["failed"] > 0].itertuples()
    notes = [f"{row.title} ({row.recipe}): {row.reasons}" for row in failed]
    table = pd.DataFrame(cells).fillna(tables.DASH)
    title = f"Table IV, {registry.title(name)}: classification"
    return tables.Section(title, caption, table, notes, READING)


def _model_cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "model": f"{row['title']} ({row['recipe']})",
        "layers": row["layers"],
        "classifier reads": row["inputs"],
        "epochs": tables.number(row["epochs"], 0),
        "parameters": tables.count(row["parameters"]),
        "accuracy": tables.cell(pd.Series(row)),
        "paper": tables.spread(row["paper"], row["paper_spread"]),
        "difference": tables.number(row["difference"], signed=True),
        "n": f"{row['n']} of {row['seeds']}" if row["failed"] else f"{row['n']}",
    }


if __name__ == "__main__":
    main()
