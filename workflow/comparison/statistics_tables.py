"""Statistics over a run's seeds: intervals, differences, ranks, and what so few seeds can show.

Writes `statistics.csv` (a row for every mean and difference), `statistics_limits.csv` (what n
values can show) and both for readers as `statistics.md`; and `critical_difference.svg`, `.png` and
`.csv` into the folder of figures. Values are in percent.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, intervals, places, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.comparison import contrasts, critical_difference, observations
from workflow.data import registry
from workflow.fit import tidy

TITLES = {"mean": "means", "to reference": "differences to a model", "measure": "measures"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, nargs="*", type=Path, help="tidy CSVs")
    parser.add_argument("--classes", required=True, help="that outliers are told from, as in not0")
    parser.add_argument("--chosen", type=Path, help="table2.csv, if the run has it")
    parser.add_argument("--judgements", nargs="*", default=[], type=Path, help="one a judge")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder of tables")
    parser.add_argument("--figures", required=True, type=Path, help="folder of figures")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        values = observed(options.records, options.classes, options.chosen, options.judgements)
        result = contrasts.means_and_differences(values)
        limits = intervals.limits(range(2, 11))
        tables.write_csv(options.out / "statistics.csv", result)
        tables.write_csv(options.out / "statistics_limits.csv", limits)
        ranked = critical_difference.write(values, options.figures)
        sections = [*result_sections(result, options.run), ranked, limit_section(values, limits)]
        tables.write_markdown(options.out / "statistics.md", sections)


def observed(
    records: list[Path], classes: str, chosen: Path | None, judgements: list[Path]
) -> pd.DataFrame:
    """Collect the single values of all tables that the run has."""
    rows = tidy.read_all(records)
    rows = rows[rows["classes"].isin([classes, "all"])]  # of Tables I and II, and of Table IV
    choices = frames.read_table(chosen) if chosen else frames.empty(frames.TABLES["table2"])
    return pd.concat(
        [
            observations.table1(rows),
            observations.table2(rows, choices),
            observations.table3(map(places.read, judgements)),
            observations.table4(rows),
        ],
        ignore_index=True,
    )


CAPTIONS = {
    "mean": "Mean ± standard deviation over seeds (Table III: over judges), with Student's t and "
    "the BCa bootstrap's 95 % interval.",
    "to reference": "Each model minus the reference. Judges pair, since all see the same samples "
    "(paired t); seeds of different models do not (Welch's t). p is adjusted by Holm over the "
    "models of one table, dataset and protocol.",
    "measure": "The exact AUROC minus the 100-threshold AUC of the very same fits (paired t; Holm "
    "over the models of one table, dataset and protocol).",
}


def result_sections(result: pd.DataFrame, run: str) -> Iterator[tables.Section]:
    """A section for every quantity: means, differences to a model, differences of measures."""
    if result.empty:
        return
    for quantity, rows in result.groupby("quantity", sort=False):
        cells = pd.DataFrame(map(_statistic_cells, rows.to_dict("records")))
        empty = [name for name in cells if (cells[name] == tables.DASH).all()]
        yield tables.Section(
            f"Statistics of run `{run}`: {TITLES[quantity]}",
            CAPTIONS[quantity],
            cells.drop(columns=empty),
        )


def _statistic_cells(row: dict[str, Any]) -> dict[str, str]:
    signed = row["quantity"] != "mean"
    unpaired = signed and row["test"] != "paired t"
    value = tables.number(row["mean"], 2, signed=signed)
    if pd.notna(row["std"]):
        value += f" ± {tables.number(row['std'], 2)}"
    return {
        "table": row["table"],
        "dataset": registry.title(row["dataset"]),
        "protocol": row["protocol"],
        "model": tables.model(row["title"], row["variant"]),
        "reference": tables.DASH if pd.isna(row.get("reference")) else row["reference"],
        "value" if not signed else "difference": value,
        "t interval": _interval(row["low"], row["high"], signed),
        "bootstrap": _interval(row["bootstrap_low"], row["bootstrap_high"], signed),
        "p": _p(row.get("p")),
        "p, Holm": _p(row.get("p_holm")),
        "n": f"{row['n']} : {row['n_reference']:g}" if unpaired else str(row["n"]),
    }


def _p(value: float) -> str:
    return "< 0.0001" if pd.notna(value) and value < 0.0001 else tables.number(value, 4)


def _interval(low: float, high: float, signed: bool) -> str:
    if pd.isna(low):
        return tables.DASH
    return f"[{tables.number(low, 2, signed=signed)}, {tables.number(high, 2, signed=signed)}]"


def limit_section(values: pd.DataFrame, limits: pd.DataFrame) -> tables.Section:
    """Table of what n values can show, with notes on this run's n."""
    cells = pd.DataFrame(
        {
            "n": str(row.n),
            "smallest p, signed ranks": tables.number(row.signed_rank_p, 4),
            "smallest p, rank sums": tables.number(row.rank_sum_p, 4),
            "half t interval": tables.number(row.half_width, 2),
            "seen if paired": tables.number(row.effect_paired, 2),
            "seen if not": tables.number(row.effect_independent, 2),
            "bootstrap": "yes" if row.bootstrap else "no",
        }
        for row in limits.itertuples()
    )
    caption = (
        "The smallest two-sided p that Wilcoxon's exact tests can give (n pairs; n against n); "
        "half the 95 % t interval of a mean, and the smallest difference that a t test at 5 % "
        "finds in four of five cases, in standard deviations; whether a 95 % bootstrap interval "
        "can be had."
    )
    return tables.Section("What so few values can show", caption, cells, statements(values, limits))


def statements(values: pd.DataFrame, limits: pd.DataFrame) -> list[str]:
    """Say in words what this run's seeds and judges, and the paper's five, can show."""
    numbers = values.groupby([*contrasts.KEY, *contrasts.MODEL, "point", "metric", "unit"])[
        "number"
    ].nunique()
    counts = {unit: int(n.max()) for unit, n in numbers.groupby("unit")}
    notes = [_statement(f"This run has {n} {unit}{'s' * (n > 1)}", n) for unit, n in counts.items()]
    enough = limits.loc[limits["signed_rank_p"] < 0.05, "n"].min()
    notes.append(
        f"{_statement('The paper has 5', 5)} Wilcoxon's signed ranks need {enough} pairs to reach "
        "p < 0.05; so intervals are given first, and p only of t tests, which assume normal values."
    )
    return notes


def _statement(subject: str, n: int) -> str:
    if n < 2:
        return f"{subject}: nothing can be said of how much a value would vary."
    (row,) = intervals.limits([n]).to_dict("records")
    bootstrap = "can" if row["bootstrap"] else "cannot"
    return (
        f"{subject}: the smallest p of signed ranks is {row['signed_rank_p']:.3g}, of rank sums "
        f"{row['rank_sum_p']:.3g}; a 95 % t interval reaches {row['half_width']:.1f} standard "
        f"deviations to each side; two models must differ by {row['effect_independent']:.1f} "
        f"standard deviations to be told apart in four of five cases; the bootstrap {bootstrap} "
        "give a 95 % interval."
    )


if __name__ == "__main__":
    main()
