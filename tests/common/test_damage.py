"""Damaged files: refused in a sentence, or read as what they were; nothing in one is executed."""

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import damage
from workflow.common import files, npz
from workflow.data import datasets, test_sets
from workflow.fit import scores
from workflow.pictures import drawings
from workflow.samples import sample_files

ARCHIVES = [
    datasets.load,
    test_sets.load,
    scores.read,
    sample_files.read,
    drawings.read,
    npz.read,
]


@pytest.mark.parametrize("name", damage.TARGETS)
def test_a_damaged_file_is_refused_or_read_as_it_was(name):
    target = damage.TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        target.write(path)
        content, whole = path.read_bytes(), damage.comparable(target.read(path))
        assert damage.outcome(target, path, content, whole) == "unharmed"

        @given(st.integers(0, 2**64))
        def try_one(seed):
            damage.outcome(target, path, damage.damaged(content, random.Random(seed)), whole)

        try_one()


class Bomb:
    """What unpickling it would do."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("read", ARCHIVES)
@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_file_is_executed(tmp_path, read, zipped):
    bomb, path = np.array([Bomb(tmp_path / "executed")], dtype=object), tmp_path / "file.npz"
    names = ("about", "labels", "x_train", "y_train", "x_test", "y_test", "full/0")
    if zipped:
        np.savez(path, **dict.fromkeys(names, bomb))
    else:
        with path.open("wb") as file:
            np.save(file, bomb)
    with pytest.raises(ValueError, match=r"file\.npz"):
        read(path)
    assert not (tmp_path / "executed").exists()
    np.load(path, allow_pickle=True)["about"] if zipped else np.load(path, allow_pickle=True)
    assert (tmp_path / "executed").exists(), "who unpickles it, executes it"


def test_a_model_executes_nothing(tmp_path):
    target = damage.TARGETS["model"]
    target.write(tmp_path / "file")
    with (tmp_path / "file").open("wb") as file:
        np.savez(file, mu=np.array([Bomb(tmp_path / "executed")], dtype=object))
    with pytest.raises(ValueError, match=r"is damaged .*: fit it again"):
        target.read(tmp_path / "file")
    assert not (tmp_path / "executed").exists()


def test_a_changed_number_is_noticed(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"value": 0.7, "of": {"10": 1, "9": [1e-300, None]}})
    assert files.read_json(path) == {"value": 0.7, "of": {"10": 1, "9": [1e-300, None]}}
    path.write_text(path.read_text().replace("0.7", "0.8"))
    with pytest.raises(ValueError, match=r"a\.json was altered after it was written; remove it"):
        files.read_json(path)
