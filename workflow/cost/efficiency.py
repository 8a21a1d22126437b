"""Cost of every fit: time to fit, to score and to draw, memory and parameters.

Writes `efficiency.csv`, `efficiency.md` and `efficiency.tex`. Times of different machines do not
compare, so all numbers come from one: the host that made most of the records.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
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
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, nargs="+", type=Path, help="tidy CSVs")
    parser.add_argument("--samples", default=[], nargs="*", type=Path, help="files of samples")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = tidy.read_all(options.records)
        fits = one_row_per_fit(selection.with_models(rows))
        host = most_frequent(fits["host"])
        drawings = timed_drawings(sample_files.read(path)[0] for path in options.samples)
        summary = summarised(fits[fits["host"] == host], drawings[drawings["host"] == host])
        tables.write_csv(options.out / "efficiency.csv", summary.assign(host=host))
        sections = [
            dataset_section(group, READING.format(run=options.run, host=host))
            for _, group in summary.groupby("dataset", sort=False)
        ]
        if sections:  # counts of all datasets
            sections[0].notes = left_out(fits["host"], drawings["host"], host)
        tables.write_markdown(options.out / "efficiency.md", sections)
        tables.write_tex(options.out / "efficiency.tex", sections)


def one_row_per_fit(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per fit, with the seconds for 1,000 scores.

    Each fit scored all test images of its dataset, whose number the records of outlier detection
    have, once for every evidence among its metrics.
    """
    passes = rows.groupby([*FIT, "seed"], dropna=False)["evidence"].transform("nunique")
    images = (rows["inliers"] + rows["outliers"]).astype(float)
    images = images.groupby(rows["dataset_sha256"]).transform("max")
    rows = rows.assign(score_1000=1000 * rows["seconds_score"] / (images * passes.clip(lower=1)))
    return rows.drop_duplicates([*FIT, "seed"])


def most_frequent(hosts: pd.Series) -> str:
    """The host of most fits, the alphabetically first if there are several; empty if none."""
    return next(iter(hosts.mode()), "")


def timed_drawings(metadata: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Seconds for 1,000 samples, from the metadata of each file whose drawing was timed."""
    rows = [
        {
            "method": fit["method"],
            "grid_point": fit["point"],
            "dataset": fit["dataset"],
            "host": drawing["host"],
            "sample_1000": 1000 * drawing["seconds"][fit["published"]] / drawing["images"],
        }
        for fit in metadata
        if (drawing := fit.get("drawing"))
    ]
    columns = ["method", "grid_point", "dataset", "host", "sample_1000"]
    return pd.DataFrame(rows, columns=columns)


def summarised(fits: pd.DataFrame, drawings: pd.DataFrame) -> pd.DataFrame:
    """Medians over successful seeds: a row for every model, dataset and classes.

    Columns `seconds_fit`, `score_1000` and `sample_1000` are wall seconds, `seconds_cpu` processor
    seconds of the whole process; `memory_mb` is the process's peak.
    """
    succeeded = fits[fits["status"] == "ok"]
    measured = succeeded.groupby(FIT, dropna=False).agg(
        n=("seed", "nunique"),
        seconds_fit=("seconds_fit", "median"),
        score_1000=("score_1000", "median"),
        seconds_cpu=("seconds_cpu", "median"),
        memory_mb=("memory_mb", "median"),
    )
    all_fits = fits.groupby(FIT, sort=False, dropna=False).agg(
        seeds=("seed", "nunique"),
        train_images=("train_images", "max"),
        parameters=("parameter_count", "max"),
    )
    key = ["method", "grid_point", "dataset"]
    sampling = drawings.groupby(key)["sample_1000"].median().reset_index()
    result = all_fits.join(measured).reset_index().merge(sampling, "left", key)
    counts = {"n": "Int64", "parameters": "Int64", "train_images": "Int64"}
    return result.fillna({"n": 0}).astype(counts)


def left_out(fit_hosts: pd.Series, drawing_hosts: pd.Series, host: str) -> list[str]:
    """Count the fits and drawings of other hosts, which are not shown."""
    counts = {
        "fits": int((fit_hosts != host).sum()),
        "timed drawings": int((drawing_hosts != host).sum()),
    }
    return [f"{n} {kind} of other hosts are left out" for kind, n in counts.items() if n]


def dataset_section(summary: pd.DataFrame, reading: str) -> tables.Section:
    """One dataset: a row for every model and grid point."""
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
    name = registry.title(summary["dataset"].iloc[0])
    return tables.Section(f"Efficiency, {name}", "", pd.DataFrame(cells), reading=[reading])


def seconds(value: float) -> str:
    """Write a time with three significant digits, or a dash for NaN."""
    if pd.isna(value):
        return tables.DASH
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
