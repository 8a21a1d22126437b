"""Sealed `.npz` files: arrays with metadata, verified to be complete and unaltered.

Needs only numpy, so that every method's environment can write them.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import files

METADATA = "about"  # name of the array with the metadata, a JSON mapping
LIMIT = 4 * 2**30  # bytes of all arrays of a file
Arrays = dict[str, np.ndarray]


def write(
    path: Path | str,
    metadata: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    compressed: bool = False,
) -> None:
    """Write named arrays and their metadata, atomically."""
    save = np.savez_compressed if compressed else np.savez
    text = json.dumps({**metadata, files.SEAL: _digest(metadata, arrays)}, allow_nan=False)
    with files.replacing(path) as file:
        save(file, **{METADATA: np.array(text)}, **arrays)


def read(path: Path | str, *, foreign: bool = False) -> tuple[dict[str, Any], Arrays]:
    """Read the metadata and the arrays that `write` wrote.

    Nothing in a file is executed: an array of objects, which NumPy would unpickle, is damage.

    Args:
        path: of the file.
        foreign: whether the file may come from elsewhere, without a seal.

    Raises:
        ValueError: if the file is damaged, altered, larger than `LIMIT`, or not an `.npz`.
        OSError: if it cannot be read.
    """
    path = Path(path)
    arrays = read_arrays(path)
    try:
        metadata = files.parsed(arrays.pop(METADATA).item())
        seal = metadata.pop(files.SEAL, None)
        is_intact = seal is None if foreign and seal is None else seal == _digest(metadata, arrays)
    except Exception as error:  # damaged metadata may raise anything
        raise damaged(path, error) from error
    if not is_intact:
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return metadata, arrays


def read_arrays(path: Path) -> Arrays:
    """Read the arrays of an `.npz` that may come from elsewhere, without metadata or seal.

    Raises:
        ValueError: if the file is damaged, larger than `LIMIT`, or not an `.npz`.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        try:
            _check_size(file)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except Exception as error:  # damaged bytes may raise anything
            raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> ValueError:
    """Error for a damaged file: one line with its name and the reason."""
    reason = f"{error}".partition("\n")[0].rstrip(".") or type(error).__name__
    if isinstance(error, KeyError):
        reason = f"it lacks {reason}"
    return ValueError(f"{path} is damaged ({reason}); remove it and run again")


def _check_size(file: Any) -> None:
    """Refuse an archive that unpacks beyond `LIMIT` or has duplicate names."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LIMIT:
        raise ValueError(f"it unpacks to {size / 2**30:.1f} GiB, more than {LIMIT / 2**30:g}")
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its arrays share a name")
    file.seek(0)


def _digest(metadata: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Digest of metadata and arrays, independent of their order."""
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()
