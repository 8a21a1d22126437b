"""Contact sheets: tile small images into pictures, and arrange pictures with titles."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from workflow.common import plots, tables


def tile(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Tile n images into one picture, in rows of `columns` with white gaps.

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


def caption(metadata: dict[str, str]) -> str:
    """Caption of a picture: model, grid point and dataset, a line each."""
    return "\n".join((metadata["title"], metadata["point"], tables.name(metadata["dataset"])))


def absent(metadata: Mapping[str, Any]) -> str:
    """Text in the place of a missing picture: the reason, or the status."""
    return textwrap.fill(f"no result: {metadata.get('reason') or metadata['status']}", 28)


def table(
    lines: Sequence[tuple[str, Sequence[np.ndarray | str]]],
    titles: Sequence[str],
    size: tuple[float, float],
) -> plt.Figure:
    """Arrange pictures in a table.

    Args:
        lines: label of a line, and its pictures; text replaces a missing one.
        titles: of the columns.
        size: width and height of a picture in inches.
    """
    figure, axes = plt.subplots(
        len(lines),
        len(titles),
        figsize=(size[0] * len(titles) + 1, size[1] * len(lines) + 0.4),
        squeeze=False,
    )
    for axis, label in zip(axes[0], titles, strict=True):
        axis.set_title(label, fontsize=plots.SMALL)
    for line, (label, pictures) in zip(axes, lines, strict=True):
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=plots.TINY)
        for axis, picture in zip(line, pictures, strict=True):
            _show(axis, picture)
    return figure


def gallery(
    pictures: Sequence[np.ndarray | str],
    titles: Sequence[str],
    columns: int,
    size: tuple[float, float],
) -> plt.Figure:
    """Arrange pictures in rows of `columns`, each with a title above.

    Args:
        pictures: text replaces a missing one.
        titles: one per picture.
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
    """Draw a picture, or text in its place."""
    axis.set(xticks=[], yticks=[], frame_on=False)
    if isinstance(picture, str):
        axis.text(0.5, 0.5, picture, ha="center", va="center", transform=axis.transAxes)
    else:
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
