"""The figure of all comparisons: every number at its place, and runs that lack some."""

import numpy as np
import pandas as pd

from workflow.comparison import comparison_figure

CELLS = pd.DataFrame(
    [
        ("I", "A", "mnist", 95.4, 0.2, 95.5, 0.1, 96.0, 0.1),
        ("I", "B", "mnist", 93.3, 0.5, np.nan, np.nan, np.nan, np.nan),
        ("IV", "DCGMM-B", "mnist", 98.0, 0.1, 96.0, np.nan, np.nan, np.nan),
    ],
    columns=["table", "row", "column", "paper", "paper_spread", "ours", "ours_std", "corrected",
             "corrected_std"],
)  # fmt: skip


def test_every_number_is_drawn_on_the_line_of_its_row():
    figure = comparison_figure.draw(CELLS)
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["A", "B"]
    paper, ours, corrected = (bars.lines[0].get_xydata() for bars in first.containers)
    assert paper[:, 0].tolist() == [95.4, 93.3]
    assert paper[:, 1].round().tolist() == [0, 1]
    np.testing.assert_array_equal(ours[:, 0], [95.5, np.nan])
    np.testing.assert_array_equal(corrected[:, 0], [96.0, np.nan])
    assert second.containers[1].lines[0].get_xdata().tolist() == [96.0]
