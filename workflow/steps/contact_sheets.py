"""Samples of all models of one dataset, side by side: a row for each class, the release's noise."""

import argparse
from pathlib import Path

import numpy as np

from workflow.evaluation import contact, files, plots, samples
from workflow.steps.cli import plain_errors

COLUMNS, PER_ROW = 10, 5


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.steps.contact_sheets", description=__doc__
    )
    parser.add_argument("--samples", required=True, nargs="+", type=Path, help="samples.npz files")
    parser.add_argument("--out", required=True, type=Path, help=".png to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        drawn = [samples.read(path) for path in options.samples]
        plots.use_style()
        titles = [f"{contact.name(about)}\npixels: {about['published']}" for about, _ in drawn]
        pictures = [sheet(*each) for each in drawn]
        classes = max(len({samples.place(key)[1] for key in arrays}) for _, arrays in drawn)
        classes = classes or 3  # room for the words that stand there instead
        figure = contact.gallery(pictures, titles, PER_ROW, size=(2.6, 0.7 + 0.26 * classes))
        with files.replacing(options.out) as file:
            figure.savefig(file, format="png", dpi=200, metadata={"Software": None})


def sheet(about: dict, arrays: samples.Drawn) -> np.ndarray | str:
    """One picture of all classes, or the status where there are no images."""
    keys = [key for key in arrays if samples.place(key)[0] == about["published"]]
    keys.sort(key=samples.place)
    if not keys:
        return contact.absent(about)
    columns = min(COLUMNS, *(len(arrays[key]) for key in keys))
    rows = [samples.as_unit(arrays[key][:columns], arrays[key].shape[1:]) for key in keys]
    return contact.tile(np.concatenate(rows), columns)


if __name__ == "__main__":
    main()
