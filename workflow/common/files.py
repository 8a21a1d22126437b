"""Atomic writes, and JSON sealed against later changes."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

SEAL = "sha256"  # key of a mapping's own digest


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """Open a file to write that replaces `path` only once it is complete and on the disk.

    Until then it has a unique name, so that writers never share one; the last wins.

    Raises:
        OSError: if the write fails, as on a full disk; names the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power loss could leave an empty file
        part.replace(path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) != part:
            raise
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path | str) -> Iterator[None]:
    """Lock a folder, so that nobody changes its files between a read and a write."""
    import fcntl  # only here: methods also read data on systems without it

    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_text(path: Path | str, text: str) -> None:
    """Write a text file, atomically."""
    with replacing(path) as file:
        file.write(text.encode())


def update_text(path: Path | str, text: str) -> None:
    """Write a text file unless it holds this text already."""
    update_bytes(path, text.encode())


def update_bytes(path: Path | str, content: bytes) -> None:
    """Write a file, atomically, unless it holds this content already."""
    try:
        if Path(path).read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    with replacing(path) as file:
        file.write(content)


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as JSON, atomically; a mapping is sealed with its digest.

    Raises:
        ValueError: for NaN or infinity, which JSON lacks.
    """
    if isinstance(value, dict):
        value = sealed(value)
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read JSON that `write_json` wrote; a mapping must have its seal.

    Raises:
        ValueError: if the file is damaged or was altered later; names it.
    """
    try:
        value = parsed(Path(path).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run again") from None
    if isinstance(value, dict) and not unseal(value):
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return value


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """Add the digest of its content to a mapping."""
    return value | {SEAL: _digest(value)}


def unseal(value: dict[str, Any]) -> bool:
    """Remove the digest from a mapping; whether it was present and correct."""
    return value.pop(SEAL, None) == _digest(value)


def parsed(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: if it is not JSON, also for NaN, infinity and duplicate keys.
    """
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a mapping of pairs; refuse duplicate keys."""
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {duplicate!r} occurs twice")
    return result


def _digest(value: dict[str, Any]) -> str:
    """Digest of the value as a reader gets it, independent of the order of keys."""
    as_read = json.loads(json.dumps(value))
    return hashlib.sha256(json.dumps(as_read, sort_keys=True).encode()).hexdigest()
