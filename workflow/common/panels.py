"""Contact sheets: many small images as one picture, and pictures side by side with titles."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from workflow.common import plots, tables


def tile(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """One picture of n images in rows of `columns`, white between them.

    Args:
        images: [n, H, W, C] in [0, 1].
        columns: images in a row; the last row may be shorter.
        gap: pixels between images.

    Returns:
        [rows (H + gap) - gap, columns (W + gap) - gap, C], or without C if it is 1.
    """
    n, height, width, channels = images.shape
    rows = -(-n // columns)
    sheet = np.ones((rows * (height + gap), columns * (width + gap), channels), images.dtype)
    for index, image in enumerate(images):
        top, left = (height + gap) * (index // columns), (width + gap) * (index % columns)
        sheet[top : top + height, left : left + width] = image
    sheet = sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap]
    return sheet[..., 0] if channels == 1 else sheet


def name(about: dict[str, str]) -> str:
    """Model, grid point and dataset, a line each."""
    return "\n".join((about["title"], about["point"], tables.name(about["dataset"])))


def absent(about: Mapping[str, Any]) -> str:
    """What stands in the place of a picture: why there is none, as far as that is known."""
    return textwrap.fill(f"no result: {about.get('reason') or about['status']}", 28)


def table(
    lines: Sequence[tuple[str, Sequence[np.ndarray | str]]],
    titles: Sequence[str],
    size: tuple[float, float],
) -> plt.Figure:
    """Pictures in lines and columns.

    Args:
        lines: what stands before a line, and its pictures; text stands where one is missing.
        titles: of the columns.
        size: width and height of a picture in inches.
    """
    figure, axes = plt.subplots(
        len(lines),
        len(titles),
        figsize=(size[0] * len(titles) + 1, size[1] * len(lines) + 0.4),
        squeeze=False,
    )
    for axis, words in zip(axes[0], titles, strict=True):
        axis.set_title(words, fontsize=plots.SMALL)
    for line, (words, pictures) in zip(axes, lines, strict=True):
        line[0].set_ylabel(words, rotation=0, ha="right", va="center", fontsize=plots.TINY)
        for axis, picture in zip(line, pictures, strict=True):
            _show(axis, picture)
    return figure


def gallery(
    pictures: Sequence[np.ndarray | str],
    titles: Sequence[str],
    columns: int,
    size: tuple[float, float],
) -> plt.Figure:
    """Pictures in rows of `columns`, each under its title.

    Args:
        pictures: text stands where one is missing.
        titles: one a picture.
        columns: pictures in a row.
        size: width and height of a picture with its title, in inches.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, title in zip(axes.flat, pictures, titles, strict=False):
        axis.set_title(title, fontsize=plots.TINY)
        _show(axis, picture)
    return figure


def _show(axis: Axes, picture: np.ndarray | str) -> None:
    """A picture, or text in its place."""
    axis.set(xticks=[], yticks=[], frame_on=False)
    if isinstance(picture, str):
        axis.text(0.5, 0.5, picture, ha="center", va="center", transform=axis.transAxes)
    else:
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
