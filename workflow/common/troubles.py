"""Troubles of the machine, which say nothing of a method: a job that meets one leaves no record.

They are a disk that is full or fails, files that cannot be opened, too little memory of the host,
and libraries that are missing or broken. Everything else that a fit raises is the method's own
failure and a row of the tables; so is memory of a GPU, and a limit of the configuration.
"""

import errno
from collections.abc import Iterator

from workflow.common import provenance


class MachineError(OSError):
    """A trouble of the machine: one sentence, with the mend."""


def check(error: BaseException) -> None:
    """Let pass what is a method's own failure.

    Raises:
        MachineError: for a trouble of the machine, whatever a library has wrapped it into.
    """
    for each in _chain(error):
        if mend := _mend(each):
            told = f"{each}".partition("\n")[0]
            sentence = f"{type(each).__name__}: {told}".removesuffix(": ")
            raise MachineError(
                f"{sentence}; nothing is recorded: {mend}, then run again"
            ) from error


def lacked_memory(error: BaseException) -> bool:
    """Whether an exception tells of too little memory, as Python and each library say it."""
    if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
        return True
    return any(words in f"{error}" for words in _NOT_ALLOCATED)


_OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError")  # of TensorFlow, of torch's CUDA
_OF_HOST = ("can't allocate memory", "std::bad_alloc", "Cannot allocate memory")  # torch, C++, C
_NOT_ALLOCATED = ("RESOURCE_EXHAUSTED", *_OF_HOST)  # of JAX and others
_ROOM = "make room on the disk"
_MENDS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: f"{_ROOM} or raise the limit of a file's size (`ulimit -f`)",
    errno.EROFS: "make the folder writable",
    errno.EACCES: "grant the right",
    errno.EPERM: "grant the right",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs or run fewer jobs at once",
    errno.EIO: "mend the disk",
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
_LIBRARY = "see that a lock of envs/ has it, or remove envs/.venv to have that built again"


def _mend(error: BaseException) -> str | None:
    """What to do about a trouble of the machine; None for what is none."""
    if isinstance(error, MachineError):
        return None  # its cause is in the chain
    for words, code in _TEXTS.items():
        if words in f"{error}":
            return _MENDS[code]
    if isinstance(error, ImportError) or "cannot open shared object file" in f"{error}":
        return _LIBRARY
    if lacked_memory(error):
        return _MENDS[errno.ENOMEM] if _of_host(error) else None
    if isinstance(error, OSError):
        return _MENDS.get(error.errno, "mend what it names")
    return None


def _of_host(error: BaseException) -> bool:
    """Whether memory that was lacking is not that of a GPU."""
    if isinstance(error, MemoryError) or any(words in f"{error}" for words in _OF_HOST):
        return True
    return "device:CPU" in f"{error}" or provenance.peak_gpu_memory_mb() is None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, those of its group, and what they were raised from."""
    yield error
    parts = [error.__cause__, *getattr(error, "exceptions", ())]
    for part in parts:
        if isinstance(part, BaseException):
            yield from _chain(part)
