"""Samples and in-painting of the competitors side by side, a line a model and dataset.

Writes `competitors.svg` and `competitors.png`; the images drawn lie beside the fits.
"""

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from workflow.evaluation import plots, tables
from workflow.steps.cli import plain_errors

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
    parser = argparse.ArgumentParser(
        prog="python -m workflow.steps.competitors", description=__doc__
    )
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        plots.use_style()
        plots.save(draw([read(path) for path in options.draws]), options.out, "competitors")


def read(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Who drew, and what."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(arrays.pop("about").item()), arrays


def draw(drawn: list[tuple[dict[str, str], dict[str, np.ndarray]]]) -> plt.Figure:
    """A line of strips for each model, one strip for each kind of drawing."""
    figure, axes = plt.subplots(
        len(drawn), len(KINDS), figsize=(2.7 * len(KINDS), 0.95 * len(drawn) + 0.4), squeeze=False
    )
    for line, (about, arrays) in zip(axes, drawn, strict=True):
        for axis, kind in zip(line, KINDS, strict=True):
            axis.set(xticks=[], yticks=[], frame_on=False)
            if kind in arrays:
                axis.imshow(strip(arrays[kind][:SHOWN]), cmap="gray", vmin=0, vmax=1)
            else:
                words = "not offered" if about["status"] == "ok" else about["status"]
                axis.text(0.5, 0.5, words, ha="center", va="center", transform=axis.transAxes)
        words = f"{about['title']}\n{about['point']}\n{tables.name(about['dataset'])}"
        line[0].set_ylabel(words, rotation=0, ha="right", va="center", fontsize=7)
    for axis, words in zip(axes[0], KINDS.values(), strict=True):
        axis.set_title(words, fontsize=8)
    return figure


def strip(images: np.ndarray) -> np.ndarray:
    """Two lines of images, [n, H, W, C] -> [2 H, n / 2 W, C], or without C if it is 1."""
    n, height, width, channels = images.shape
    half = n // 2
    tiled = images[: 2 * half].reshape(2, half, height, width, channels)
    return tiled.transpose(0, 2, 1, 3, 4).reshape(2 * height, half * width, channels).squeeze()


if __name__ == "__main__":
    main()
