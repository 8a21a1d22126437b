"""All seeds of a grid point fitted in one job are the fits that each would be in its own."""

import numpy as np

from tests.workflow.conftest import OVERLAY
from workflow.common import files
from workflow.fit import scores

TOGETHER = "tests/workflow/together.yaml"
FIT = "results/{run}/fit/dcgmm/A-paper/mnist/not0/seed{seed}"


def test_one_job_fits_all_seeds_and_they_are_as_alone(project):
    overlays = [OVERLAY, TOGETHER]
    target = FIT.format(run="together", seed=1) + "/outliers.json"
    assert project.plan(target, overlay=overlays) == {"data": 1, "fit_together": 1, "outliers": 1}
    made = project.snakemake(target, overlay=overlays)
    assert made.returncode == 0, made.stdout + made.stderr
    alone = FIT.format(run="tiny", seed=1) + "/fit.json"
    assert project.snakemake(alone).returncode == 0

    found = {run: project.folder / FIT.format(run=run, seed=1) for run in ("together", "tiny")}
    records = {run: files.read_json(folder / "fit.json") for run, folder in found.items()}
    assert {run: record["status"] for run, record in records.items()} == dict.fromkeys(found, "ok")
    assert records["together"]["together"] == 2
    assert "jax" in records["together"]["environment"]["packages"]
    assert "tensorflow-cpu" in records["tiny"]["environment"]["packages"]
    ours, theirs = (
        scores.read(folder / "scores.npz").test["all"]["2"] for folder in found.values()
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=0.05)
    other = project.folder / FIT.format(run="together", seed=0)
    assert not np.allclose(scores.read(other / "scores.npz").test["all"]["2"], ours, atol=0.05)
