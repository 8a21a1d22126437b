"""Files of arrays, `.npz`, sealed: whole, unaltered, and told apart by what they say of themselves.

Needs numpy alone, so that every method's environment can write them.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import files

ABOUT = "about"  # the array with the text: a mapping as JSON
LIMIT = 4 * 2**30  # bytes that the arrays of a file may hold
Arrays = dict[str, np.ndarray]


def write(
    path: Path | str,
    about: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    compressed: bool = False,
) -> None:
    """Write arrays under their names, and a mapping that says what they are; atomically."""
    save = np.savez_compressed if compressed else np.savez
    text = json.dumps({**about, files.SEAL: _digest(about, arrays)}, allow_nan=False)
    with files.replacing(path) as file:
        save(file, **{ABOUT: np.array(text)}, **arrays)


def read(path: Path | str, *, foreign: bool = False) -> tuple[dict[str, Any], Arrays]:
    """What `write` was given: the mapping and the arrays.

    Nothing in a file is executed: an array of objects, which NumPy would have to unpickle, is an
    error like any other damage.

    Args:
        path: of the file.
        foreign: whether somebody else may have written it, who gave it no seal.

    Raises:
        ValueError: if the file is damaged, altered, larger than `LIMIT`, or none of arrays.
        OSError: if it cannot be read at all.
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            _check_size(file)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            about = files.parsed(arrays.pop(ABOUT).item())
            seal = about.pop(files.SEAL, None)
            whole = seal is None if foreign and seal is None else seal == _digest(about, arrays)
        except Exception as error:  # damaged bytes raise whatever they lead to
            raise damaged(path, error) from error
    if not whole:
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return about, arrays


def damaged(path: Path, error: Exception) -> ValueError:
    """One line that names the file and what was found in it."""
    reason = f"{error}".partition("\n")[0].rstrip(".") or type(error).__name__
    if isinstance(error, KeyError):
        reason = f"it lacks {reason}"
    return ValueError(f"{path} is damaged ({reason}); remove it and run again")


def _check_size(file: Any) -> None:
    """Refuse an archive that unpacks to more than memory may be asked for, or twice one name."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LIMIT:
        raise ValueError(f"it unpacks to {size / 2**30:.1f} GiB, more than {LIMIT / 2**30:g}")
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its arrays have one name")
    file.seek(0)


def _digest(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Of everything that a reader gets, whatever the order."""
    result = hashlib.sha256(json.dumps(dict(about), sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        result.update(f"{name} {array.dtype.str} {array.shape}".encode())
        result.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return result.hexdigest()
