"""Persistent cache of XLA's compiled programs, verified before use.

TensorFlow reads an entry unchecked: one truncated by a power loss, or altered, would make every
later fit fail or go wrong. Each entry therefore has its digest beside it, a seal; an entry with
another digest is removed, and compiled again. So is one without a seal, unless the program that
wrote it may still be running, since programs seal their entries when they end.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from workflow.common import files

FOLDER = "XLA_CACHE"  # variable by which `in_env.sh` names the folder of the cache
SEAL = ".sha256"
USERS = "users"  # file that every program locks while it uses the cache


@contextlib.contextmanager
def verified_cache() -> Iterator[None]:
    """Remove untrusted entries of the cache, and at the end seal those compiled meanwhile."""
    folder = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / USERS).open("a") as users:
        is_exclusive = _lock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for entry, seal in _pairs(folder):
            if (is_exclusive or seal.exists()) and _content(seal) != _digest(entry):
                entry.unlink(missing_ok=True)
                seal.unlink(missing_ok=True)
        _lock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            for entry, seal in _pairs(folder):
                if not seal.exists() and (digest := _digest(entry)):
                    with contextlib.suppress(OSError):  # an entry without a seal is compiled again
                        files.write_text(seal, digest.decode())


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Pairs of an entry and its seal, one of which may be missing."""
    names = {path.name.removesuffix(SEAL) for path in folder.glob("*.pb*")}
    for name in sorted(names):
        yield folder / name, folder / (name + SEAL)


def _lock(file: TextIO, kind: int) -> bool:
    """Take a lock; False if another process holds it or the file system has none."""
    try:
        fcntl.flock(file, kind)
    except OSError:
        return False
    return True


def _digest(entry: Path) -> bytes | None:
    content = _content(entry)
    return None if content is None else hashlib.sha256(content).hexdigest().encode()


def _content(path: Path) -> bytes | None:
    """Content of a file; None if it is gone, since other processes remove entries too."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
