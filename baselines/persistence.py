"""Saving and loading: a folder with one file, `model.npz`; nothing in it is executed.

The file is an uncompressed archive of NumPy's: arrays of finite numbers, and in `about` the
description of the model, as JSON.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import math
import os
import secrets
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 2
FILE = "model.npz"
_ABOUT = "about"
_KEY = "method"  # a key of every description that is written here
_PART = ".part"  # how the name of a file ends that is being written
# Errors of damaged bytes that are read as an archive, an array or JSON.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    SyntaxError,
    EOFError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
)


def write(
    folder: str | os.PathLike, description: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write a model to a folder in one step; a write that fails leaves the folder as it was.

    The folder is made if it is absent. A model in it is replaced, and no other file is touched.

    Raises:
        FileExistsError: before anything is written, if something else is in the way.
        ValueError: for a description or arrays that `read` would refuse.
        OSError: naming the file that cannot be written.
    """
    file = Path(folder) / FILE
    for name, array in arrays.items():
        _require_numbers(name, array)
    metadata = json.dumps({"format": FORMAT, **description}, allow_nan=False)
    _require_place(file)
    is_new = not file.parent.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{FILE}.{secrets.token_hex(8)}{_PART}")
    try:
        with part.open("xb") as stream:
            np.savez(stream, **{_ABOUT: np.array(metadata)}, **arrays)
            stream.flush()
            os.fsync(stream.fileno())  # else a power loss could leave the name without the content
        part.replace(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, reason, str(file)) from error
    finally:
        part.unlink(missing_ok=True)
        if is_new:
            with contextlib.suppress(OSError):  # unless it is empty, made in vain
                file.parent.rmdir()


def read(folder: str | os.PathLike, method: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` wrote, if it was written by this method.

    Raises:
        ValueError: naming the file that is missing, damaged or of another format or method.
    """
    file = Path(folder) / FILE
    try:
        arrays = dict(_members(file.read_bytes()))
        description = _description(arrays.pop(_ABOUT))
        for name, array in arrays.items():
            _require_numbers(name, array)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if (file.parent / "model.json").is_file():
            raise ValueError(
                f"{folder} holds a model of an older format, in model.json: fit or save it again"
            ) from None
        raise ValueError(f"{folder} holds no model: {file} is missing") from None
    except _DAMAGE as error:
        raise _damaged(folder, error) from None
    if description.get("format") != FORMAT:
        raise ValueError(f"{file} is not of format {FORMAT}: fit or save the model again")
    if description.get("method") != method:
        raise ValueError(f"{folder} holds a {description.get('method')} model, not {method}")
    return description, arrays


@contextlib.contextmanager
def restoring(folder: str | os.PathLike) -> Iterator[None]:
    """Report what damaged content raises as one sentence.

    Raises:
        ValueError: naming the folder and what is damaged.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(folder, error) from None


def check_shapes(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse arrays that are not those of a model.

    Raises:
        ValueError: for one that is missing, one too many, or one of another shape.
    """
    for name in sorted(arrays.keys() ^ shapes.keys()):
        raise ValueError(f"{name} is {'missing' if name in shapes else 'no array of this model'}")
    for name, shape in shapes.items():
        if arrays[name].shape != tuple(shape):
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {tuple(shape)}")


def _damaged(folder: str | os.PathLike, error: Exception) -> ValueError:
    reason = f"{error}".partition("\n")[0] or type(error).__name__
    return ValueError(f"the model in {folder} is damaged ({reason}): fit it again")


def _require_place(file: Path) -> None:
    """Refuse to replace anything but a model that was saved here."""
    folder = file.parent
    if folder.is_symlink() and not folder.exists():
        raise FileExistsError(f"{folder} is a link to nothing: remove it or save elsewhere")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is no folder: save the model elsewhere")
    names = sorted(os.listdir(folder))  # noqa: PTH208 (names alone; once, as others may write)
    if FILE in names:
        if not _is_ours(file):
            raise FileExistsError(
                f"{file} is no model that was saved here: move it away or save elsewhere"
            )
        return
    started = (f".{FILE}.", _PART)  # by another process, or one that was killed
    for name in names:
        if not (name.startswith(started[0]) and name.endswith(started[1])):
            raise FileExistsError(
                f"{folder} holds {name!r} and no model: save to an empty folder or a new one"
            )


def _is_ours(file: Path) -> bool:
    """Whether `write` wrote a file."""
    if file.is_symlink() or not file.is_file():
        return False
    try:
        description = _description(dict(_members(file.read_bytes(), only=_ABOUT))[_ABOUT])
    except (OSError, *_DAMAGE):
        return False
    return description.get("format") == FORMAT and _KEY in description


def _members(content: bytes, only: str | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Read the arrays of an archive, or one of them; none may unpack to more than the file holds.

    Raises:
        one of `_DAMAGE`: for what `write` does not write.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("it is compressed, as no saved model is")
        if sum(member.file_size for member in members) > len(content):
            raise ValueError("it would unpack to more than it is")
        names = [member.filename.removesuffix(".npy") for member in members]
        if len({*names}) < len(names):
            raise ValueError("an array is there twice")
        for name, member in zip(names, members, strict=True):
            if only in (None, name):
                yield name, _array(archive.read(member))


def _array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array is not of NumPy's format 1.0")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
    data = memoryview(content)[stream.tell() :]
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("an array is not as large as it says")
    array = np.ndarray(shape, dtype, data, order="F" if by_column else "C")
    return array.astype(dtype.newbyteorder("="))


def _require_numbers(name: str, array: np.ndarray) -> None:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} is not an array of numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")


def _description(metadata: np.ndarray) -> dict[str, Any]:
    """Parse the metadata: a JSON object of finite numbers in which no key stands twice."""
    if metadata.dtype.kind != "U" or metadata.shape != ():
        raise ValueError(f"{_ABOUT} is not a text")
    description = json.loads(
        metadata.item(), parse_float=_finite, parse_constant=_finite, object_pairs_hook=_mapping
    )
    if not isinstance(description, dict):
        raise ValueError(f"{_ABOUT} is not a mapping")
    return description


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{_ABOUT} holds the number {text}")
    return value


def _mapping(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(pairs)
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError(f"{_ABOUT} has a key twice")
    return mapping
