"""Samples of DCGMM instances by the authors' release's rules and by clean ones, side by side.

`dcgmm.sampling_recipe` explains the difference; both rows use the same random numbers.
"""

from pathlib import Path

from workflow.common import panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.pictures import drawings

COLUMNS, SHOWN = 7, 28
ROWS = ("clean", "released")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        drawn = [drawings.read(path) for path in options.draws]
        lines = []
        for semantics in ROWS:
            # Samples by the rules of the recipe itself are stored as `sample`.
            keys = [f"sample_{semantics}", "sample"]
            pictures = [
                panels.tile(next(arrays[key] for key in keys if key in arrays)[:SHOWN], COLUMNS)
                if arrays
                else panels.absent(metadata)
                for metadata, arrays in drawn
            ]
            lines.append((semantics, pictures))
        titles = [
            panels.caption(metadata, registry.title(metadata["dataset"])) for metadata, _ in drawn
        ]
        plots.save(panels.table(lines, titles, size=(2.6, 1.6)), options.out, "semantics")


if __name__ == "__main__":
    main()
