"""Samples and in-painted images of the competitors, a row for each model and dataset.

Writes `competitors.svg` and `competitors.png`; the files of images lie beside the fits.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from workflow.common import panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.pictures import drawings

SHOWN = 8
KINDS = {
    "sample": "samples",
    "sample_mean": "samples, pixels' means",
    "original": "test images",
    "inpaint": "right half in-painted",
    "inpaint_mean": "in-painted, means",
}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        drawn = [drawings.read(path) for path in options.draws]
        plots.save(draw(drawn), options.out, "competitors")


def draw(drawn: list[tuple[dict[str, str], dict[str, np.ndarray]]]) -> plt.Figure:
    """Draw a row for each model, with a picture for each kind of drawing."""
    lines = []
    for metadata, arrays in drawn:
        missing = "not offered" if metadata["status"] == "ok" else panels.absent(metadata)
        pictures = [
            panels.tile(arrays[kind][:SHOWN], SHOWN // 2) if kind in arrays else missing
            for kind in KINDS
        ]
        lines.append((panels.caption(metadata, registry.title(metadata["dataset"])), pictures))
    return panels.table(lines, list(KINDS.values()), size=(2.5, 1.3))


if __name__ == "__main__":
    main()
