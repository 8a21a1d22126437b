"""Troubles of the machine end a job without a record; failures of a method are records."""

import errno
import json
import os

import pytest

from tests.fit import test_fit
from workflow.common import provenance, troubles
from workflow.fit import fit_classes, fitting


class ResourceExhaustedError(Exception):
    """As TensorFlow names what its libraries raise for want of anything."""


def wrapped(error, cause):
    error.__cause__ = cause
    return error


def os_error(name):
    code = getattr(errno, name)
    return OSError(code, os.strerror(code))


CODES = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG", "EMFILE", "ENFILE", "EACCES", "EPERM"]
MACHINE = [
    *map(os_error, [*CODES, "ENOENT", "ENOMEM", "ESTALE"]),
    OSError("model.json cannot be written: No space left on device"),
    wrapped(RuntimeError("not saved"), os_error("ENOSPC")),
    wrapped(ValueError("outer"), wrapped(RuntimeError("inner"), MemoryError())),
    ExceptionGroup("several", [ValueError("one"), os_error("EIO")]),
    ResourceExhaustedError("/tmp/cache; No space left on device"),
    ResourceExhaustedError("OOM when allocating tensor on /device:CPU:0 by allocator cpu"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 4096 bytes."),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/0"),
    ValueError("the model in m is damaged ([Errno 24] Too many open files): fit it again"),
    MemoryError("no room"),
    ImportError("libcudart.so: undefined symbol"),
    ModuleNotFoundError("No module named 'torch'"),
    RuntimeError("libspn.so: cannot open shared object file"),
]
METHODS_OWN = [
    ValueError("bad"), ArithmeticError("nan"), KeyError("k"), AssertionError(), SystemExit(3),
    RecursionError("deep"), RuntimeError("a network has no space left for layers"),
]  # fmt: skip


@pytest.mark.parametrize("error", MACHINE, ids=repr)
def test_a_trouble_of_the_machine_is_one_sentence_with_the_mend(error):
    with pytest.raises(troubles.MachineError, match=r"nothing is recorded: .*, then run again$"):
        troubles.check(error)


@pytest.mark.parametrize("error", METHODS_OWN, ids=repr)
def test_a_failure_of_the_method_passes(error):
    troubles.check(error)


def test_memory_of_a_gpu_is_no_trouble_of_the_machine(monkeypatch):
    monkeypatch.setattr(provenance, "peak_gpu_memory_mb", lambda: 80_000.0)
    error = RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.")
    assert fitting.status_and_reason(error)["reason"].startswith("out of memory: ")
    with pytest.raises(troubles.MachineError):
        troubles.check(MemoryError())


@pytest.mark.parametrize("error", [os_error("ENOSPC"), MemoryError(), ImportError("lib")], ids=repr)
def test_a_fit_that_meets_one_leaves_no_record(tmp_path, monkeypatch, error):
    with pytest.raises(SystemExit, match=r"^python -m workflow\.fit\.fit: .*run again$"):
        test_fit.run(tmp_path, monkeypatch, test_fit.Fake(error))
    assert not list(tmp_path.rglob("fit.json")) and not list(tmp_path.rglob("scores.npz"))


def test_a_class_that_meets_one_leaves_no_record(tmp_path, monkeypatch):
    step, classes = fit_classes, ("0", "2")
    with pytest.raises(SystemExit, match="repair or replace the disk"):
        model = test_fit.Fake(os_error("EIO"))
        test_fit.run(tmp_path, monkeypatch, model, step=step, classes=classes)
    assert not list(tmp_path.rglob("fit.json"))


def test_a_model_that_cannot_be_saved_leaves_no_record_of_any_seed(tmp_path, monkeypatch):
    def save(self, folder):
        if "seed5" in str(folder):
            raise os_error("EDQUOT")
        folder.mkdir()

    monkeypatch.setattr(test_fit.Fake, "save", save)
    monkeypatch.setattr(test_fit.methods, "fit", lambda *_: [{}, {}])
    with pytest.raises(SystemExit, match="make room on the disk"):
        test_fit.of_seeds(tmp_path, monkeypatch, "--together")
    assert not list(tmp_path.rglob("fit.json"))


def test_a_record_has_the_conditions_of_the_start(tmp_path, monkeypatch):
    noted = provenance.note() | {"commit": {"hash": None, "changed": None}, "suite_version": "old"}
    monkeypatch.setattr(test_fit.methods, "fit", lambda *_: [{}, {}])
    (record, _) = test_fit.of_seeds(tmp_path, monkeypatch, "--together", begun=[json.dumps(noted)])
    assert (record["suite_version"], record["commit"]) == ("old", noted["commit"])
