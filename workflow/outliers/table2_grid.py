"""Heat maps of the grids behind Table II: the exact AUROC of whole images at every grid point.

A panel for every model and dataset, with components as rows and the other settings as columns.
Writes `table2_grid.svg`, `table2_grid.png` and the plotted numbers as `table2_grid.csv`.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from workflow.common import frames, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--grid", required=True, type=Path, help="table2_grid.csv of the table")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        grid = frames.read_table(options.grid)
        drawn = points(grid.fillna({"variant": ""}))
        frames.write_csv(options.out / "table2_grid.csv", drawn, float_format="%.6g")
        plots.use_style()
        plots.save(draw(drawn), options.out, "table2_grid")


def points(grid: pd.DataFrame) -> pd.DataFrame:
    """Place every grid point in its panel: a row for every point and dataset.

    The name of a point is split at its first part: `K10-D4-binomial` is row `K10`, column
    `D4-binomial`. A point that could not be fitted has the value NaN and a `mark`.
    """
    exact = grid[(grid["metric"] == "auroc") & (grid["evidence"] == "all")]
    missing = grid[grid["n"] == 0].assign(mean=np.nan)
    rows = pd.concat([exact, missing])
    rows = rows[~rows["method"].isin(["dcgmm"])].copy()
    names = [name.partition("-") for name in rows["grid_point"]]
    rows["row"], rows["column"] = [row for row, *_ in names], [name or " " for *_, name in names]
    reasons = rows["reasons"].fillna("no metric").where(rows["n"] == 0, "")
    rows["mark"] = [reason.partition(":")[0] for reason in reasons]
    columns = ["method", "title", "variant", "dataset", "row", "column", "mean", "std", "n", "mark"]
    return rows[columns]


def draw(rows: pd.DataFrame) -> plt.Figure:
    """Draw a row of panels for every method, with a panel for every dataset."""
    if rows.empty:
        return plots.empty_figure("no result: the run has no competitor")
    methods, datasets = rows["method"].unique(), rows["dataset"].unique()
    widths = [rows[rows["method"] == m]["column"].nunique() for m in methods]
    heights = [rows[rows["method"] == m]["row"].nunique() for m in methods]
    figure, axes = plt.subplots(
        len(methods),
        len(datasets),
        figsize=(len(datasets) * (1.6 + 0.62 * max(widths)), sum(h * 0.4 + 1.5 for h in heights)),
        height_ratios=[h + 2.5 for h in heights],
        squeeze=False,
    )
    for line, method in zip(axes, methods, strict=True):
        for axis, dataset in zip(line, datasets, strict=True):
            panel = rows[(rows["method"] == method) & (rows["dataset"] == dataset)]
            draw_panel(axis, panel)
            axis.set_title(f"{panel['title'].iloc[0]}, {registry.title(dataset)}")
    return figure


def draw_panel(axis: Axes, panel: pd.DataFrame) -> None:
    """Draw one method's heat map; a point without a value shows the reason."""
    # The heat map, in the natural order of the settings.
    order = {
        "index": sorted(panel["row"].unique(), key=natural),
        "columns": sorted(panel["column"].unique(), key=natural),
    }
    values = panel.pivot(index="row", columns="column", values="mean").reindex(**order)
    marks = panel.pivot(index="row", columns="column", values="mark").reindex(**order)
    sns.heatmap(
        values,
        ax=axis,
        vmin=20,
        vmax=100,
        cmap="cividis",
        annot=True,
        fmt=".1f",
        annot_kws={"fontsize": plots.TINY},
        cbar_kws={"label": "AUROC (%)", "ticks": [20, 40, 60, 80, 100]},
        linewidths=0.5,
    )
    for y, x in np.argwhere(values.isna().to_numpy()):  # seaborn leaves these cells without text
        reason = marks.iloc[y, x]
        style = {"fontsize": plots.MINUTE, "ha": "center", "va": "center"}
        axis.text(x + 0.5, y + 0.5, reason if reason == reason else "", **style)

    axis.grid(False)
    axis.set(xlabel="", ylabel="")
    axis.tick_params(axis="x", rotation=40, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    axis.set_facecolor("0.85")


def natural(name: str) -> list[tuple[str, int]]:
    """Sort key that puts `K5` before `K10`."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"([^\d]+)(\d*)", name)]


if __name__ == "__main__":
    main()
