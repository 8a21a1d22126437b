"""What XLA has compiled, kept from job to job: read only while each entry is what was written.

TensorFlow checks nothing when it reads an entry: of one cut short by a loss of power, or altered,
every later fit would fail or go wrong. Each entry therefore has a seal beside it, its digest; an
entry with another is removed, and compiled again. So is one without, unless the program that made
it may still be at work, which seals its entries at its end.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from workflow.common import files

FOLDER = "XLA_CACHE"  # the variable by which `in_env.sh` says where the entries are
SEAL = ".sha256"
USERS = "users"  # whose lock every program holds that uses the entries


@contextlib.contextmanager
def sound() -> Iterator[None]:
    """Remove what cannot be trusted, and at the end seal what was compiled meanwhile."""
    folder = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / USERS).open("a") as users:
        alone = _lock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for entry, seal in _pairs(folder):
            if (alone or seal.exists()) and _read(seal) != _digest(entry):
                entry.unlink(missing_ok=True)
                seal.unlink(missing_ok=True)
        _lock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            for entry, seal in _pairs(folder):
                if not seal.exists() and (digest := _digest(entry)):
                    with contextlib.suppress(OSError):  # what has no seal is compiled again
                        files.write_text(seal, digest.decode())


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Every entry and its seal, of which one may be missing."""
    names = {path.name.removesuffix(SEAL) for path in folder.glob("*.pb*")}
    for name in sorted(names):
        yield folder / name, folder / (name + SEAL)


def _lock(file: TextIO, kind: int) -> bool:
    """Whether a lock could be had; where the file system has none, nobody is alone."""
    try:
        fcntl.flock(file, kind)
    except OSError:
        return False
    return True


def _digest(entry: Path) -> bytes | None:
    content = _read(entry)
    return None if content is None else hashlib.sha256(content).hexdigest().encode()


def _read(path: Path) -> bytes | None:
    """What a file holds; None if it is not there, as other processes remove some, too."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
