"""Fig. 4: test losses of all cGMM layers during joint and layer-wise training.

A column for each dataset and length of training, a row for each layer, since losses of different
layers cannot be compared; further seeds are thin lines. Writes `figure4.svg`, `figure4.png`, the
plotted numbers as `figure4.csv`, and the final losses of both schemes as `figure4_ends.csv`.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workflow.common import frames, places, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry

RUN = ["instance", "recipe", "dataset", "source", "epochs", "seed"]
LABELS = {"joint": "all layers at once", "layerwise": "layer by layer"}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--dynamics", required=True, nargs="+", type=Path, help="JSON of runs")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        records = [places.read(path) for path in options.dynamics]
        table = pd.concat(map(losses, records), ignore_index=True)
        for name, content in (("figure4", table), ("figure4_ends", ends(table))):
            frames.write_csv(options.out / f"{name}.csv", content, float_format="%.6g")
        plots.use_style()
        plots.save(draw(table), options.out, "figure4")


def losses(record: dict[str, Any]) -> pd.DataFrame:
    """Losses of a training: a row for every layer and measurement; one without loss if it failed.

    `step` counts from the start of training, `own_step` from the step at which the layer begins to
    learn: the end of its delay, or the start of its phase of layer-wise training. `learning` says
    whether it is learning.
    """
    settings, history = record["settings"], record["history"]
    labels = {
        "instance": settings["instance"],
        "recipe": settings["recipe"],
        "dataset": record["dataset"]["name"],
        "source": record["dataset"]["source"],
        "epochs": settings["hyperparameters"]["epochs"],
        "seed": record["seed"],
        "scheme": record["scheme"],
        "status": record["status"],
    }
    if record["status"] != "ok":
        return pd.DataFrame([labels], columns=[*frames.TABLES["figure4"]])

    # The step at which each layer begins to learn, and for how many steps.
    values = np.array(history["val_loss"])  # [measurements, layers]
    steps, layers = np.array(history["val_step"]), history["layers"]
    starts = np.multiply(record["waits"], steps[-1])
    length = steps[-1]
    if record["scheme"] == "layerwise":
        length = steps[-1] / len(layers)
        starts = np.arange(len(layers)) * length

    parts = []
    for layer, start, column in zip(layers, starts, values.T, strict=True):
        own_steps = steps - start
        learning = (own_steps > 0) & (own_steps <= length)
        numbers = {"layer": layer, "step": steps, "own_step": own_steps, "loss": column}
        parts.append(pd.DataFrame(labels | numbers | {"learning": learning}))
    return pd.concat(parts, ignore_index=True)


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Final losses of both schemes, and their difference relative to the layer's gain.

    The gain is that of layer-wise training from the layer's first measurement on. `late_gain` is
    the gain in the last tenth of the layer's joint training, relative to it: a measure of how far
    from convergence joint training ended.
    """
    rows = []
    measured = table.dropna(subset="loss")
    for key, group in measured.groupby([*RUN, "layer"], sort=False):
        learning = group[group["learning"].astype(bool)]
        curves = {scheme: part["loss"].to_numpy() for scheme, part in learning.groupby("scheme")}
        joint, layerwise = (curves.get(scheme, np.array([np.nan])) for scheme in LABELS)
        gain = layerwise.max() - layerwise[0]
        late = joint[-1] - joint[int(0.9 * len(joint)) - 1]
        rows.append(
            dict(zip([*RUN, "layer"], key, strict=True))
            | {
                "joint": joint[-1],
                "layerwise": layerwise[-1],
                "difference": joint[-1] - layerwise[-1],
                "difference_of_gain": (joint[-1] - layerwise[-1]) / gain,
                "late_gain": late / gain,
            }
        )
    return frames.from_rows(rows, "figure4_ends")


def draw(table: pd.DataFrame) -> plt.Figure:
    """Draw a grid of panels, a row for each layer and a column for each dataset and length."""
    runs = list(table.groupby(["dataset", "epochs"], sort=False))
    layers = [*table["layer"].dropna().unique()] or [np.nan]
    figure, axes = plt.subplots(
        len(layers), len(runs), figsize=(3.6 * len(runs), 1.6 * len(layers) + 0.6), sharex="col",
        squeeze=False,
    )  # fmt: skip

    # Losses, the first seed's on top.
    for column, ((dataset, epochs), run) in zip(axes.T, runs, strict=True):
        instance = run["instance"].iloc[0]
        length = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        column[0].set_title(f"{instance}, {registry.title(dataset)}, {length}")
        column[-1].set_xlabel("training step")
        seeds = run["seed"].unique()
        for axis, layer in zip(column, layers, strict=True):
            for seed in seeds[::-1]:
                draw_layer(axis, run[run["seed"] == seed], layer, first=seed == seeds[0])
            if run["loss"].isna().all():
                plots.centre_text(axis, "no result")

    for axis, layer in zip(axes[:, 0], layers, strict=True):
        axis.set_ylabel(f"L{layer:.0f} (nats)" if layer == layer else "")
    axes[0, 0].legend(fontsize=plots.TINY, loc="lower right")
    return figure


def draw_layer(axis: Axes, run: pd.DataFrame, layer: float, *, first: bool = True) -> None:
    """Draw one layer's losses under both schemes while it may learn, and mark its delay.

    Args:
        axis: to draw on.
        run: the losses of one seed.
        layer: the layer to draw.
        first: whether it is the first seed, which the legend names.
    """
    for (scheme, label), colour, dashes in zip(
        LABELS.items(), plots.COLOURS, plots.DASHES, strict=False
    ):
        of_scheme = run[run["scheme"] == scheme]
        if (failed := of_scheme[of_scheme["status"] != "ok"]).size:
            seed = "" if first else f" (seed {failed['seed'].iloc[0]})"
            axis.plot([], [], label=f"{label}: {failed['status'].iloc[0]}{seed}", color=colour)
            continue
        rows = of_scheme[of_scheme["layer"] == layer]
        if rows.empty:
            continue
        shown = rows if scheme == "joint" else rows[rows["learning"]]
        axis.plot(
            shown["step" if scheme == "joint" else "own_step"], shown["loss"], color=colour,
            linestyle=dashes, linewidth=plots.STRONG if first else 0.5, alpha=1 if first else 0.6,
            label=label if first else None,
        )  # fmt: skip
        if first and scheme == "joint" and (delay := (rows["step"] - rows["own_step"]).iloc[0]) > 0:
            axis.axvline(delay, color=plots.GUIDE, linewidth=plots.THIN, linestyle=plots.DOTTED)


if __name__ == "__main__":
    main()
