"""Fig. 7: colour images of one class, beside samples of a VAE and of instances of DCGMM.

A row for every class that a DCGMM was trained on; a model of all classes appears in every row.
Fits under `--sharpened` are shown without and with sharpening. Writes the figure, of the first
seed, as SVG and PNG. The CSV measures the diversity of every seed's images: their mean squared
distance from one another, per pixel and channel.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workflow.common import frames, panels, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets, registry
from workflow.pictures import drawings

COLUMNS = 10
IMAGES = 100


class Series(NamedTuple):
    """Images of one column and of some classes.

    Attributes:
        title: of the column.
        classes: of the images.
        images: [n, H, W, C] in [0, 1], or why there are none.
        model: that drew them, as in `DCGMM-A-svhn`; empty for real images.
        kind: their array in the model's file.
        seed: of the fit.
    """

    title: str
    classes: str
    images: np.ndarray | str
    model: str = ""
    kind: str = ""
    seed: int | None = None


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument(
        "--means", nargs="*", default=[], type=Path, help="draws.npz of fits: means of pixels"
    )
    parser.add_argument(
        "--draws", nargs="*", default=[], type=Path, help="draws.npz of fits: with their noise"
    )
    parser.add_argument("--sharpened", nargs="*", default=[], type=Path, help="draws.npz of fits")
    parser.add_argument("--name", required=True, help="of the figure's files")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        # The columns: real images, then the models' drawings.
        drawn = [drawn_series(*drawings.read(path), "sample_mean") for path in options.means]
        drawn += [drawn_series(*drawings.read(path), "sample") for path in options.draws]
        drawn += [
            series
            for path in options.sharpened
            for series in sharpened_series(*drawings.read(path, "sharpening"))
        ]
        lines = list(dict.fromkeys(s.classes for s in drawn if s.classes != "all")) or ["all"]
        dataset = datasets.load(options.data)
        shown = [*(real_series(dataset, classes) for classes in lines), *drawn]
        table = measured(shown, dataset)
        frames.write_csv(options.out / f"{options.name}.csv", table, float_format="%.6f")

        # The figure: a row for each class, a contact sheet for each column.
        plots.use_style()
        titles = list(dict.fromkeys(series.title for series in shown))
        pictures = [
            (line.replace("only", "class "), [picture(shown, title, line) for title in titles])
            for line in lines
        ]
        figure = panels.table(pictures, titles, size=(3.2, 3.4))
        plots.save(figure, options.out, options.name)


def real_series(dataset: datasets.Dataset, classes: str) -> Series:
    """Training images of some classes."""
    of_classes = np.flatnonzero(datasets.by_classes(dataset.y_train, classes))[:IMAGES]
    title = f"{registry.title(dataset.name)}\ntraining images"
    return Series(title, classes, datasets.as_float(dataset.x_train[of_classes]))


def drawn_series(metadata: dict[str, Any], arrays: dict[str, np.ndarray], kind: str) -> Series:
    """Images that a model drew, from one array of its file."""
    return Series(
        title=_title(metadata),
        classes=metadata["classes"],
        images=arrays[kind] if kind in arrays else panels.absent(metadata),
        model=metadata["title"],
        kind=kind,
        seed=metadata["seed"],
    )


def sharpened_series(metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Series]:
    """Images that a DCGMM drew without and with sharpening."""
    suffixes = {"plain": ", not sharpened", "sharpened": ", sharpened"}
    return [
        Series(series.title + suffix, *series[1:])
        for kind, suffix in suffixes.items()
        for series in [drawn_series(metadata, arrays, kind)]
    ]


def measured(shown: list[Series], dataset: datasets.Dataset) -> pd.DataFrame:
    """Diversity of every series: a row each."""
    source = {"dataset": dataset.name, "source": dataset.source}
    table = pd.DataFrame([source | diversity(series) for series in shown])
    return table.astype({"seed": "Int64"})


def diversity(series: Series) -> dict[str, Any]:
    """Describe a series, with the number of images and their mean squared distance.

    The mean over pairs of different images of the squared difference per pixel and channel is
    twice the unbiased variance.
    """
    images = series.images
    row = {"shown": series.title.replace("\n", " "), "classes": series.classes}
    row |= {"model": series.model, "kind": series.kind, "seed": series.seed}
    if isinstance(images, str):
        return row | {"images": 0, "squared_distance": float("nan")}
    distance = 2 * images.astype(float).var(axis=0, ddof=1).mean()
    return row | {"images": len(images), "squared_distance": distance}


def picture(shown: list[Series], title: str, line: str) -> np.ndarray | str:
    """Contact sheet of one column and row of the figure, or why there is none."""
    for series in shown:
        if series.title == title and series.classes in (line, "all"):
            if isinstance(series.images, str):
                return series.images
            return panels.tile(series.images[:IMAGES], COLUMNS)
    return "no fit"


def _title(metadata: dict[str, str]) -> str:
    trained = ", trained on all classes" if metadata["classes"] == "all" else ""
    return f"{metadata['title']}\n({metadata['point']}{trained})"


if __name__ == "__main__":
    main()
