"""Files that are whole or absent, and JSON."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

SEAL = "sha256"  # the key under which a mapping is written with its own digest


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """A file to write, which takes its place under `path` only once it is whole and on the disk.

    Raises:
        OSError: if it cannot be written, as on a full disk; the message names it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power loss could leave the name without the content
        part.replace(path)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file, atomically."""
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as JSON, atomically; a mapping is sealed with the digest of what it says.

    Raises:
        ValueError: for NaN or infinity, which JSON lacks.
    """
    if isinstance(value, dict):
        value = value | {SEAL: _digest(value)}
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file, which need not be sealed.

    Raises:
        ValueError: if it is damaged, or was altered after it was written; names the file.
    """
    try:
        value = json.loads(Path(path).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run again") from None
    if isinstance(value, dict) and SEAL in value and value.pop(SEAL) != _digest(value):
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return value


def _digest(value: dict[str, Any]) -> str:
    """Of what a reader gets, whatever the order of its keys."""
    read = json.loads(json.dumps(value))
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
