"""Fig. 8: the right half of test images in-painted by a flat and a deep instance, in both ways.

Writes the figure, of the first seed, as SVG and PNG. The CSV has, for every seed, the mean squared
error on the erased pixels, beside that of leaving them black (`erased`) and of the training images'
mean (`mean`), and the fraction of filled (`accuracy`) and of whole images (`accuracy_whole`) that a
judge assigns to their class.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from workflow.common import files, frames, panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.pictures import drawings

SHOWN = 20
COLUMNS = [
    "title", "point", "dataset", "classes", "seed", "filled", "mse", "standard_error", "images",
]  # fmt: skip
KINDS = {"original": "test images", "black": "erased as black", "marginal": "erased integrated out"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--accuracy", required=True, type=Path, help="of figure8_accuracy, JSON")
    parser.add_argument("--name", required=True, help="of the figure's files")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        drawn = [drawings.read(path, "inpainting") for path in options.draws]
        rows = [row for metadata, arrays in drawn for row in errors(metadata, arrays)]
        table = pd.DataFrame(rows, columns=COLUMNS)
        table = with_accuracy(table, files.read_json(options.accuracy))
        frames.write_csv(options.out / f"{options.name}.csv", table)

        # The figure: a row for each instance, of the first seed.
        plots.use_style()
        lines = [
            (
                panels.caption(metadata, registry.title(metadata["dataset"])),
                [
                    panels.tile(arrays[k][:SHOWN], 5) if arrays else panels.absent(metadata)
                    for k in KINDS
                ],
            )
            for metadata, arrays in drawings.of_first_seed(drawn)
        ]
        plots.save(panels.table(lines, list(KINDS.values()), (2.6, 2.2)), options.out, options.name)


def errors(metadata: dict[str, str], arrays: dict[str, np.ndarray]) -> list[dict]:
    """A row for every filling: mean squared error, its standard error, number of images."""
    return [
        metadata
        | {
            "filled": name.partition("/")[2],
            "mse": float(values.mean()),
            "standard_error": float(values.std(ddof=1) / np.sqrt(len(values))),
            "images": len(values),
        }
        for name, values in arrays.items()
        if name.startswith("error/")
    ]


def with_accuracy(table: pd.DataFrame, rows: list[dict]) -> pd.DataFrame:
    """Add the judge's accuracies to the errors; they are missing if the judge is unusable."""
    fit_key = ["point", "classes", "seed"]
    accuracy = pd.DataFrame(rows, columns=[*fit_key, "filled", "accuracy"])
    whole = accuracy[accuracy["filled"] == "original"].drop(columns="filled")
    table = table.merge(accuracy, how="left", on=[*fit_key, "filled"])
    return table.merge(whole, how="left", on=fit_key, suffixes=("", "_whole"))


if __name__ == "__main__":
    main()
