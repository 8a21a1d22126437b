"""Comparison of a run with the published results, cell by cell, given their spread over seeds.

Writes `reproduction.csv`, and `reproduction.md`, which lists cells outside the tolerance first.
"""

from pathlib import Path

import pandas as pd

from workflow.common import tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.comparison import reproduction
from workflow.data import registry
from workflow.fit import tidy

SHOWN = ["outside", "no spread", "within", "equal"]  # in this order; other verdicts are counted
AREAS = {"auroc", "auc100", "accuracy"}  # shown in percent


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, nargs="+", type=Path, help="of the run, CSV")
    parser.add_argument("--published", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        ours = tidy.read_all(options.records)
        result = reproduction.compare(ours, tidy.read(options.published))
        tables.write_csv(options.out / "reproduction.csv", result)
        section = result_section(result, options.run, options.published)
        tables.write_markdown(options.out / "reproduction.md", [section])


def result_section(result: pd.DataFrame, run: str, published: Path) -> tables.Section:
    """Count the verdicts, and list the cells that could be compared."""
    counts = result["verdict"].value_counts().reindex(reproduction.VERDICTS, fill_value=0)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    shown = result[result["verdict"].isin(SHOWN)]
    shown = shown.sort_values("verdict", key=lambda names: names.map(SHOWN.index), kind="stable")
    changed = sorted({name for names in result["settings"] if names for name in names.split(", ")})
    notes = [f"settings that differ: {', '.join(changed)}"] if changed else []
    return tables.Section(
        f"Run `{run}` beside the published results",
        f"Of {len(result)} cells: {verdicts}. {reproduction.RULE} Published: `{published}`.",
        pd.DataFrame(map(_comparison_cells, shown.to_dict("records")), dtype=object),
        notes,
    )


def _comparison_cells(row: dict) -> dict[str, str]:
    scale = 100 if row["metric"] in AREAS else 1
    return {
        "model": f"{row['method']} {row['grid_point']}",
        "dataset": registry.title(row["dataset"]),
        "task": f"{row['task']}, {row['classes']}",
        "measure": f"{row['metric']}, {row['evidence']}, layer {row['layer']}",
        "ours": tables.number(scale * row["mean"], 2),
        "n": str(row["n"]),
        "published": tables.number(scale * row["published_mean"], 2),
        "published n": str(row["published_n"]),
        "difference": tables.number(scale * row["difference"], 2, signed=True),
        "tolerance": tables.number(scale * row["tolerance"], 2),
        "verdict": row["verdict"],
    }


if __name__ == "__main__":
    main()
