"""Figure of the paper's numbers of Tables I to IV and ours: `comparison.svg` and `.png`.

A line for each row of a table; circles are the paper's values, squares ours under its protocol,
triangles ours under the corrected one, each with its standard deviation. Every table has its own
scale, since the lowest accuracies on samples would hide the differences in other tables.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workflow.common import frames, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry

TITLES = {
    "I": "Table I\noutliers, AUC",
    "II": "Table II\noutliers, AUC",
    "III": "Table III\naccuracy on samples",
    "IV": "Table IV\nclassification",
}
# Value, spread, label, marker, colour, face colour, and offset from the middle of the line.
SERIES = (
    ("paper", "paper_spread", "the paper", "o", plots.COLOURS[6], "none", -0.22),
    ("ours", "ours_std", "ours, its protocol", "s", plots.COLOURS[0], plots.COLOURS[0], 0.0),
    (
        "corrected",
        "corrected_std",
        "ours, corrected",
        "^",
        plots.COLOURS[1],
        plots.COLOURS[1],
        0.22,
    ),
)


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--comparison", required=True, type=Path, help="CSV")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        cells = frames.read_table(options.comparison)
        plots.use_style()
        shown = cells[cells["table"].isin(TITLES) & (cells["column"] != "parameters")]
        plots.save(draw(shown), options.out, "comparison")


def draw(cells: pd.DataFrame) -> plt.Figure:
    """Draw a row of panels for each table, a column for each dataset."""
    rows = {name: list(dict.fromkeys(group["row"])) for name, group in cells.groupby("table")}
    datasets = list(dict.fromkeys(cells["column"]))
    figure, axes = plt.subplots(
        len(rows), len(datasets), squeeze=False, figsize=(7.2, 8.2),
        height_ratios=[len(names) + 0.6 for names in rows.values()],
    )  # fmt: skip
    for line, (table, names) in enumerate(rows.items()):
        for panel, dataset in zip(axes[line], datasets, strict=True):
            values = cells[(cells["table"] == table) & (cells["column"] == dataset)]
            _draw_panel(panel, values.set_index("row").reindex(names))
        axes[line, 0].set_ylabel(TITLES[table], fontsize=plots.SMALL)
        for panel in axes[line, 1:]:
            panel.tick_params(labelleft=False)

    # Titles, units and the legend.
    for panel, dataset in zip(axes[0], datasets, strict=True):
        panel.set_title(registry.title(dataset))
    for panel in axes[-1]:
        panel.set_xlabel("%")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(SERIES))
    return figure


def _draw_panel(panel: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    for value, spread, label, marker, colour, face, shift in SERIES:
        panel.errorbar(
            rows[value], places + shift, xerr=rows[spread].fillna(0), label=label, fmt=marker,
            color=colour, markerfacecolor=face, markersize=4.5, elinewidth=1,
        )  # fmt: skip
    panel.set_yticks(places, rows.index, fontsize=plots.SMALL)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.grid(axis="y", visible=False)
    for place in places[1:]:
        panel.axhline(place - 0.5, color=plots.FAINT, linewidth=0.6, zorder=0)


if __name__ == "__main__":
    main()
