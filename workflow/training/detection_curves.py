"""Training curves of detection: AUROC while the fits of Table I train, and the annealing below.

For every dataset `detection_curves_<dataset>.svg` and `.png`, with two panels for each instance and
recipe: the AUROC of every cGMM layer, on the test images of `workflow.fit.curves`, and the layers'
annealing radii. The plotted numbers of all seeds are `detection_curves.csv`.
"""

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow.common import frames, metrics, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets, registry
from workflow.fit import curves, records

NAME = "detection_curves"
MODEL = ["instance", "recipe"]
COLUMNS = [*frames.TABLES[NAME]][:-1]  # without the paper's
ACROSS = 4  # pairs of panels side by side


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fits", required=True, nargs="+", type=Path, help="folders of fits")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        table = with_paper(measured(options.fits), frames.read_paper(options.paper))
        frames.write_csv(options.out / f"{NAME}.csv", table, float_format="%.6g")
        plots.use_style()
        for dataset, part in table.groupby("dataset", sort=False):
            plots.save(draw(part), options.out, f"{NAME}_{dataset}")


def measured(folders: Iterable[Path]) -> pd.DataFrame:
    """Measure fits: a row for every layer and measurement; a single one for a fit without any."""
    table = pd.concat(map(curve, folders), ignore_index=True)
    return table.astype({name: frames.TABLES[NAME][name] for name in table})


def curve(folder: Path) -> pd.DataFrame:
    """AUROC and radius of every layer of a fit at each measurement.

    `epoch` counts epochs of training, parts of them included.
    """
    fit = records.read(folder / "fit.json")
    saved = curves.read(folder / "curve.npz")
    labels = records.labels_of_dcgmm(fit)
    if not saved.scores.size:
        return pd.DataFrame([labels], columns=COLUMNS)

    inlier = datasets.by_classes(saved.labels, fit["classes"])
    layers = fit["history"]["layers"]
    epochs = saved.step / saved.step[-1] * fit["settings"]["hyperparameters"]["epochs"]
    parts = [
        pd.DataFrame(
            labels
            | {"layer": layer, "top": layer == layers[-1], "step": saved.step, "epoch": epochs}
            | {"radius": radius, "auroc": [auroc(scores, inlier) for scores in of_layer]}
        )
        for layer, radius, of_layer in zip(
            layers, saved.radius.T, saved.scores.swapaxes(0, 1), strict=True
        )
    ]
    return pd.concat(parts, ignore_index=True)


def auroc(scores: np.ndarray, inlier: np.ndarray) -> float:
    """Exact AUROC in percent; NaN where a score is not finite, as it may be in mid-training."""
    if not np.isfinite(scores).all():
        return np.nan
    return 100 * metrics.auroc(scores[inlier], scores[~inlier])


def with_paper(table: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add the paper's value of the instance's top layer, by its 100 thresholds."""
    published = paper[paper["table"] == "I"].set_index(["row", "column"])["value"]
    return table.join(published.rename("paper"), on=["instance", "dataset"])[[*frames.TABLES[NAME]]]


def draw(table: pd.DataFrame) -> Figure:
    """Draw the models of a dataset, a pair of panels each."""
    models = list(table.groupby(MODEL, sort=False))
    columns = min(ACROSS, len(models))
    lines = -(-len(models) // columns)
    figure, axes = plt.subplots(
        2 * lines, columns, figsize=(2.4 * columns + 0.6, 4.2 * lines), squeeze=False,
        height_ratios=[2, 1] * lines,
    )  # fmt: skip
    pairs = axes.reshape(lines, 2, columns).transpose(0, 2, 1).reshape(-1, 2)
    for (above, below), model in zip_longest(pairs, models):
        if model is None:
            above.set_axis_off()
            below.set_axis_off()
            continue
        (instance, recipe), rows = model
        above.set_title(f"{instance} ({recipe}), {registry.title(rows['dataset'].iloc[0])}")
        above.sharey(pairs[0, 0])
        below.sharey(pairs[0, 1])
        draw_model(above, below, rows)
    for above, below in pairs[::columns]:
        above.set_ylabel("AUROC (%)")
        below.set_ylabel("radius")
    return figure


def draw_model(above: Axes, below: Axes, rows: pd.DataFrame) -> None:
    """Draw the AUROC and the radius of every layer: means over seeds, single seeds of the top."""
    above.axhline(rows["paper"].iloc[0], color=plots.EDGE, linewidth=plots.THIN,
                  linestyle=plots.DOTTED, label="paper, 100 thresholds")  # fmt: skip
    layers = sorted(rows["layer"].dropna().unique(), reverse=True)
    for rank, layer in enumerate(layers):
        of_layer, is_top = rows[rows["layer"] == layer], rank == 0
        style = {
            "color": plots.COLOURS[rank % len(plots.COLOURS)],
            "linestyle": plots.DASHES[rank % len(plots.DASHES)],
            "linewidth": plots.STRONG if is_top else plots.THIN,
        }
        means = of_layer.groupby("epoch")[["auroc", "radius"]].mean()
        above.plot(means["auroc"], label=f"L{layer}{' (top)' * is_top}", **style)
        below.plot(means["radius"], **style)
        if is_top:
            for _, seed in of_layer.groupby("seed"):
                above.plot(
                    seed["epoch"], seed["auroc"], color=style["color"], linewidth=0.5, alpha=0.6
                )
    for seed, status in rows.loc[rows["layer"].isna(), ["seed", "status"]].itertuples(index=False):
        above.plot([], [], " ", label=f"seed {seed}: {status}")
    if not layers:
        plots.centre_text(above, "no result")
    above.tick_params(labelbottom=False)
    above.sharex(below)
    below.set_xlabel("epoch")
    below.set_yscale("log")
    below.yaxis.set_major_formatter("{x:g}")
    below.legend(
        *above.get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, -0.4),
        ncols=2, fontsize=plots.TINY, handlelength=2.4,
    )  # fmt: skip


if __name__ == "__main__":
    main()
