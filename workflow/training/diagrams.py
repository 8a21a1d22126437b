"""Diagrams of instances, drawn from their notation in the style of Figs. 1 and 2.

One picture per instance, `diagram_<instance>.svg` and `.png`: every layer's output is a block, from
the image on the left to the top layer, its height the number of rows, its width the logarithm of
the number of channels. The dashed part of a block is what one position of the next layer sees; a
dot over a cGMM layer stands for its own loss, which is not propagated further down.
"""

import math
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from dcgmm import notation, recipes
from workflow.common import plots
from workflow.common.command_line import argument_parser, plain_errors

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
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--instances", required=True, nargs="+", help="of dcgmm/instances.toml")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        for name in options.instances:
            figure = draw(recipes.instance(name).layers, f"DCGMM-{name}")
            plots.save(figure, options.out, f"diagram_{name}")


def draw(layers: tuple[notation.Layer, ...], title: str) -> plt.Figure:
    """Draw the diagram of an architecture."""
    # Blocks stand side by side, the image first.
    shapes = [IMAGE, *notation.shapes(layers, IMAGE)]
    lefts = [0.0]
    for shape in shapes[:-1]:
        lefts.append(lefts[-1] + width(shape) + GAP)
    figure, axis = plt.subplots(figsize=(1.0 + 0.75 * lefts[-1] ** 0.9, 2.6))
    axis.set(title=title, aspect="auto")
    axis.axis("off")
    axis.set(xlim=(-0.5, lefts[-1] + width(shapes[-1]) + 1.2), ylim=(-24, 24))

    # Each layer: its block, the arrow to it, its window on the block below, the dot of a loss.
    for index, (shape, left) in enumerate(zip(shapes, lefts, strict=True)):
        colour = "0.8" if index == 0 else COLOURS[type(layers[index - 1])]
        name = "image" if index == 0 else f"L{index}\n{layers[index - 1]}"
        block(axis, shape, left, colour, name)
        if index > 0:
            arrow(axis, lefts[index - 1] + width(shapes[index - 1]), left)
            window(axis, layers[index - 1], shapes[index - 1], lefts[index - 1])
        if index > 0 and isinstance(layers[index - 1], notation.GMM):
            middle = left + width(shape) / 2
            axis.plot([middle], [shape[0] / 2 + 2], marker="o", markersize=3, color=plots.EDGE)
    return figure


def width(shape: tuple[int, int, int]) -> float:
    """Width of a block, from its number of channels."""
    return 0.25 + math.log10(shape[2]) / 2


def block(axis: plt.Axes, shape: tuple[int, int, int], left: float, colour: str, name: str) -> None:
    """Draw one output as a block, with its layer's name below and its shape above."""
    rows, columns, channels = shape
    size = (width(shape), rows)
    axis.add_patch(Rectangle((left, -rows / 2), *size, facecolor=colour, **OUTLINE))
    middle = left + width(shape) / 2
    axis.text(middle, -15.5, name, ha="center", va="top", fontsize=plots.TINY)
    size_text = f"{rows}x{columns}\nx{channels}"
    axis.text(middle, 17.5, size_text, ha="center", va="bottom", fontsize=plots.MINUTE)


def window(axis: plt.Axes, layer: notation.Layer, below: tuple[int, int, int], left: float) -> None:
    """Outline what one position of a folding or pooling layer sees of the block below."""
    if isinstance(layer, notation.Folding | notation.MaxPooling):
        high = min(layer.kernel, below[0])
        place = (left, below[0] / 2 - high)
        axis.add_patch(Rectangle(place, width(below), high, fill=False, ls="--", **OUTLINE))


def arrow(axis: plt.Axes, start: float, end: float) -> None:
    """Draw an arrow from one block to the next."""
    ends = {"xy": (end - 0.1, 0), "xytext": (start + 0.1, 0)}
    axis.annotate("", **ends, arrowprops={"arrowstyle": "->", "lw": plots.THIN})


if __name__ == "__main__":
    main()
