"""What every fit cost: time to fit, to score and to draw, memory and parameters.

Writes `efficiency.csv`, `efficiency.md` and `efficiency.tex`. Times of different machines do not
compare, so all numbers are of one: the host that made most of the records.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import tables
from workflow.common.command_line import plain_errors
from workflow.fit import tidy
from workflow.outliers import selection
from workflow.samples import sample_files

FIT = ["method", "title", "variant", "grid_point", "dataset", "classes"]
READING = (
    "Run `{run}`. Medians over seeds, of the fits of host `{host}` alone. Seconds are wall times; "
    "jobs may have run side by side. Scoring is of all test images, compilation included where a "
    "method compiles; methods with marginals score each image twice, whole and in part, and both "
    "count. "
    "Drawing is from the fit of one class, with the noise that the method's release gives pixels, "
    "once everything is compiled. Memory is the highest resident set of the process that fits and "
    "scores, libraries and images included. A dash: not measured."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.cost.efficiency", description=__doc__)
    parser.add_argument("--records", required=True, nargs="+", type=Path, help="tidy CSVs")
    parser.add_argument("--samples", default=[], nargs="*", type=Path, help="files of samples")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read_all(options.records)
        runs = fits(selection.with_models(rows))
        host = most_frequent(runs["host"])
        drawn = drawings(sample_files.read(path)[0] for path in options.samples)
        summary = summarised(runs[runs["host"] == host], drawn[drawn["host"] == host])
        tables.write_csv(options.out / "efficiency.csv", summary.assign(host=host))
        sections = [
            section(group, READING.format(run=options.run, host=host))
            for _, group in summary.groupby("dataset", sort=False)
        ]
        if sections:  # counts of all datasets
            sections[0].notes = left_out(runs["host"], drawn["host"], host)
        tables.write_markdown(options.out / "efficiency.md", sections)
        tables.write_tex(options.out / "efficiency.tex", sections)


def fits(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a fit, with the seconds that 1,000 scores took.

    Each scored all test images of its dataset, of which records of outliers tell the number, once
    for every evidence that its metrics are of.
    """
    passes = rows.groupby([*FIT, "seed"], dropna=False)["evidence"].transform("nunique")
    images = (rows["inliers"] + rows["outliers"]).astype(float)
    images = images.groupby(rows["dataset_sha256"]).transform("max")
    rows = rows.assign(score_1000=1000 * rows["seconds_score"] / (images * passes.clip(lower=1)))
    return rows.drop_duplicates([*FIT, "seed"])


def most_frequent(hosts: pd.Series) -> str:
    """The host of most fits; of equals, the first in alphabetical order; empty if there is none."""
    return next(iter(hosts.mode()), "")


def drawings(abouts: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Seconds for 1,000 samples, each with `about` of its file, where drawing was timed."""
    rows = [
        {
            "method": about["method"],
            "grid_point": about["point"],
            "dataset": about["dataset"],
            "host": drawing["host"],
            "sample_1000": 1000 * drawing["seconds"][about["published"]] / drawing["images"],
        }
        for about in abouts
        if (drawing := about.get("drawing"))
    ]
    columns = ["method", "grid_point", "dataset", "host", "sample_1000"]
    return pd.DataFrame(rows, columns=columns)


def summarised(runs: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """One line for every model, dataset and classes: medians over the seeds that went well.

    Columns `fit`, `score_1000` and `sample_1000` are wall seconds, `cpu` those of processors for
    the whole process; `memory_mb` is the process's peak.
    """
    fine = runs[runs["status"] == "ok"]
    measured = fine.groupby(FIT, dropna=False).agg(
        n=("seed", "nunique"),
        seconds_fit=("seconds_fit", "median"),
        score_1000=("score_1000", "median"),
        seconds_cpu=("seconds_cpu", "median"),
        memory_mb=("memory_mb", "median"),
    )
    asked = runs.groupby(FIT, sort=False, dropna=False).agg(
        seeds=("seed", "nunique"),
        train_images=("train_images", "max"),
        parameters=("parameter_count", "max"),
    )
    key = ["method", "grid_point", "dataset"]
    sampling = drawn.groupby(key)["sample_1000"].median().reset_index()
    result = asked.join(measured).reset_index().merge(sampling, "left", key)
    counts = {"n": "Int64", "parameters": "Int64", "train_images": "Int64"}
    return result.fillna({"n": 0}).astype(counts)


def left_out(runs: pd.Series, drawn: pd.Series, host: str) -> list[str]:
    """How many fits and drawings are not shown, since other hosts made them."""
    counts = {"fits": int((runs != host).sum()), "timed drawings": int((drawn != host).sum())}
    return [f"{n} {what} of other hosts are left out" for what, n in counts.items() if n]


def section(summary: pd.DataFrame, reading: str) -> tables.Section:
    """One dataset: a line for every model and grid point."""
    cells = [
        {
            "model": tables.model(row.title, row.variant),
            "grid point": row.grid_point,
            "images": tables.count(row.train_images),
            "fit (s)": seconds(row.seconds_fit),
            "1,000 scores (s)": seconds(row.score_1000),
            "1,000 samples (s)": seconds(row.sample_1000),
            "memory (MB)": tables.number(row.memory_mb, 0),
            "parameters": tables.count(row.parameters),
            "n": f"{row.n} of {row.seeds}" if row.n < row.seeds else f"{row.n}",
        }
        for row in summary.itertuples()
    ]
    name = tables.name(summary["dataset"].iloc[0])
    return tables.Section(f"Efficiency, {name}", "", pd.DataFrame(cells), reading=[reading])


def seconds(value: float) -> str:
    """A time to three significant digits, or a dash for NaN."""
    if pd.isna(value):
        return tables.DASH
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
