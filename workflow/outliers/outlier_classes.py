"""Outlier detection with each class in turn as the outlier (Sec. V-B).

Writes `outlier_classes.csv` (a row for every instance, dataset and class), and for readers
`outlier_classes.md` and `outlier_classes.tex`. Values are in percent.
"""

from pathlib import Path

import pandas as pd

from workflow.common import frames, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.summaries import area_summary
from workflow.data import registry
from workflow.fit import tidy

KEY = ["dataset", "instance", "recipe"]
READING = (
    tables.SPREAD,
    "Exact AUROC of the top layer; below the classes, mean, standard deviation and range of their "
    "means.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--schedule", required=True, help="name of the changes to the recipes")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read(options.records)
        rows = rows.rename(columns={"settings.instance": "instance", "settings.recipe": "recipe"})
        summary = summarised(rows)
        sections = [
            dataset_section(group, f"Run `{options.run}`: {caption(rows, name, options.schedule)}")
            for name, group in summary.groupby("dataset", sort=False)
        ]
        tables.write_csv(options.out / "outlier_classes.csv", summary)
        tables.write_markdown(options.out / "outlier_classes.md", sections)
        tables.write_tex(options.out / "outlier_classes.tex", sections)


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise the top layer's exact AUROC for every instance, dataset and outlier class.

    `classes_mean`, `classes_std` and `classes_range` describe the means of all classes.
    """
    rows = rows.assign(outlier=rows["classes"].str.removeprefix("not").astype(int))
    lines = []
    for values, group in rows.groupby([*KEY, "outlier"], sort=False):
        succeeded = group[(group["status"] == "ok") & (group["metric"] == "auroc")]
        top = succeeded[succeeded["top"].isin([True])]
        failed = group[group["status"] != "ok"]
        labels = dict(zip([*KEY, "outlier"], values, strict=True)) | {
            "seeds": group["seed"].nunique(),
            "failed": failed["seed"].nunique(),
            "reasons": "; ".join(dict.fromkeys(failed["reason"])),
        }
        lines.append(labels | area_summary(list(100 * top["value"])))
    result = frames.from_rows(lines, "outlier_classes")
    means = result.groupby(KEY, sort=False)["mean"]
    return result.assign(
        classes_mean=means.transform("mean"),
        classes_std=means.transform("std"),
        classes_range=means.transform("max") - means.transform("min"),
        best=False,
    ).sort_values([*KEY, "outlier"], kind="stable")


def caption(rows: pd.DataFrame, dataset: str, schedule: str) -> str:
    """Images, schedule and seeds of one dataset's table."""
    of_dataset = rows[rows["dataset"] == dataset]
    seeds = ", ".join(map(str, sorted(of_dataset["seed"].unique())))
    return (
        f"trained on {tidy.images_of(of_dataset)} without the class, which is then the outlier; "
        f"schedule `{schedule}`, seeds {seeds}."
    )


def dataset_section(summary: pd.DataFrame, text: str) -> tables.Section:
    """One dataset: a row per class, a column per instance."""
    columns, notes = {}, []
    for (instance, recipe), group in summary.groupby(["instance", "recipe"], sort=False):
        name, first = f"{instance} ({recipe})", group.iloc[0]
        cells = {f"class {row['outlier']}": tables.cell(row) for _, row in group.iterrows()}
        cells["mean of the classes"] = tables.number(first["classes_mean"])
        cells["± between them"] = tables.number(first["classes_std"])
        cells["highest − lowest"] = tables.number(first["classes_range"])
        columns[name] = pd.Series(cells)
        failed = group[group["failed"] > 0].itertuples()
        notes += [f"{name}, class {row.outlier}: {row.reasons}" for row in failed]
    cells = pd.DataFrame(columns).fillna(tables.DASH).rename_axis("outlier").reset_index()
    title = f"Outlier classes, {registry.title(summary['dataset'].iloc[0])}"
    return tables.Section(title, text, cells, notes, READING)


if __name__ == "__main__":
    main()
