"""How often each method is ahead of each other one, over all protocols that could have been chosen.

A protocol here is one way to measure on one dataset: which images are outliers, from which pixels
scores are computed, by which measure, after training by which recipe, and by which rule the grid
point was chosen. The paper reports one of them. A ranking that most others share is a finding; one
that the paper's alone gives is a finding about the protocol (a multiverse analysis: Steegen et al.
2016; a specification curve: Simonsohn et al. 2020). Protocols are no independent draws, so the
shares describe; they have no p.

The values come from the score bank (`multiverse_values`): a row for every method, protocol and
seed, in percent. A factor that does not concern a method is empty in all its rows, as DCGMM's
recipe is for a network, and its values then count for any. `evidence` names a rule that is the same
for all methods: `all` pixels, a half, or `published`, those that each method's release scores.

Writes `multiverse.csv`, `.md` and `.tex` into the folder of tables; `multiverse.svg`, `.png` and
the plotted differences as `multiverse_protocols.csv` into the folder of figures. Differences are in
percentage points.
"""

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow.common import frames, hints, metrics, plots, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.intervals import EQUAL
from workflow.data import registry, tasks
from workflow.outliers import multiverse_figure, multiverse_values
from workflow.outliers.multiverse_figure import PAIR
from workflow.plan import catalogue, table_fits

FACTORS = ["dataset", "outlier", "evidence", "measure", "recipe", "choice"]
PAPERS = {
    "outlier": "0", "evidence": "published", "measure": "auc100", "recipe": "paper",
    "choice": "test",
}  # fmt: skip
"""Factor -> its value in the protocol of the paper's Table II."""
ALL = "all"  # datasets together
DRAWN = catalogue.DCGMM.title.format(instance=table_fits.TABLE2_INSTANCE)  # with each other model
READING = (
    "A protocol is a choice of outliers, pixels scored, measure, recipe and rule by which a grid "
    "point is chosen, on one dataset; those under which both methods have a value count. Ahead: "
    "the share of protocols under which the first method's mean over seeds is the better one, ties "
    "counting half. Differences are in percentage points, positive where the first is ahead. Rank: "
    "of the paper's protocol, 1 if none favours the first more; it agrees if it puts the method "
    "ahead that most protocols do. Protocols are not independent, so shares are no probabilities.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--bank", required=True, type=Path, help="folder of the score bank")
    parser.add_argument("--tasks", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder of tables")
    parser.add_argument("--figures", required=True, type=Path, help="folder of figures")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        values = multiverse_values.of_bank(options.bank, tasks.of_run(options.tasks).values())
        compared = specifications(values)
        summary = summarised(compared)
        sections = [
            dataset_section(group, f"Run `{options.run}`.")
            for _, group in summary.groupby("dataset", sort=False)
        ]
        tables.write_csv(options.out / "multiverse.csv", summary)
        tables.write_markdown(options.out / "multiverse.md", sections)
        tables.write_tex(options.out / "multiverse.tex", sections)
        frames.write_csv(
            options.figures / "multiverse_protocols.csv", compared, float_format="%.6g"
        )
        plots.use_style()
        drawn = [rows[is_drawn(rows)] for rows in (compared, summary)]
        plots.save(multiverse_figure.draw(*drawn), options.figures, "multiverse")


def is_drawn(rows: pd.DataFrame) -> pd.Series:
    """Which rows are of pairs of the figure: those of the paper's model, or all without it."""
    of_model = (rows["first"] == DRAWN) | (rows["second"] == DRAWN)
    return of_model if of_model.any() else ~of_model


def specifications(table: pd.DataFrame, paper: Mapping[str, str] = PAPERS) -> pd.DataFrame:
    """Compare every pair of methods under every protocol in which both have a value.

    Args:
        table: the columns of the values, see above; rows without a value are left out.
        paper: factor -> its value in the paper's protocol, the same on every dataset.

    Returns:
        A row for every pair and protocol: the titles `first` and `second`, in the order of the
        table; the factors of the protocol; `difference`, mean over seeds of the first minus that of
        the second, of opposite sign if a lower value is better; `paper`, whether it is the paper's.

    Raises:
        ValueError: if a measure is unknown, a method has two values for one protocol and seed or
            leaves a factor empty in some rows only, or the paper's protocol lacks a factor.
    """
    table = table.fillna(dict.fromkeys(FACTORS, "")).dropna(subset="value")
    _check(table, paper)
    means = table.groupby([*FACTORS, "title"], sort=False)["value"].mean().reset_index()
    methods = [rows for _, rows in means.groupby("title", sort=False)]
    pairs = [_differences(*pair) for pair in itertools.combinations(methods, 2)]
    if not pairs:
        return frames.empty(frames.TABLES["multiverse_protocols"])
    result = pd.concat(pairs, ignore_index=True)
    papers = [result[factor].isin([str(value), ""]) for factor, value in paper.items()]
    return result.assign(paper=np.logical_and.reduce(papers))


def _check(table: pd.DataFrame, paper: Mapping[str, str]) -> None:
    """Refuse values that cannot be compared, as `specifications` says."""
    if {*paper} != {*FACTORS[1:]}:
        raise ValueError(
            f"the paper's protocol needs {', '.join(FACTORS[1:])}, not {', '.join(paper)}"
        )
    for name in set(table["measure"]) - metrics.MEASURES.keys():
        raise ValueError(f"unknown measure {name!r}; {hints.nearest(name, metrics.MEASURES)}")
    for title, rows in table.groupby("title", sort=False):
        for factor in FACTORS:
            if (rows[factor] == "").nunique() > 1:
                raise ValueError(f"{title} leaves {factor} empty in some rows, not in all or none")
    repeated = table[table.duplicated([*FACTORS, "title", "seed"])]
    for _, row in repeated.iterrows():
        protocol = ", ".join(row[factor] for factor in FACTORS)
        raise ValueError(f"{row['title']} has two values for {protocol}, seed {row['seed']}")


def _differences(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Differences of two methods under the protocols that they share.

    Factors that concern both methods agree; one that concerns a single method has its value.
    """
    empty = [
        [factor for factor in FACTORS if (rows[factor] == "").all()] for rows in (first, second)
    ]
    one_sided = {*empty[0], *empty[1]}
    both = first.drop(columns=empty[0]).merge(
        second.drop(columns=empty[1]),
        on=[factor for factor in FACTORS if factor not in one_sided],
        suffixes=("", "_second"),
    )
    both = both.assign(**dict.fromkeys({*empty[0]} & {*empty[1]}, ""))
    sign = [1 if metrics.MEASURES[name].higher_is_better else -1 for name in both["measure"]]
    both["difference"] = (both["value"] - both["value_second"]) * sign
    both = both.rename(columns={"title": "first", "title_second": "second"})
    return both[[*PAIR, *FACTORS, "difference"]]


def summarised(compared: pd.DataFrame) -> pd.DataFrame:
    """Summarise the protocols of every pair, on each dataset and on all together.

    Columns: `protocols`, their number; `ahead`, the share that puts the first ahead, in percent;
    `low`, `median` and `high` of the differences; of the paper's protocol its difference `paper`,
    `paper_rank` and `paper_agrees`, missing for all datasets together and where it is not measured.
    """
    together = compared.assign(dataset=ALL, paper=False)
    parts = [compared, together] if compared["dataset"].nunique() > 1 else [compared]
    lines = [
        dict(zip(["dataset", *PAIR], key, strict=True)) | _summary(group)
        for part in parts
        for key, group in part.groupby(["dataset", *PAIR], sort=False)
    ]
    return frames.from_rows(lines, "multiverse")


def _summary(group: pd.DataFrame) -> dict[str, Any]:
    """Numbers of one pair's protocols."""
    differences = group["difference"]
    line = {
        "protocols": len(group),
        "ahead": 100 * float(_signs(differences).mean() + 1) / 2,
        "low": differences.min(), "median": differences.median(), "high": differences.max(),
        "paper": math.nan, "paper_rank": pd.NA, "paper_agrees": pd.NA,
    }  # fmt: skip
    if group["paper"].any():
        (paper,) = differences[group["paper"]]
        majority, choice = np.sign(line["ahead"] - 50), _signs(paper)
        line["paper"] = paper
        line["paper_rank"] = 1 + int((differences > paper + EQUAL).sum())
        line["paper_agrees"] = bool(majority == choice) if majority and choice else pd.NA
    return line


def _signs(differences: Any) -> Any:
    """1 where the first is ahead, -1 where the second is, 0 where they differ by rounding."""
    return np.sign(np.where(np.abs(differences) < EQUAL, 0, differences))


def dataset_section(summary: pd.DataFrame, text: str) -> tables.Section:
    """One dataset, or all together: a row for every pair."""
    cells = [
        {
            "first": row.first, "second": row.second, "protocols": tables.count(row.protocols),
            "ahead (%)": tables.number(row.ahead),
            "median [lowest, highest]": f"{tables.number(row.median, signed=True)} "
            f"[{tables.number(row.low, signed=True)}, {tables.number(row.high, signed=True)}]",
            "the paper's": tables.number(row.paper, signed=True),
            "rank": tables.count(row.paper_rank),
            "agrees": {True: "yes", False: "no"}.get(row.paper_agrees, tables.DASH),
        }
        for row in summary.itertuples()
    ]  # fmt: skip
    dataset = summary["dataset"].iloc[0]
    name = "all datasets" if dataset == ALL else registry.title(dataset)
    title = f"Who is ahead under which protocol, {name}"
    table = pd.DataFrame(cells)
    papers = ["the paper's", "rank", "agrees"] if summary["paper"].isna().all() else []
    return tables.Section(title, text, table.drop(columns=papers), reading=READING)


if __name__ == "__main__":
    main()
