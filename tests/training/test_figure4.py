"""Figure 4: numbers of hand-made trainings, and failed ones said to have failed."""

import numpy as np
import pandas as pd
import pytest

from workflow.common import files
from workflow.training import figure4

WAIT = 0.1  # of the second layer, as a share of all steps


def record(scheme, steps, losses, *, epochs=3, layers=(2, 4), **changes):
    """What `workflow.training.measure_losses` writes; losses [measurements, layers]."""
    ok = {
        "settings": {"instance": "B", "recipe": "paper", "hyperparameters": {"epochs": epochs}},
        "scheme": scheme,
        "dataset": {"name": "mnist", "source": "subset", "sha256": 64 * "a"},
        "seed": 0,
        "status": "ok",
        "reason": "",
        "waits": [0.0, WAIT],
        "history": {"layers": list(layers), "val_step": steps, "val_loss": losses},
    }
    return ok | changes


def failed(scheme, **changes):
    nothing = {"waits": [], "history": {}, "status": "diverged", "reason": "the loss is nan"}
    return record(scheme, [], [], **nothing | changes)


# Ten measurements of 100 steps; L2 gains 1 each time, L4 has waited until step 10.
JOINT = record("joint", list(range(10, 101, 10)), [[k, 100 + 10 * k] for k in range(10)])
# Two layers of 100 steps, two measurements each: in its phase L2 goes from 1 to 11, L4 from 120 to
# 170. L2 rests afterwards; what it then shows, 50, is not its end.
LAYERWISE = record("layerwise", [50, 100, 150, 200], [[1, 0], [11, 0], [50, 120], [50, 170]])


def written(folder, *records):
    """Both tables of the step, which has run."""
    paths = []
    for number, content in enumerate(records):
        paths.append(folder / f"{number}.json")
        files.write_json(paths[-1], content)
    figure4.main(["--dynamics", *map(str, paths), "--out", str(folder)])
    for suffix in ("svg", "png"):
        assert (folder / f"figure4.{suffix}").stat().st_size > 1000
    return [pd.read_csv(folder / f"{name}.csv") for name in ("figure4", "figure4_ends")]


def test_a_layer_starts_after_its_delay_or_with_its_phase(tmp_path):
    table, _ = written(tmp_path, JOINT, LAYERWISE)
    starts = table.assign(start=table["step"] - table["own_step"])
    starts = starts.groupby(["scheme", "layer"])["start"].unique().map(list).to_dict()
    assert starts == {
        ("joint", 2): [0], ("joint", 4): [10],
        ("layerwise", 2): [0], ("layerwise", 4): [100],
    }  # fmt: skip
    learning = table[table["learning"]].groupby(["scheme", "layer"])["step"].agg(list).to_dict()
    assert learning == {
        ("joint", 2): list(range(10, 101, 10)),
        ("joint", 4): list(range(20, 101, 10)),  # at step 10 it has not taken a step yet
        ("layerwise", 2): [50, 100],
        ("layerwise", 4): [150, 200],
    }
    losses = table[(table["scheme"] == "layerwise") & (table["layer"] == 4)]["loss"]
    assert losses.tolist() == [0, 0, 120, 170]
    about = [*figure4.RUN, "status"]
    assert table[about].drop_duplicates().values.tolist() == [
        ["B", "paper", "mnist", "subset", 3, 0, "ok"]
    ]


def test_ends_are_of_the_layers_own_training(tmp_path):
    _, ends = written(tmp_path, JOINT, LAYERWISE)
    lower, upper = ends.set_index("layer").to_dict("index").values()
    assert ends["layer"].tolist() == [2, 4]
    assert (lower["joint"], lower["layerwise"]) == (9, 11), "not the 50 of a layer that rests"
    assert lower["difference"] == -2
    assert lower["difference_of_gain"] == pytest.approx(-2 / 10)
    # Ten losses 0 to 9, of which the last tenth adds 1.
    assert lower["late_gain"] == pytest.approx(1 / 10)
    assert (upper["joint"], upper["layerwise"], upper["difference"]) == (190, 170, 20)
    assert upper["difference_of_gain"] == pytest.approx(20 / 50)
    # Nine losses 110 to 190: nine tenths of nine are eight whole ones, after which 10 are gained.
    assert upper["late_gain"] == pytest.approx(10 / 50)


def test_lengths_and_datasets_are_runs_of_their_own(tmp_path):
    fashion = JOINT["dataset"] | {"name": "fashion_mnist"}
    longer = record("joint", [100], [[5.5, 6]], epochs=30)
    _, ends = written(tmp_path, JOINT, LAYERWISE, longer, JOINT | {"dataset": fashion})
    assert len(ends) == 3 * 2
    alone = ends[(ends["epochs"] == 30) & (ends["layer"] == 2)].iloc[0]
    assert alone["joint"] == 5.5 and np.isnan(alone["layerwise"])
    assert ends[ends["dataset"] == "fashion_mnist"]["joint"].tolist() == [9, 190]


def test_other_seeds_are_rows_and_thin_lines(tmp_path):
    again = [one | {"seed": 1} for one in (JOINT, LAYERWISE)]
    table, ends = written(tmp_path, JOINT, LAYERWISE, *again)
    assert table["seed"].value_counts().nunique() == 1
    assert ends[["seed", "layer"]].values.tolist() == [[0, 2], [0, 4], [1, 2], [1, 4]]
    lower, _ = figure4.draw(table).axes
    widths = sorted(line.get_linewidth() for line in lower.get_lines())
    assert widths[0] == widths[1] < widths[2] == widths[3]
    names = [text.get_text() for text in lower.get_legend().get_texts()]
    assert names == list(figure4.LABELS.values()), "each scheme once"


def test_one_epoch_is_no_plural():
    short = record("joint", [1, 2], [[1, 2], [2, 3]], epochs=1)
    lower, _ = figure4.draw(figure4.losses(short)).axes
    assert lower.get_title() == "B, MNIST, 1 epoch"


def test_a_failed_training_is_a_row_and_in_the_legend(tmp_path):
    table, ends = written(tmp_path, JOINT, failed("layerwise"))
    lost = table[table["scheme"] == "layerwise"]
    assert lost["status"].tolist() == ["diverged"]
    assert lost[["layer", "step", "loss"]].isna().all(axis=None)
    assert ends["joint"].tolist() == [9, 190]
    assert ends["layerwise"].isna().all() and ends["difference"].isna().all()
    drawing = (tmp_path / "figure4.svg").read_text("utf-8")
    assert ">layer by layer: diverged<" in drawing and ">all layers at once<" in drawing


def test_nothing_but_failures_is_drawn_too(tmp_path):
    table, ends = written(tmp_path, failed("joint"), failed("layerwise", status="failed"))
    assert table["status"].tolist() == ["diverged", "failed"]
    assert ends.empty and "joint" in ends, "columns are declared"
    drawing = (tmp_path / "figure4.svg").read_text("utf-8")
    assert ">all layers at once: diverged<" in drawing and ">layer by layer: failed<" in drawing


def test_delays_and_units_are_drawn():
    table = pd.concat(map(figure4.losses, (JOINT, LAYERWISE)), ignore_index=True)
    lower, upper = figure4.draw(table).axes
    assert lower.get_title() == "B, MNIST, 3 epochs"
    assert (lower.get_ylabel(), upper.get_ylabel()) == ("L2 (nats)", "L4 (nats)")
    joint, layerwise = lower.get_lines()
    assert joint.get_ydata().tolist() == list(range(10))
    assert layerwise.get_xdata().tolist() == [50, 100]
    joint, delay, layerwise = upper.get_lines()
    assert set(delay.get_xdata()) == {10}
    assert layerwise.get_xdata().tolist() == [50, 100], "each from the start of its phase"
    assert layerwise.get_ydata().tolist() == [120, 170]


def test_a_file_that_is_missing_is_said_so(tmp_path):
    with pytest.raises(SystemExit, match=r"workflow.training.figure4: .*none\.json"):
        figure4.main(["--dynamics", str(tmp_path / "none.json"), "--out", str(tmp_path)])
