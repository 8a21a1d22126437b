"""A disk that is full: one sentence that names the file, and what was there stays as it was.

The limit of a process on the size of its files stands for the disk: writing fails in the same way.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.example_record import fit_of, record
from workflow.common import files
from workflow.data import make_dataset as data_step
from workflow.fit import scores

LIMIT = 4096  # bytes that any file may have


def limited(*arguments):
    """A step that may write files of few bytes."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    # -B, since before 3.13.2 Python itself leaves bytecode half-written, and fails from then on.
    command = [sys.executable, "-B", *map(str, arguments)]
    variables = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.run(command, capture_output=True, text=True, env=variables, preexec_fn=limit)


def refused(result, file):
    """That a step failed for want of room, said so in one line, and left nothing half-written."""
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"{file} cannot be written: " in line
    assert not list(file.parent.rglob("*.part"))


@pytest.mark.parametrize("before", [None, "the old one"])
def test_a_dataset(tmp_path, before):
    out = tmp_path / "mnist.npz"
    if before:
        out.write_text(before)
    options = ["--dataset", "mnist", "--source", "subset", "--data-dir", tmp_path, "--out", out]
    refused(limited("-m", data_step.__name__, *options), out)
    assert (out.read_text() if before else out.exists()) == (before or False)


def test_records(tmp_path):
    folder = tmp_path / "dcgmm/B-paper/mnist/not0/seed0"
    files.write_json(folder / "fit.json", fit_of(record()))
    test = {"test": {"all": {"2": np.zeros(2)}}}
    scores.write(folder / "scores.npz", record(), np.arange(2), test)
    out = tmp_path / "all.csv"
    axes = ["--datasets", "mnist", "--classes", "not0", "--seeds", *["0"] * 50]
    options = ["--points", "dcgmm/B-paper", *axes, "--out", out]
    refused(limited("-m", "workflow.outliers.measure_outliers", "--root", tmp_path, *options), out)


def test_a_model(tmp_path):
    program = tmp_path / "save.py"
    program.write_text(
        "import sys; import numpy as np; from pathlib import Path\n"
        "from baselines import persistence\n"
        "persistence.write(Path(sys.argv[1]), {}, {'a': np.zeros(10_000)})\n"
    )
    result = limited(program, tmp_path / "model")
    assert result.returncode == 1 and "OSError" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["save.py"], "neither a model nor a part"


def test_a_disk_that_fills_up_while_an_archive_is_written(tmp_path):
    path = tmp_path / "a.npz"
    sentence = r"a\.npz cannot be written: no room"
    with pytest.raises(OSError, match=sentence), files.replacing(path) as file:
        np.savez(file, a=np.ones(3))
        raise OSError("no room")
    assert not list(tmp_path.iterdir())
