"""Samples of all models of one dataset, side by side: a row for each class, the release's noise."""

import argparse
from pathlib import Path

import numpy as np

from workflow.common import files, panels, plots
from workflow.common.command_line import plain_errors
from workflow.samples import sample_files

COLUMNS, PER_ROW = 10, 5


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.samples.contact_sheets", description=__doc__
    )
    parser.add_argument("--samples", required=True, nargs="+", type=Path, help="samples.npz files")
    parser.add_argument("--out", required=True, type=Path, help=".png to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        drawn = [sample_files.read(path) for path in options.samples]
        plots.use_style()
        titles = [f"{panels.caption(about)}\npixels: {about['published']}" for about, _ in drawn]
        pictures = [sheet(*each) for each in drawn]
        classes = max(len({sample_files.place(key)[1] for key in arrays}) for _, arrays in drawn)
        classes = classes or 3  # room for the words that stand there instead
        figure = panels.gallery(pictures, titles, PER_ROW, size=(2.6, 0.7 + 0.26 * classes))
        with files.replacing(options.out) as file:
            figure.savefig(file, format="png", dpi=200, metadata={"Software": None})


def sheet(about: dict, arrays: sample_files.Drawn) -> np.ndarray | str:
    """One picture of all classes, or the status where there are no images."""
    keys = [key for key in arrays if sample_files.place(key)[0] == about["published"]]
    keys.sort(key=sample_files.place)
    if not keys:
        return panels.absent(about)
    columns = min(COLUMNS, *(len(arrays[key]) for key in keys))
    rows = [sample_files.as_unit(arrays[key][:columns], arrays[key].shape[1:]) for key in keys]
    return panels.tile(np.concatenate(rows), columns)


if __name__ == "__main__":
    main()
