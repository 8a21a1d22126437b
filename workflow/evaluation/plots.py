"""One style for all figures: legible in black and white and to colour-blind readers."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from workflow.evaluation import files

# Okabe and Ito's palette, in an order of falling lightness contrast; lines differ in dashes too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a dollar sign, too
    "svg.hashsalt": "dcgmm",  # the same figure is the same file
}


def use_style() -> None:
    """Set the style and draw to files alone."""
    matplotlib.use("agg")
    matplotlib.rcParams.update(STYLE)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write `<name>.svg` and `<name>.png`, atomically."""
    with files.replacing(folder / f"{name}.svg") as file:
        figure.savefig(file, format="svg", metadata={"Date": None})
    with files.replacing(folder / f"{name}.png") as file:
        figure.savefig(file, format="png", dpi=300, metadata={"Software": None})
