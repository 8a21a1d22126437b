"""Fig. 8: the right half of test images in-painted by a flat and a deep instance, in both ways.

Writes the figure as SVG and PNG, and the mean squared errors on the erased pixels as CSV, beside
those of leaving them black (`erased`) and of the training images' mean.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from workflow.evaluation import contact, drawings, files, plots
from workflow.steps.cli import plain_errors

SHOWN = 20
KINDS = {"original": "test images", "black": "erased as black", "marginal": "erased integrated out"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.figure8", description=__doc__)
    parser.add_argument("--inpainting", required=True, nargs="+", type=Path, help="of fits, .npz")
    parser.add_argument("--name", required=True, help="of the figure's files")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        drawn = [drawings.read(path) for path in options.inpainting]
        table = pd.DataFrame(row for about, arrays in drawn for row in errors(about, arrays))
        files.write_text(options.out / f"{options.name}.csv", table.to_csv(index=False))
        plots.use_style()
        lines = [
            (
                contact.name(about),
                [contact.tile(arrays[k][:SHOWN], 5) if arrays else "no fit" for k in KINDS],
            )
            for about, arrays in drawn
        ]
        plots.save(
            contact.table(lines, list(KINDS.values()), (2.6, 2.2)), options.out, options.name
        )


def errors(about: dict[str, str], arrays: dict[str, np.ndarray]) -> list[dict]:
    """A row for every way: mean squared error, its standard error over images, their number."""
    return [
        about
        | {
            "filled": name.partition("/")[2],
            "mse": float(values.mean()),
            "standard_error": float(values.std(ddof=1) / np.sqrt(len(values))),
            "images": len(values),
        }
        for name, values in arrays.items()
        if name.startswith("error/")
    ]


if __name__ == "__main__":
    main()
