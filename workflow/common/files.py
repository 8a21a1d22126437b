"""Files that are whole or absent, and JSON that is what it was when it was written."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

SEAL = "sha256"  # the key under which a mapping is written with its own digest


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """A file to write, which takes its place under `path` only once it is whole and on the disk.

    It has a name of its own until then, so that several writers never share one: the last wins.

    Raises:
        OSError: if it cannot be written, as on a full disk; the message names it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power loss could leave the name without the content
        part.replace(path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) != part:
            raise
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path | str) -> Iterator[None]:
    """Keep others from changing a folder's files between reading and writing them."""
    import fcntl  # not where a method's data are read: systems without it can do that, too

    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_text(path: Path | str, text: str) -> None:
    """Write a text file, atomically."""
    with replacing(path) as file:
        file.write(text.encode())


def keep_text(path: Path | str, text: str) -> None:
    """Write a text file unless it is there with this text already."""
    try:
        if Path(path).read_bytes() == text.encode():
            return
    except FileNotFoundError:
        pass
    write_text(path, text)


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as JSON, atomically; a mapping is sealed with the digest of what it says.

    Raises:
        ValueError: for NaN or infinity, which JSON lacks.
    """
    if isinstance(value, dict):
        value = sealed(value)
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read JSON that `write_json` wrote; a mapping must have its seal.

    Raises:
        ValueError: if it is damaged, or was altered after it was written; names the file.
    """
    try:
        value = parsed(Path(path).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run again") from None
    if isinstance(value, dict) and not unseal(value):
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return value


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """A mapping with the digest of what it says."""
    return value | {SEAL: _digest(value)}


def unseal(value: dict[str, Any]) -> bool:
    """Take the digest out of a mapping; whether it was there, and right."""
    return value.pop(SEAL, None) == _digest(value)


def parsed(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is none, which NaN, infinity and a key that stands twice make it, too.
    """
    return json.loads(text, parse_constant=_not_json, object_pairs_hook=_unique)


def _not_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return result


def _digest(value: dict[str, Any]) -> str:
    """Of what a reader gets, whatever the order of its keys."""
    read = json.loads(json.dumps(value))
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
