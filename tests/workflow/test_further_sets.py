"""Tasks and models that are added to a finished run."""

import numpy as np

from tests.workflow.conftest import OVERLAY
from workflow.common import frames
from workflow.data import png, test_sets

OVERLAYS = [OVERLAY, "tests/workflow/further.yaml"]


def test_a_task_added_later_trains_nothing(finished):
    # A user's pictures, and scores from elsewhere.
    folder, rng = finished.folder, np.random.default_rng(0)
    (folder / "shirts").mkdir(exist_ok=True)
    for number in range(5):
        image = rng.integers(0, 256, (28, 28, 1), np.uint8)
        (folder / f"shirts/{number}.png").write_bytes(png.encode(image))
    own = test_sets.load(folder / "results/data/sets/mnist-subset/test.npz")
    np.savez(folder / "theirs.npz", test=np.arange(len(own.images), dtype=float))

    planned = finished.plan("detection", overlay=OVERLAYS)
    assert {*planned} == {"further_set", "further_scores", "score_bank", "detection"}
    result = finished.snakemake("detection", overlay=OVERLAYS)
    assert result.returncode == 0, result.stdout + result.stderr

    path = folder / "results/tiny/tables/detection.csv"
    table = frames.read_csv(path, frames.TABLES["detection"])
    exact = table[(table["measure"] == "auroc") & (table["score"] == "score")]
    of_a = exact[(exact["grid_point"] == "A-paper") & (exact["evidence"] == "all")]
    n = of_a.set_index("task")["n"]
    assert n["shirts"] == n["inverted"] == 1
    assert n["kmnist"] == n["nothing"] == 0
    reasons = of_a.set_index("task")["reasons"]
    assert reasons["nothing"].startswith("no/such/folder is missing")
    assert "kmnist" in reasons["kmnist"]
    models = exact[exact["method"] == "external"].set_index(["title", "task"])
    assert models.loc[("theirs", "outliers"), "n"] == 1
    assert models.loc[("theirs", "inverted"), "reasons"] == "no scores of the set 'inverted'"
    assert "absent.npz is missing" in models.loc[("absent", "outliers"), "reasons"]

    # Other tests need the run as it was.
    assert finished.snakemake("detection").returncode == 0
