"""Figs. 5 and 9: samples without and with sharpening, and its effect on the likelihoods.

The figure, SVG and PNG, has a row for every instance, of the first seed. The CSV has, for each seed
and sharpened folding layer, the mean log-likelihood of its target layer before and after, in nats.
"""

from pathlib import Path

import numpy as np

from workflow.common import frames, panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.pictures import drawings

COLUMNS = ROWS = 7  # the components of the top cGMM layer, in order


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--name", required=True, help="of the figure's files")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        drawn = [drawings.read(path, "sharpening") for path in options.draws]
        lines = [row for metadata, arrays in drawn for row in likelihoods(metadata, arrays)]
        table = frames.from_rows(lines, options.name)
        frames.write_csv(options.out / f"{options.name}.csv", table)

        # The figure: a row for each instance, of the first seed.
        plots.use_style()
        lines = [
            (
                panels.caption(metadata, registry.title(metadata["dataset"])),
                [
                    panels.tile(arrays[kind][: COLUMNS * ROWS], COLUMNS)
                    if arrays
                    else panels.absent(metadata)
                    for kind in ("plain", "sharpened")
                ],
            )
            for metadata, arrays in drawings.of_first_seed(drawn)
        ]
        figure = panels.table(lines, ["without sharpening", "with sharpening"], size=(3.2, 3.3))
        plots.save(figure, options.out, options.name)


def likelihoods(metadata: dict[str, str], arrays: dict[str, np.ndarray]) -> list[dict]:
    """Summarise the likelihoods: a row for every sharpened folding layer."""
    rows = []
    for name, values in arrays.items():
        if name.startswith("likelihood/"):
            before, after = values
            numbers = {"before": before.mean(), "after": after.mean(), "images": len(before)}
            improved = {"improved": float(np.mean(after > before))}
            rows.append(metadata | {"folding_layer": name.partition("/")[2]} | numbers | improved)
    return rows


if __name__ == "__main__":
    main()
