"""Figure of a multiverse: every pair's differences under all protocols, sorted.

Part of the step `multiverse`. A column of the figure is a dataset, a line a pair: a bar for every
protocol, to the right where the first method is ahead, and a diamond at the paper's protocol.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workflow.common import plots, tables
from workflow.data import registry

PAIR = ["first", "second"]
HEIGHT = 0.8  # of a pair's bars, in lines
SIDES = (("the first ahead", plots.COLOURS[0], 1), ("the second ahead", plots.COLOURS[4], -1))
PAPERS = {
    "marker": "D", "color": "black", "markeredgecolor": "white", "linestyle": "", "markersize": 6,
    "label": "the paper's protocol",
}  # fmt: skip


def draw(compared: pd.DataFrame, summary: pd.DataFrame) -> plt.Figure:
    """Draw the rows of `multiverse.specifications`, with the shares of `multiverse.summarised`."""
    if compared.empty:
        return plots.empty_figure("no result: no two methods share a protocol")
    pairs = list(compared.groupby(PAIR, sort=False).groups)
    datasets = compared["dataset"].unique()
    figure, axes = plt.subplots(
        1, len(datasets), sharex=True, sharey=True, squeeze=False,
        figsize=(1.8 + 3.2 * len(datasets), 1.2 + 0.36 * len(pairs)),
    )  # fmt: skip
    for axis, dataset in zip(axes[0], datasets, strict=True):
        shares = summary[summary["dataset"] == dataset].set_index(PAIR)["ahead"]
        draw_panel(axis, compared[compared["dataset"] == dataset], pairs, shares)
        axis.set_title(registry.title(dataset))
        axis.set_xlabel("difference (percentage points)")
    axes[0, 0].set_yticks(range(len(pairs)), [" − ".join(pair) for pair in pairs])

    # One legend of what any panel shows.
    handles = {
        label: handle
        for axis in axes[0]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(handles))
    return figure


def draw_panel(
    axis: Axes, compared: pd.DataFrame, pairs: list[tuple[str, str]], shares: pd.Series
) -> None:
    """Draw one dataset: a line for every pair, with its share of protocols at the right."""
    for line, pair in enumerate(pairs):
        share = f"{shares[pair]:.0f} %" if pair in shares.index else tables.DASH
        style = {"va": "center", "fontsize": plots.TINY, "transform": axis.get_yaxis_transform()}
        axis.text(1.02, line, share, **style)
        rows = compared[(compared["first"] == pair[0]) & (compared["second"] == pair[1])]
        rows = rows.sort_values("difference")
        draw_pair(axis, line, rows["difference"].to_numpy(), rows["paper"].to_numpy(bool))
    axis.text(1.02, -0.75, "ahead", fontsize=plots.TINY, transform=axis.get_yaxis_transform())
    axis.axvline(0, color=plots.EDGE, linewidth=plots.THIN)
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.tick_params(labelsize=plots.SMALL)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    axis.set_axisbelow(True)


def draw_pair(axis: Axes, line: int, differences: np.ndarray, is_papers: np.ndarray) -> None:
    """Draw the sorted differences of one pair as bars, and mark the paper's protocol."""
    n = len(differences)
    if not n:
        return
    edges = line + HEIGHT * (0.5 - np.arange(n + 1) / n)  # the lowest at the bottom
    for label, colour, sign in SIDES:
        bars = sign * np.maximum(sign * differences, 0)
        axis.stairs(
            bars[::-1], edges[::-1], orientation="horizontal", fill=True, color=colour, label=label
        )
    places = (edges[:-1] + edges[1:]) / 2
    if is_papers.any():
        axis.plot(differences[is_papers], places[is_papers], **PAPERS)
