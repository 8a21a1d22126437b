"""Comparison of every number of the paper's Tables I to V with ours, under both protocols.

Writes `comparison.csv` and `comparison.md`. Cells of tables that the run lacks are `not run`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from workflow.common import frames, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.comparison import paper_cells
from workflow.data import registry
from workflow.fit import reductions, tidy

VERDICTS = ["within", "above", "below", "undecided", "not run"]
TITLES = {
    "I": "Table I: outlier detection by DCGMM instances",
    "II": "Table II: outlier detection, DCGMM-E and SPNs",
    "III": "Table III: samples before a judge",
    "IV": "Table IV: classification",
    "V": "Table V: parameters of the instances",
}
METRICS = {name: measure.title for name, measure in metrics.MEASURES.items()}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--tables", required=True, nargs="*", type=Path, help="of the run, CSV")
    parser.add_argument("--records", type=Path, help="of Table II, tidy CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--source", required=True, help="its images, full or subset")
    parser.add_argument("--schedule", required=True, help="of DCGMM's training")
    parser.add_argument("--samples-schedule", required=True, help="of fits of one class")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        # Every cell, with the scale of the run.
        run_tables = {path.stem: frames.read_table(path) for path in options.tables}
        result = paper_cells.compare(frames.read_paper(options.paper), run_tables)
        schedule = result["table"].map({"III": options.samples_schedule, "V": "none"})
        result = result.assign(
            run=options.run,
            source=options.source,
            schedule=schedule.fillna(options.schedule),
        )
        tables.write_csv(options.out / "comparison.csv", result)

        # For readers, with the reductions of the competitors' training.
        fits = options.records and tidy.read(options.records)
        reduced = [] if fits is None else reductions.of_records(fits)
        tables.write_markdown(options.out / "comparison.md", list(sections(result, reduced)))


def sections(result: pd.DataFrame, reduced: Sequence[str] = ()) -> Iterator[tables.Section]:
    """Count the cells that agree, then show each table.

    Args:
        result: every cell.
        reduced: settings of competitors that were reduced from the paper's fits, a line each.
    """
    yield tables.Section(
        f"The paper's numbers beside those of run `{result['run'].iloc[0]}`",
        f"{scale(result)} {paper_cells.RULE} `paper` measures and chooses as the authors' release "
        "does, `corrected` by the exact AUROC on whole images, by points chosen on images kept "
        "aside, and on samples whose noise is drawn in full.",
        totals(result),
        [f"training was reduced: {line}" for line in reduced],
    )
    for table, rows in result.groupby("table", sort=False):
        cells = pd.DataFrame(map(_comparison_cells, rows.to_dict("records")))
        notes = {
            f"{', '.join(dict.fromkeys(noted['row']))}: {note}": None
            for note, noted in rows.groupby("note", sort=False)
            if note
        }
        empty = [name for name in cells if (cells[name] == tables.DASH).all()]
        yield tables.Section(TITLES[table], "", cells.drop(columns=empty), list(notes))


def scale(result: pd.DataFrame) -> str:
    """Say how the run is smaller than the paper's experiments, and what that implies."""
    row = result.iloc[0]
    measured = result[(result["metric"] != "parameters") & (result["n"] > 0)]
    n = int(measured["n"].min()) if len(measured) else 0
    smaller = []
    if row["source"] != "full":
        smaller.append("the shipped subset of the images")
    if (schedules := set(result["schedule"]) - {"recipe", "none"}) and len(measured):
        smaller.append(
            f"schedules `{'`, `'.join(sorted(schedules))}` in place of the authors' epochs"
        )
    if n < result["paper_n"].max():
        smaller.append(f"numbers of {n} seeds or judges where the paper has 5")
    if not smaller:
        return "All images, the authors' epochs for DCGMM, and as many seeds as the paper at least."
    return (
        f"This run is smaller than the paper's experiments ({'; '.join(smaller)}): what it says of "
        "agreement is true of this run, and says little of the paper."
    )


def totals(result: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts on each table's cells, under both protocols."""
    lines = []
    for protocol, column in (("paper", "agreement"), ("corrected", "corrected_agreement")):
        cells = result if protocol == "paper" else result[result["column"] != "parameters"]
        counts = pd.crosstab(cells["table"], cells[column]).reindex(columns=VERDICTS)
        for table, row in counts.fillna(0).astype(int).iterrows():
            if protocol == "paper" or row["not run"] < row.sum():
                lines.append({"table": table, "protocol": protocol} | row.map(str).to_dict())
    return pd.DataFrame(lines)


def _comparison_cells(row: dict) -> dict[str, str]:
    is_count = row["column"] == "parameters"
    write = tables.count if is_count else tables.number
    published = tables.count(row["paper"]) if is_count else printed(row["paper"])
    if pd.notna(row["paper_spread"]):
        published += f" ± {printed(row['paper_spread'])}"
    return {
        "row": row["row"],
        "column": row["column"] if is_count else registry.title(row["column"]),
        "paper": published,
        "measure": tables.DASH if pd.isna(row["metric"]) else METRICS.get(*2 * (row["metric"],)),
        "ours": write(row["ours"]) if is_count else _with_interval(row, "ours"),
        "n": tables.DASH if is_count else tables.count(row["n"]),
        "difference": _signed_count(row["difference"]) if is_count else _difference(row, ""),
        "agreement": row["agreement"],
        "point": tables.DASH
        if row["table"] not in ("II", "III") or not row["n"] > 0
        else row["point"],
        METRICS["auroc"]: tables.number(row["exact"]),
        "corrected": _with_interval(row, "corrected"),
        "corrected difference": _difference(row, "corrected_"),
        "corrected agreement": row["corrected_agreement"]
        if row["corrected_n"] > 0
        else tables.DASH,
    }


def printed(value: float) -> str:
    """Write a number as the paper prints it: with one decimal, or two if the second is not 0."""
    return tables.number(value, 1 if round(value, 1) == value else 2)


def _with_interval(row: dict, name: str) -> str:
    text = tables.spread(row[name], row[f"{name}_std"])
    if pd.isna(row[f"{name}_low"]):
        return text
    return f"{text} [{tables.number(row[f'{name}_low'])}, {tables.number(row[f'{name}_high'])}]"


def _difference(row: dict, prefix: str) -> str:
    mean, low, high = (row[f"{prefix}difference{end}"] for end in ("", "_low", "_high"))
    text = tables.number(mean, signed=True)
    if pd.isna(low):
        return text
    return f"{text} [{tables.number(low, signed=True)}, {tables.number(high, signed=True)}]"


def _signed_count(value: float) -> str:
    return tables.DASH if pd.isna(value) else f"{int(value):+,}".replace("-", "−")


if __name__ == "__main__":
    main()
