"""Tell troubles of the machine, after which a job leaves no record, from failures of a method.

Troubles are a full or failing disk, files that cannot be opened, too little host memory, and
missing or broken libraries. Everything else that a fit raises is a failure of the method and a row
of the tables, including too little GPU memory and limits of the configuration.
"""

import errno
from collections.abc import Iterator

from workflow.common import provenance


class MachineError(OSError):
    """A trouble of the machine: one sentence, with its remedy."""


def check(error: BaseException) -> None:
    """Raise for a trouble of the machine; ignore failures of a method.

    Raises:
        MachineError: if the machine is to blame, in whichever exception a library wraps that.
    """
    for cause in _chain(error):
        if remedy := _remedy(cause):
            first_line = f"{cause}".partition("\n")[0]
            sentence = f"{type(cause).__name__}: {first_line}".removesuffix(": ")
            raise MachineError(
                f"{sentence}; nothing is recorded: {remedy}, then run again"
            ) from error


def lacked_memory(error: BaseException) -> bool:
    """Whether an exception reports too little memory, of Python or any library."""
    if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
        return True
    return any(words in f"{error}" for words in _NOT_ALLOCATED)


_OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError")  # of TensorFlow, of torch's CUDA
_OF_HOST = ("can't allocate memory", "std::bad_alloc", "Cannot allocate memory")  # torch, C++, C
_NOT_ALLOCATED = ("RESOURCE_EXHAUSTED", *_OF_HOST)  # of JAX and others
_ROOM = "make room on the disk"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: f"{_ROOM} or raise the limit of a file's size (`ulimit -f`)",
    errno.EROFS: "make the folder writable",
    errno.EACCES: "grant permission",
    errno.EPERM: "grant permission",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs or run fewer jobs at once",
    errno.EIO: "repair or replace the disk",
}
_TEXTS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "Input/output error": errno.EIO,
    "Read-only file system": errno.EROFS,
    "Too many open files": errno.EMFILE,
    "PytorchStreamWriter failed writing": errno.ENOSPC,
}  # of libraries that have their own exceptions
_LIBRARY = "make sure that a lock of envs/ has it, or remove envs/.venv to rebuild it"


def _remedy(error: BaseException) -> str | None:
    """Remedy for a trouble of the machine; None for other errors."""
    if isinstance(error, MachineError):
        return None  # its cause is in the chain
    for words, code in _TEXTS.items():
        if words in f"{error}":
            return _REMEDIES[code]
    if isinstance(error, ImportError) or "cannot open shared object file" in f"{error}":
        return _LIBRARY
    if lacked_memory(error):
        return _REMEDIES[errno.ENOMEM] if _of_host(error) else None
    if isinstance(error, OSError):
        return _REMEDIES.get(error.errno, "fix what it names")
    return None


def _of_host(error: BaseException) -> bool:
    """Whether the host lacked memory, not a GPU."""
    if isinstance(error, MemoryError) or any(words in f"{error}" for words in _OF_HOST):
        return True
    return "device:CPU" in f"{error}" or provenance.peak_gpu_memory_mb() is None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, those of its group, and their causes."""
    yield error
    parts = [error.__cause__, *getattr(error, "exceptions", ())]
    for part in parts:
        if isinstance(part, BaseException):
            yield from _chain(part)
