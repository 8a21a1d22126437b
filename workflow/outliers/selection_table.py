"""Table of the grid points that each rule chooses, their values, and the optimism of choosing.

Writes `selection.csv` and `selection.md`. Values are in percent.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workflow.common import metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.fit import tidy
from workflow.outliers import optimism

CAPTION = (
    "Fits, measure and scored pixels are the protocol's; the rules of choice alone differ. `test`: "
    "the best mean on the test images themselves, as in the paper. `likelihood`: the highest "
    "log-likelihood of training images kept aside, inliers alone. `held-out class`: the best mean "
    "among training images kept aside, by fits that go without a second class, which takes the "
    "part of the outliers there and none in the test; the values are of the usual fits. "
    "`test halves`: the best mean on one half of the test images, outliers among them, valued on "
    "the other half, both ways; it has seen the class of the outliers, but none of the images that "
    "it is valued on. Optimism: by how many percent points the value at the point of `test` "
    "exceeds that at the rule's (for `test halves`, both on halves). Values are in %: mean ± "
    "standard deviation over seeds."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--records", required=True, type=Path, help="tidy CSV")
    parser.add_argument("--held-out", type=Path, help="tidy CSV, of fits without a second class")
    parser.add_argument("--plan", required=True, type=json.loads, help="JSON, see selection.Plan")
    parser.add_argument("--fits", required=True, type=Path, help="folder of all fits")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        records, held_out = (
            path and tidy.read(path) for path in (options.records, options.held_out)
        )
        halves = optimism.halves_of(options.fits)
        result = optimism.table(records, options.plan, halves, held_out)
        pages = sections(result, options.run, held_out)
        tables.write_csv(options.out / "selection.csv", result)
        tables.write_markdown(options.out / "selection.md", list(pages))


def held_out_classes(held_out: pd.DataFrame | None) -> str:
    """Name the classes that were held out, and the seeds of these fits."""
    if held_out is None:
        return ""
    classes = held_out["classes"].str.split("_").str[-1].unique()
    seeds = ", ".join(map(str, sorted(held_out["seed"].unique())))
    return f" Held out: class {', '.join(classes)}; seeds {seeds}."


def sections(
    result: pd.DataFrame, run: str, held_out: pd.DataFrame | None = None
) -> Iterator[tables.Section]:
    """A summary, then for every protocol and dataset the grids that offered a choice."""
    single = [
        tables.model(row.title, row.variant) for row in result.itertuples() if row.candidates == 1
    ]
    searched = [*result[result["candidates"] != 1].groupby(["protocol", "dataset"], sort=False)]
    notes = [_notes(rows) for _, rows in searched]
    shared = [note for note in notes[0] if all(note in others for others in notes)] if notes else []
    if single:
        names = ", ".join(dict.fromkeys(single))
        shared.insert(0, f"a single point was fitted, so none chosen: {names}")
    title, text = f"Choosing grid points, run `{run}`", CAPTION + held_out_classes(held_out)
    yield tables.Section(title, text, summary(result), shared)
    for ((protocol, dataset), rows), own_notes in zip(searched, notes, strict=True):
        yield tables.Section(
            f"Protocol {protocol}, {registry.title(dataset)}",
            f"Measure: the {metrics.MEASURES[rows['metric'].iloc[0]].title}.",
            pd.DataFrame(map(_choice_cells, rows.to_dict("records"))),
            [note for note in own_notes if note not in shared],
        )


def _notes(rows: pd.DataFrame) -> list[str]:
    """Why a rule chose nothing, once for each model and rule."""
    lacking = rows[rows["note"] != ""].itertuples()
    return list(dict.fromkeys(f"{row.title}, {row.rule}: {row.note}" for row in lacking))


def summary(result: pd.DataFrame) -> pd.DataFrame:
    """Mean and largest optimism over the models with several grid points."""
    searched = result[(result["candidates"] > 1) & (result["rule"] != "test")]
    lines = [
        {
            "protocol": protocol,
            "rule": rule,
            "grids": str(rows["optimism"].notna().sum()),
            "other point than `test`": str((rows["point"] != rows["tested"]).sum()),
            "mean optimism": tables.number(rows["optimism"].mean(), 2, signed=True),
            "largest": tables.number(rows["optimism"].max(), 2, signed=True),
        }
        for (protocol, rule), rows in _beside_test(searched, result).groupby(
            ["protocol", "rule"], sort=False
        )
    ]
    return pd.DataFrame(lines or [{"protocol": tables.DASH, "rule": "no grid was searched"}])


def _beside_test(searched: pd.DataFrame, result: pd.DataFrame) -> pd.DataFrame:
    """Add `tested`, the point that the test images choose."""
    key = ["protocol", "method", "variant", "dataset"]
    tested = result[result["rule"] == "test"].rename(columns={"point": "tested"})
    return searched.merge(tested[[*key, "tested"]], "left", key)


def _choice_cells(row: dict) -> dict[str, str]:
    return {
        "model": tables.model(row["title"], row["variant"]),
        "candidates": str(row["candidates"]),
        "chosen by": row["rule"],
        "point": row["point"] or tables.DASH,
        "value": tables.spread(row["mean"], row["std"]),
        "n": str(row["n"]),
        "optimism": tables.number(row["optimism"], 2, signed=True),
    }


if __name__ == "__main__":
    main()
