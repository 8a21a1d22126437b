"""Fig. 10: ROC-like curves of outlier detection, outliers rejected against inliers kept.

A panel for every grid point and dataset, a line for every seed. Writes `figure10.svg`,
`figure10.png` and the plotted numbers as `figure10.csv`.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from workflow.common import frames, metrics, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets, masks, registry
from workflow.fit import records
from workflow.fit import scores as saved_scores


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fits", required=True, nargs="+", type=Path, help="folders of fits")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        table = pd.concat([curves(folder) for folder in options.fits], ignore_index=True)
        frames.write_csv(options.out / "figure10.csv", table, float_format="%.6g")
        plots.use_style()
        plots.save(draw(table), options.out, "figure10")


def curves(folder: Path) -> pd.DataFrame:
    """Compute both curves of a fit's top layer; a failed fit gives a single row without a curve.

    `curve` is `exact`, at every threshold that changes it, or `thresholds`, at the paper's 100.
    """
    fit = records.read(folder / "fit.json")
    scores = saved_scores.read(folder / "scores.npz")
    labels = records.labels_of_dcgmm(fit)
    if not scores.test:
        return pd.DataFrame([labels], columns=[*frames.TABLES["figure10"]])

    # Both curves of the top layer, with their areas.
    inlier = datasets.by_classes(scores.labels, fit["classes"])
    top = list(scores.test[masks.ALL].values())[-1]
    parts = []
    for name, curve, area in (
        ("exact", metrics.exact_curve, metrics.auroc),
        ("thresholds", metrics.threshold_curve, metrics.threshold_auc),
    ):
        kept, rejected, threshold = curve(top[inlier], top[~inlier])
        part = pd.DataFrame({"threshold": threshold, "kept": kept, "rejected": rejected})
        auc = area(top[inlier], top[~inlier])
        parts.append(part.assign(**labels, curve=name, auc=auc))
    columns = [*labels, "curve", "auc", "threshold", "kept", "rejected"]
    return pd.concat(parts, ignore_index=True)[columns]


def draw(table: pd.DataFrame) -> plt.Figure:
    """Draw a row of square panels with shared axes."""
    panels = list(table.groupby(["instance", "recipe", "dataset"], sort=False))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(2.6 * len(panels) + 0.4, 3.1), sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    for axis, ((instance, recipe, dataset), panel) in zip(axes[0], panels, strict=True):
        draw_panel(axis, panel)
        axis.set_title(f"{instance} ({recipe}), {registry.title(dataset)}")
        axis.set_xlabel("inliers kept (%)")
    axes[0, 0].set_ylabel("outliers rejected (%)")
    return figure


def draw_panel(axis: Axes, panel: pd.DataFrame) -> None:
    """Draw all seeds' exact curves, the first seed's 100 thresholds, and the line of chance."""
    axis.plot([0, 100], [100, 0], color=plots.GUIDE, linewidth=plots.THIN, linestyle=plots.DOTTED)
    seeds = sorted(panel["seed"].unique())
    for rank, seed in enumerate(seeds):
        style = {
            "color": plots.COLOURS[rank % len(plots.COLOURS)],
            "linestyle": plots.DASHES[rank % len(plots.DASHES)],
        }
        draw_seed(axis, panel[panel["seed"] == seed], f"seed {seed}", style)
    coarse = panel[panel["curve"] == "thresholds"]
    if coarse.empty:
        plots.centre_text(axis, "no result")
    else:
        draw_thresholds(axis, coarse[coarse["seed"] == coarse["seed"].min()])
    axis.set(xlim=(0, 101), ylim=(0, 101), aspect="equal")
    axis.legend(loc="lower left", fontsize=plots.TINY, handlelength=2.4)


def draw_thresholds(axis: Axes, coarse: pd.DataFrame) -> None:
    """Mark one seed's curve at the paper's 100 thresholds."""
    marker = {"marker": "o", "markersize": 2.5, "markerfacecolor": "none", "color": plots.EDGE}
    points = 100 * coarse[["kept", "rejected"]].to_numpy().T  # [2, thresholds]
    label = f"100 thresholds, seed {coarse['seed'].iloc[0]}"
    axis.plot(*points, linestyle="", markeredgewidth=0.5, label=label, **marker)


def draw_seed(axis: Axes, rows: pd.DataFrame, label: str, style: dict[str, Any]) -> None:
    """Draw one seed's exact curve, or write its status into the legend if there is none."""
    exact = rows[rows["curve"] == "exact"]
    if exact.empty:
        axis.plot([], [], label=f"{label}: {rows['status'].iloc[0]}", **style)
        return
    area = f"{label}, AUROC {100 * exact['auc'].iloc[0]:.1f} %"
    style = style | {"label": area, "linewidth": plots.STRONG}
    axis.plot(100 * exact["kept"], 100 * exact["rejected"], **style)


if __name__ == "__main__":
    main()
