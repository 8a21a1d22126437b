"""Figs. 6, 11, 12 and 13: samples of several models of one dataset, side by side.

Pixels are drawn with the noise of each model's release.
"""

from pathlib import Path

from workflow.common import panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.pictures import drawings

COLUMNS = ROWS = 7
PER_ROW = 4


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--name", required=True, help="of the figure's files")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        drawn = [drawings.read(path) for path in options.draws]
        pictures = [
            panels.tile(arrays[drawings.KEYS[metadata["published"]]][: COLUMNS * ROWS], COLUMNS)
            if arrays
            else panels.absent(metadata)
            for metadata, arrays in drawn
        ]
        titles = [f"{metadata['title']}\n{metadata['point']}" for metadata, _ in drawn]
        figure = panels.gallery(pictures, titles, PER_ROW, size=(2.6, 2.9))
        plots.save(figure, options.out, options.name)


if __name__ == "__main__":
    main()
