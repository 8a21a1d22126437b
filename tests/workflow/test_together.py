"""All seeds of a grid point fitted in one job are the fits that each would be in its own."""

import numpy as np
import pytest

from tests.workflow.conftest import OVERLAY
from workflow.common import files
from workflow.fit import scores

IN_ONE_JOB = {"together": "tests/workflow/together.yaml", "in-turn": "tests/workflow/in_turn.yaml"}
FIT = "results/{run}/fit/dcgmm/A-paper/mnist/not0/seed{seed}"
FIRST, SECOND = 1, 0  # seeds, the second of which has a job of its own in the tiny run


@pytest.fixture(scope="module")
def fitted(finished):
    """A copy in which the fit of the second seed is one of a job of both, and one of its own."""
    for run, overlay in IN_ONE_JOB.items():
        made = finished.snakemake(
            f"{FIT.format(run=run, seed=SECOND)}/fit.json", overlay=[OVERLAY, overlay]
        )
        assert made.returncode == 0, made.stdout + made.stderr
    return finished


def of_fit(project, run, seed=SECOND):
    folder = project.folder / FIT.format(run=run, seed=seed)
    return files.read_json(folder / "fit.json"), scores.read(folder / "scores.npz").test["all"]["2"]


@pytest.mark.parametrize("run", IN_ONE_JOB)
def test_one_job_fits_all_seeds(fitted, run):
    record, own = of_fit(fitted, run)
    other, others = of_fit(fitted, run, seed=FIRST)
    assert [each["status"] for each in (other, record)] == ["ok"] * 2
    assert [each["seed"] for each in (other, record)] == [FIRST, SECOND]
    assert not np.allclose(others, own, atol=0.05)
    assert not (fitted.folder / FIT.format(run="tiny", seed=FIRST)).exists()


def test_seeds_in_turn_are_as_alone_to_the_bit(fitted):
    record, own = of_fit(fitted, "in-turn")
    alone, wanted = of_fit(fitted, "tiny")
    assert np.array_equal(own, wanted)
    assert "together" not in record and record["history"] == alone["history"]


def test_seeds_side_by_side_are_as_alone_up_to_rounding(fitted):
    record, own = of_fit(fitted, "together")
    alone, wanted = of_fit(fitted, "tiny")
    assert record["together"] == 2
    assert "jax" in record["environment"]["packages"]
    assert "tensorflow-cpu" in alone["environment"]["packages"]
    np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=0.05)
