"""Diagrams of instances, from their notation, in the manner of Figs. 1 and 2.

One picture an instance, `diagram_<instance>.svg` and `.png`: every layer's output as a block, as
high as it has rows and as wide as the logarithm of its channels, from the image on the left to the
top. The dashed part of a block is what one position of the next layer sees; a dot over a cGMM layer
stands for a loss of its own, which is not propagated further down.
"""

import argparse
import math
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from dcgmm import notation, recipes
from workflow.common import plots
from workflow.common.command_line import plain_errors

IMAGE = (28, 28, 1)
COLOURS = {
    notation.Folding: plots.COLOURS[5],
    notation.MaxPooling: plots.COLOURS[4],
    notation.GMM: plots.COLOURS[0],
    notation.Classifier: plots.COLOURS[1],
}
GAP = 1.1  # between blocks
OUTLINE = {"edgecolor": plots.EDGE, "lw": plots.THIN}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.training.diagrams", description=__doc__
    )
    parser.add_argument("--instances", required=True, nargs="+", help="of dcgmm/instances.toml")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        for name in options.instances:
            figure = draw(recipes.instance(name).layers, f"DCGMM-{name}")
            plots.save(figure, options.out, f"diagram_{name}")


def draw(layers: tuple[notation.Layer, ...], title: str) -> plt.Figure:
    """The diagram of an architecture."""
    shapes = [IMAGE, *notation.shapes(layers, IMAGE)]
    lefts = [0.0]
    for shape in shapes[:-1]:
        lefts.append(lefts[-1] + width(shape) + GAP)
    figure, axis = plt.subplots(figsize=(1.0 + 0.75 * lefts[-1] ** 0.9, 2.6))
    axis.set(title=title, aspect="auto")
    axis.axis("off")
    axis.set(xlim=(-0.5, lefts[-1] + width(shapes[-1]) + 1.2), ylim=(-24, 24))
    for index, (shape, left) in enumerate(zip(shapes, lefts, strict=True)):
        colour = "0.8" if index == 0 else COLOURS[type(layers[index - 1])]
        words = "image" if index == 0 else f"L{index}\n{layers[index - 1]}"
        block(axis, shape, left, colour, words)
        if index > 0:
            arrow(axis, lefts[index - 1] + width(shapes[index - 1]), left)
            window(axis, layers[index - 1], shapes[index - 1], lefts[index - 1])
        if index > 0 and isinstance(layers[index - 1], notation.GMM):
            middle = left + width(shape) / 2
            axis.plot([middle], [shape[0] / 2 + 2], marker="o", markersize=3, color=plots.EDGE)
    return figure


def width(shape: tuple[int, int, int]) -> float:
    """Of a block, from its channels."""
    return 0.25 + math.log10(shape[2]) / 2


def block(axis: plt.Axes, shape: tuple[int, int, int], left: float, colour: str, text: str) -> None:
    """One output, its layer below it and its shape above."""
    rows, columns, channels = shape
    size = (width(shape), rows)
    axis.add_patch(Rectangle((left, -rows / 2), *size, facecolor=colour, **OUTLINE))
    middle = left + width(shape) / 2
    axis.text(middle, -15.5, text, ha="center", va="top", fontsize=plots.TINY)
    words = f"{rows}x{columns}\nx{channels}"
    axis.text(middle, 17.5, words, ha="center", va="bottom", fontsize=plots.MINUTE)


def window(axis: plt.Axes, layer: notation.Layer, below: tuple[int, int, int], left: float) -> None:
    """What one position of a folding or pooling layer sees of the block below."""
    if isinstance(layer, notation.Folding | notation.MaxPooling):
        high = min(layer.kernel, below[0])
        place = (left, below[0] / 2 - high)
        axis.add_patch(Rectangle(place, width(below), high, fill=False, ls="--", **OUTLINE))


def arrow(axis: plt.Axes, start: float, end: float) -> None:
    """From one block to the next."""
    ends = {"xy": (end - 0.1, 0), "xytext": (start + 0.1, 0)}
    axis.annotate("", **ends, arrowprops={"arrowstyle": "->", "lw": plots.THIN})


if __name__ == "__main__":
    main()
