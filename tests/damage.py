"""Every reader of the suite, a valid file for it, and ways to damage that."""

import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io

from baselines.gaussian import GaussianPixels
from dcgmm import notation
from tests.example_record import record
from workflow.common import files, places, tables, yaml_files
from workflow.data import datasets, idx, mat, test_sets
from workflow.fit import records, scores, tidy
from workflow.pictures import drawings
from workflow.plan import config
from workflow.publish import archive
from workflow.samples import sample_files

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 4, 4, 1), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        write: writes a valid one.
        read: reads it, as the suite does; arrays are compared by their bytes.
        sealed: whether a file that was altered may be read only as what it was.
        names: whether an error names the file.
    """

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    sealed: bool = True
    names: bool = True


def comparable(value: Any) -> Any:
    """A value that equals another only if all arrays in it have the same bytes."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return comparable(vars(value)) if hasattr(value, "__dict__") else value


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one or several wounds, sometimes unlike any file."""
    result = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(result) + 1)
        length = chance.choice([1, 1, 2, 8, 64])
        match chance.randrange(6):
            case 0:
                del result[at:]
            case 1:
                del result[at : at + length]
            case 2:
                result[at : at + length] = chance.randbytes(length)
            case 3:
                result[at:at] = chance.randbytes(length)
            case 4:
                result[at:at] = result[max(0, at - length) : at]
            case 5 if at < len(result):
                result[at] ^= 1 << chance.randrange(8)
    return bytes(result)


def _dataset() -> datasets.Dataset:
    digests = {"train": 64 * "a"}
    return datasets.Dataset("toy", "full", IMAGES, LABELS, IMAGES, LABELS, digests)


def _test_set(path: Path) -> None:
    bits = np.arange(6)
    test_sets.TestSet("glyphs", "a", "toy", "full", IMAGES, LABELS, bits, "PNG").save(path)


def _scores(path: Path) -> None:
    values = {"test": {"all": {"2": RNG.normal(size=6)}}, "validation": {"all": {"2": np.ones(3)}}}
    scores.write(path, record(), LABELS, values, LABELS[:3])


def _samples(path: Path) -> None:
    about = dict.fromkeys(sample_files.NEEDED, "a") | {"status": "ok"}
    sample_files.write(path, about, {"full/0": IMAGES})


def _table(path: Path) -> None:
    tidy.write(path, [record(), record(seed=1, grid_point="nan")])


def _sections(path: Path) -> None:
    cells = pd.DataFrame({"a": ["**1.5**", "–"], "b": ["x|y", ""]})
    tables.write_markdown(path.with_suffix(".md"), [tables.Section("T", "Of this.", cells, ["so"])])
    path.with_suffix(tables.SECTIONS).replace(path)


def _read_sections(path: Path) -> Any:
    return [vars(one) | {"cells": one.cells.to_csv()} for one in tables.read_sections(path)]


def _published(path: Path) -> None:
    archive.write(path.parent, archive.merged({}, [record(), record(seed=1)]))
    path.write_bytes((path.parent / archive.RECORDS).read_bytes())


def _read_published(path: Path) -> Any:
    (path.parent / archive.RECORDS).write_bytes(path.read_bytes())
    return [list(item) for item in archive.read(path.parent).items()]


def _model(path: Path) -> None:
    model = GaussianPixels(input_shape=(4, 4, 1))
    model.fit(IMAGES / np.float32(255))
    model.save(path.with_name("model"))
    path.write_bytes((path.with_name("model") / "model.npz").read_bytes())


def _read_model(path: Path) -> Any:
    (path.with_name("model") / "model.npz").write_bytes(path.read_bytes())
    return GaussianPixels.load(path.with_name("model"))


def _mat(path: Path) -> None:
    content = io.BytesIO()
    X = RNG.integers(0, 256, (32, 32, 3, 2), dtype=np.uint8)
    scipy.io.savemat(content, {"X": X, "y": np.array([[1], [10]])}, do_compression=True)
    path.write_bytes(content.getvalue())


def _text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def _config(path: Path) -> Any:
    return config.checked(yaml_files.read(path), ["config.yaml"])


TARGETS = {
    "record": Target(
        lambda path: files.write_json(path, record()), lambda path: records.read(path)
    ),
    "dataset": Target(lambda path: _dataset().save(path), datasets.load),
    "test set": Target(_test_set, test_sets.load),
    "scores": Target(_scores, scores.read),
    "samples": Target(_samples, sample_files.read),
    "drawings": Target(
        lambda path: drawings.write(path, {"samples": (record(), {"a": IMAGES})}), drawings.read
    ),
    "model": Target(_model, _read_model, names=False),
    "table": Target(_table, lambda path: tidy.read(path).to_csv()),
    "sections": Target(_sections, _read_sections),
    "published records": Target(_published, _read_published, names=False),
    "judge": Target(
        lambda path: files.write_json(path, {"dataset": {"name": "mnist"}, "seed": 0}), places.read
    ),
    "idx": Target(
        lambda path: path.write_bytes(gzip.compress(idx.encode(IMAGES[..., 0]), mtime=0)),
        lambda path: idx.read(path, ndim=3),
    ),
    "idx, unpacked": Target(
        lambda path: path.write_bytes(idx.encode(IMAGES[..., 0])),
        lambda path: idx.read(path, ndim=3),
        sealed=False,
    ),
    "notation": Target(
        lambda path: path.write_text("F(8,2)-G(49)-P(2,2)-G(25)-F(2,1)-G(49)-C(10)"),
        lambda path: notation.parse(_text(path)),
        sealed=False,
        names=False,
    ),
    "configuration": Target(
        lambda path: path.write_bytes(Path("config.yaml").read_bytes()),
        _config,
        sealed=False,
        names=False,
    ),
}
# Its reader, SciPy's, can crash, so that no damaged file is let through to it: it is fuzzed apart.
MAT = Target(_mat, lambda path: mat.decode(path.read_bytes(), name=str(path)), sealed=False)


def outcome(target: Target, path: Path, content: bytes, whole: Any) -> str:
    """What comes of reading a content: `refused`, `unharmed` or `read`; anything else is a bug.

    Raises:
        AssertionError: for a wrong value, or an error that does not explain itself.
    """
    path.write_bytes(content)
    try:
        value = target.read(path)
    except ValueError as error:
        assert f"{error}", "an error says something"
        if target.names:
            assert path.name in f"{error}" and "\n" not in f"{error}", error
        return "refused"
    if comparable(value) == whole:
        return "unharmed"
    assert not target.sealed, f"altered, but read as {value!r}"
    return "read"
