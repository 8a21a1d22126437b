"""One style for all figures, legible in black and white and to colour-blind readers."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow.common import files

# Okabe and Ito's palette, in an order of falling lightness contrast; lines differ in dashes too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

SMALL, TINY, MINUTE = 8, 7, 6  # points, font sizes below that of the style
STRONG, THIN = 1.2, 0.8  # points, widths of lines
EDGE, GUIDE, FAINT = "black", "0.6", "0.9"  # of shapes, of reference lines, of separators
DOTTED = (0, (1, 2))

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
    "svg.hashsalt": "dcgmm",  # equal figures give equal files
}


def use_style() -> None:
    """Set the style, and draw only to files."""
    matplotlib.use("agg")
    matplotlib.rcParams.update(STYLE)


def centre_text(axis: Axes, text: str) -> None:
    """Write text in the middle of a panel, such as one without data."""
    style = {"ha": "center", "va": "center", "wrap": True}
    axis.text(0.5, 0.5, text, transform=axis.transAxes, **style)


def empty_figure(text: str) -> Figure:
    """Make a figure that only says why it is empty."""
    figure, axis = plt.subplots(figsize=(4, 2))
    axis.set_axis_off()
    centre_text(axis, text)
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write `<name>.svg` and `<name>.png`, atomically, and close the figure."""
    with files.replacing(folder / f"{name}.svg") as file:
        figure.savefig(file, format="svg", metadata={"Date": None})
    with files.replacing(folder / f"{name}.png") as file:
        figure.savefig(file, format="png", dpi=300, metadata={"Software": None})
    plt.close(figure)
