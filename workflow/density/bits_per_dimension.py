"""Bits per dimension of the methods whose scores are log-probabilities of bytes.

A dimension is one channel of a pixel, of 256 levels. Densities of pixels in [0, 1] or of
standardised pixels, and bounds with another meaning, are not comparable and are left out. Writes
`bits_per_dimension.csv`, `.md` and `.tex`; fewer bits are better.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, tables
from workflow.common.command_line import plain_errors
from workflow.common.summaries import summarise
from workflow.data import datasets, registry
from workflow.fit import records, scores, tidy
from workflow.plan import catalogue

NAME = "bits_per_dimension"
KEY = ["title", "variant", "grid_point", "dataset"]
READING = (
    "Negative log-probability of an image's bytes, in bits for each pixel and channel, of test "
    "images of the classes trained on and of the training images kept aside: mean ± standard "
    "deviation over seeds. Only methods with a probability for each of the 256 levels are here; "
    "normal leaves, binomial ones and bounds are of something else. The literature trains and "
    "tests on all classes and for longer."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog=f"python -m workflow.density.{NAME}", description=__doc__)
    parser.add_argument("--fits", required=True, nargs="*", type=Path, help="folders")
    parser.add_argument("--data", required=True, nargs="+", type=Path, help="prepared datasets")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        if not options.fits:
            raise ValueError(
                "no method of this run gives bytes a probability: list one under 'baselines', such "
                "as 'circuit', or 'ratspn' with categorical leaves"
            )
        dimensions = {data.name: data.x_test[0].size for data in map(datasets.load, options.data)}
        rows = pd.DataFrame([fit_row(folder, dimensions) for folder in options.fits])
        summary = summarised(rows)
        sections = [
            dataset_section(group, rows[rows["dataset"] == name], options.run)
            for name, group in summary.groupby("dataset", sort=False)
        ]
        tables.write_csv(options.out / f"{NAME}.csv", summary)
        tables.write_markdown(options.out / f"{NAME}.md", sections)
        tables.write_tex(options.out / f"{NAME}.tex", sections)


def fit_row(folder: Path, dimensions: dict[str, int]) -> dict[str, Any]:
    """Bits per dimension of one fit, NaN where it has no scores.

    Args:
        folder: of the fit.
        dimensions: dataset -> number of dimensions of an image.
    """
    fit = records.read(folder / "fit.json")
    saved = scores.read(folder / "scores.npz", fit)
    method, dataset = catalogue.method(fit["method"]), fit["dataset"]
    nats = math.log(2) * dimensions[dataset["name"]]
    inlier = datasets.by_classes(saved.labels, fit["classes"])

    def bits(split: dict[str, Any], rows: Any) -> float:
        values = split.get("all", {}).get("top")
        return math.nan if values is None else -float(values[rows].mean(dtype=float)) / nats

    return {
        "title": method.title_of(fit["settings"]),
        "variant": method.variant_of(fit["settings"]),
        "grid_point": fit["grid_point"],
        "dataset": dataset["name"],
        "source": dataset["source"],
        "classes": fit["classes"],
        "seed": fit["seed"],
        "status": fit["status"],
        "reason": fit["reason"],
        "parameters": fit["parameter_count"],
        "train_images": dataset["train_images"],
        "seconds_fit": fit["seconds"]["fit"],
        "test": bits(saved.test, inlier),
        "validation": bits(saved.validation, slice(None)),
    }


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise over seeds, for every grid point and dataset."""
    lines = []
    for values, group in rows.groupby(KEY, sort=False):
        succeeded, failed = group[group["status"] == "ok"], group[group["status"] != "ok"]
        line = dict(zip(KEY, values, strict=True)) | {
            "train_images": group["train_images"].max(),
            "parameters": group["parameters"].max(),
            "seconds_fit": succeeded["seconds_fit"].median(),
            "seeds": len(group),
            "n": len(succeeded),
            "reasons": "; ".join(dict.fromkeys(failed["status"] + ": " + failed["reason"])),
        }
        for split in ("test", "validation"):
            bits = summarise(list(succeeded[split].dropna()))
            names = ("mean", "std", "ci_low", "ci_high")
            numbers = (bits.mean, bits.std, bits.low, bits.high)
            line |= {f"{split}_{name}": x for name, x in zip(names, numbers, strict=True)}
        lines.append(line)
    return frames.from_rows(lines, NAME).astype({"parameters": "Int64"})


def dataset_section(summary: pd.DataFrame, rows: pd.DataFrame, run: str) -> tables.Section:
    """One dataset: a row for every model and grid point, the lowest mean marked."""
    best = summary["test_mean"].min()
    cells = []
    for row in summary.to_dict("records"):
        test = spread(row["test_mean"], row["test_std"])
        cells.append(
            {
                "model": tables.model(row["title"], row["variant"]),
                "grid point": row["grid_point"],
                "images": tables.count(row["train_images"]),
                "parameters": tables.count(row["parameters"]),
                "test (bits)": tables.best(test) if row["test_mean"] == best else test,
                "kept aside (bits)": spread(row["validation_mean"], row["validation_std"]),
                "fit (s)": tables.number(row["seconds_fit"], 0),
                "n": f"{row['n']} of {row['seeds']}" if row["reasons"] else f"{row['n']}",
            }
        )
    notes = [
        f"no result: {row.title}, `{row.grid_point}`: {row.reasons}"
        for row in summary.itertuples()
        if row.reasons
    ]
    scale = f"Run `{run}`: {tidy.images_of(rows)}, classes `{rows['classes'].iloc[0]}`."
    title = f"Bits per dimension, {registry.title(summary['dataset'].iloc[0])}"
    return tables.Section(title, scale, pd.DataFrame(cells), notes, [READING])


def spread(mean: float, std: float) -> str:
    """Write mean ± spread with three decimals, since models differ by hundredths of a bit."""
    text = tables.number(mean, 3)
    return text if pd.isna(std) else f"{text} ± {tables.number(std, 3)}"


if __name__ == "__main__":
    main()
