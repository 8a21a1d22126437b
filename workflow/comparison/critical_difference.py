"""Critical-difference figure: models ranked over datasets and tasks, under each protocol.

Part of the step `statistics_tables`. A block is a dataset and a task: outlier detection (Tables I
and II) or samples before a judge (Table III). A model that lacks a block is left out.
"""

from itertools import chain
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import scikit_posthocs
from matplotlib.axes import Axes

from workflow.common import frames, plots, tables
from workflow.comparison import observations
from workflow.comparison.ranking import Ranking, rank

TASKS = {"I": "outliers", "II": "outliers", "III": "samples"}


def write(values: pd.DataFrame, folder: Path) -> tables.Section:
    """Write `critical_difference.svg`, `.png` and `.csv`, and return a section of the ranks."""
    ranked = {name: _ranked(blocks(values, name)) for name in observations.MEASURES}
    numbers = [
        long_table(blocks(values, name)).assign(protocol=name) for name in observations.MEASURES
    ]
    frames.write_csv(folder / "critical_difference.csv", pd.concat(numbers), float_format="%.6g")
    plots.use_style()
    plots.save(draw(ranked), folder, "critical_difference")
    return ranks_section(ranked)


def blocks(values: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Means over seeds or judges: a row per dataset and task, a column per model."""
    ranked = values[(values["protocol"] == protocol) & values["table"].isin(TASKS)]
    measure = observations.MEASURES[protocol]
    ranked = ranked[(ranked["table"] == "III") | (ranked["metric"] == measure)]
    if ranked.empty:
        return pd.DataFrame()

    # One grid point per model, and each fit once.
    points = ranked.groupby(["table", "dataset", "title", "variant"])["point"].transform("first")
    ranked = ranked[ranked["point"] == points]  # of several sampled points, the first
    variant = ranked["variant"].map(lambda name: f" ({name})" if name else "")
    ranked = ranked.assign(task=ranked["table"].map(TASKS), model=ranked["title"] + variant)
    unique = ranked.drop_duplicates(["task", "dataset", "model", "number"])  # E is in two tables
    return unique.pivot_table(
        index=["dataset", "task"], columns="model", values="value", sort=False
    )


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """The models that have every block."""
    return table.dropna(axis=1)


def long_table(table: pd.DataFrame) -> pd.DataFrame:
    """Values and ranks in long form; a model that lacks a block has no rank."""
    if table.empty:
        return pd.DataFrame(columns=["dataset", "task", "model", "value", "rank"])
    ranks = complete(table).rank(axis=1, ascending=False)
    long = table.stack().dropna().rename("value").to_frame()
    long["rank"] = ranks.stack() if ranks.size else float("nan")
    return long.reset_index()


def _ranked(table: pd.DataFrame) -> Ranking | str:
    """Rank the models, or say why they cannot be ranked."""
    try:
        return rank(complete(table))
    except ValueError as error:
        return str(error)


def draw(ranked: dict[str, Ranking | str]) -> plt.Figure:
    """Draw a panel for each protocol."""
    models = max((len(r.ranks) for r in ranked.values() if isinstance(r, Ranking)), default=3)
    figure, axes = plt.subplots(len(ranked), 1, figsize=(7.5, len(ranked) * (1.3 + 0.16 * models)))
    for axis, (protocol, ranking) in zip(axes, ranked.items(), strict=True):
        draw_panel(axis, protocol, ranking)
    return figure


def draw_panel(axis: Axes, protocol: str, ranking: Ranking | str) -> None:
    """Draw mean ranks on a line; bars join models whose ranks do not differ significantly."""
    if isinstance(ranking, str):
        axis.set_axis_off()
        plots.centre_text(axis, f"{protocol}: {ranking}")
        return
    drawn = scikit_posthocs.critical_difference_diagram(
        ranking.ranks,
        ranking.pairs,
        ax=axis,
        label_fmt_left="{label}  {rank:.1f}",
        label_fmt_right="{rank:.1f}  {label}",
        color_palette=["black"] * len(ranking.ranks),
        text_h_margin=0.3,
        crossbar_props={"color": plots.COLOURS[1], "linewidth": 2.5},
        elbow_props={"linewidth": plots.THIN},
        marker_props={"color": plots.COLOURS[0], "s": 18},
    )
    for bar in chain.from_iterable(drawn["crossbars"]):  # a set gave its points, in any order
        bar.set_xdata(sorted(bar.get_xdata()))
    axis.grid(False)
    axis.set_title(
        f"Protocol {protocol}: mean rank over {ranking.blocks} blocks (1 is best)\n"
        f"Friedman p = {ranking.p:.3f}, critical difference {ranking.critical_difference:.1f}",
        fontsize=plots.STYLE["font.size"],
    )


def ranks_section(ranked: dict[str, Ranking | str]) -> tables.Section:
    """Table of mean ranks, with Friedman's verdict as notes."""
    # A row for each model, a note for each protocol.
    lines, notes = {}, []
    for protocol, ranking in ranked.items():
        if isinstance(ranking, str):
            notes.append(f"{protocol}: {ranking}")
            continue
        for model, value in ranking.ranks.items():
            lines.setdefault(model, {})[protocol] = tables.number(value, 2)
        pairs = ranking.pairs.to_numpy()
        differing = int((pairs < 0.05).sum() / 2)
        notes.append(
            f"{protocol}: Friedman p = {ranking.p:.3f} over {ranking.blocks} blocks and "
            f"{len(ranking.ranks)} models ({ranking.smallest_p:.2g} if all blocks agreed); mean "
            f"ranks must differ by {ranking.critical_difference:.2f} (Nemenyi, 5 %), which "
            f"{differing} of {len(pairs) * (len(pairs) - 1) // 2} pairs do."
        )
    cells = pd.DataFrame([{"model": model} | line for model, line in lines.items()])
    caption = (
        "Mean ranks, 1 the best. A block is a dataset and a task (outlier detection; samples "
        "before a judge), a model's value its mean over seeds or judges; models that lack a block "
        "are left out. Blocks are few and share their datasets, so this tells of these images, not "
        "of images at large."
    )
    return tables.Section(
        "Ranks over datasets and tasks", caption, cells.fillna(tables.DASH), notes
    )
