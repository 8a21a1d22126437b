"""Samples of one dataset's models side by side: a row per class, noise as in each release."""

from pathlib import Path

import numpy as np

from workflow.common import files, panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.samples import sample_files

COLUMNS, PER_ROW = 10, 5


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--samples", required=True, nargs="+", type=Path, help="samples.npz files")
    parser.add_argument("--out", required=True, type=Path, help=".png to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        samples = [sample_files.read(path) for path in options.samples]
        plots.use_style()
        titles = [
            panels.caption(metadata, registry.title(metadata["dataset"]))
            + f"\npixels: {metadata['published']}"
            for metadata, _ in samples
        ]
        pictures = [sheet(metadata, arrays) for metadata, arrays in samples]
        classes = max(
            len({sample_files.treatment_and_class(key)[1] for key in arrays})
            for _, arrays in samples
        )
        classes = classes or 3  # room for the text shown instead of images
        figure = panels.gallery(pictures, titles, PER_ROW, size=(2.6, 0.7 + 0.26 * classes))
        with files.replacing(options.out) as file:
            figure.savefig(file, format="png", dpi=200, metadata={"Software": None})


def sheet(metadata: dict, arrays: sample_files.Drawn) -> np.ndarray | str:
    """Tile images of all classes into one picture; without images, return the status."""
    keys = [
        key for key in arrays if sample_files.treatment_and_class(key)[0] == metadata["published"]
    ]
    keys.sort(key=sample_files.treatment_and_class)
    if not keys:
        return panels.absent(metadata)
    columns = min(COLUMNS, *(len(arrays[key]) for key in keys))
    rows = [sample_files.as_unit(arrays[key][:columns], arrays[key].shape[1:]) for key in keys]
    return panels.tile(np.concatenate(rows), columns)


if __name__ == "__main__":
    main()
