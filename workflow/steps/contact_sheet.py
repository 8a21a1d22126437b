"""A picture of a file of samples: a row for each class, drawn as the method's release does."""

import argparse
from pathlib import Path

import numpy as np

from workflow.evaluation import contact, files, plots, samples
from workflow.steps.cli import plain_errors

COLUMNS = 10


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.steps.contact_sheet", description=__doc__
    )
    parser.add_argument("--samples", required=True, type=Path, help="samples.npz")
    parser.add_argument("--out", required=True, type=Path, help=".png to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        about, arrays = samples.read(options.samples)
        plots.use_style()
        title = f"{contact.name(about)}, seed {about['seed']}, {about['published']}"
        figure = contact.table([("", [sheet(about, arrays)])], [title], size=(3.2, 3.2))
        with files.replacing(options.out) as file:
            figure.savefig(file, format="png", dpi=200, metadata={"Software": None})


def sheet(about: dict, arrays: samples.Drawn) -> np.ndarray | str:
    """One picture of all classes, or the status where there are no images."""
    keys = [key for key in arrays if samples.place(key)[0] == about["published"]]
    keys.sort(key=samples.place)
    if not keys:
        return about["status"]
    columns = min(COLUMNS, *(len(arrays[key]) for key in keys))
    rows = [samples.as_unit(arrays[key][:columns], arrays[key].shape[1:]) for key in keys]
    return contact.tile(np.concatenate(rows), columns)


if __name__ == "__main__":
    main()
