"""Take over from a run that was killed: clear its lock, end what is left of it.

Snakemake locks a folder by files, which outlive a run that is killed. Each run therefore also
holds a lock of the operating system, which is gone when its process is: if nobody holds one, there
is no run. Runs share it, since Snakemake lets runs of different results go side by side. Where a
run of another machine may have locked the folder, nothing is done, for its processes are not seen
from here; `snakemake --unlock` is then the user's to say.
"""

import fcntl
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TextIO

import psutil

MARK = "DCGMM_RUN"  # a run's folder, in the environment of all its processes


def begin(folder: Path) -> TextIO | None:
    """Mark this process as a run of `folder`, and clear what a killed one left there.

    Args:
        folder: where Snakemake runs.

    Returns:
        The file whose lock says that this run is alive: to be kept open to the end of the process.
        None where the file system has no such locks.
    """
    state = folder / ".snakemake"
    state.mkdir(exist_ok=True)
    runs = (state / "runs").open("a+", encoding="utf-8", errors="replace")
    try:
        if _alone(runs):
            _clear(runs, state, str(folder.resolve()))
        fcntl.flock(runs, fcntl.LOCK_SH)
    except OSError:
        runs.close()
        return None
    runs.write(f"{platform.node()}\n")
    runs.flush()
    os.environ[MARK] = str(folder.resolve())
    return runs


def _alone(runs: TextIO) -> bool:
    """Whether no other run lives; if so, none can begin until the lock is given back."""
    try:
        fcntl.flock(runs, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear(runs: TextIO, state: Path, folder: str) -> None:
    """Remove a dead run's lock, unless another machine may have a part in it."""
    locks = state / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        runs.seek(0)
        if {*runs.read().split("\n")} - {""} != {platform.node()}:
            return
        ended = _end_jobs(folder)
        shutil.rmtree(locks)
        jobs = f" and ended {ended} processes of its jobs" if ended else ""
        print(f"A run was killed here: removed its lock{jobs}.", file=sys.stderr)
    runs.truncate(0)


def _end_jobs(folder: str) -> int:
    """Kill the processes that a dead run left, and what they start meanwhile; their number."""
    killed = 0
    while left := [process for process in psutil.process_iter() if mark(process) == folder]:
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=1)
        killed += len(left)
    return killed


def mark(process: psutil.Process) -> str | None:
    """The folder of the run that a process is part of, if any; None for this process itself."""
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.environ().get(MARK)
    except psutil.Error:  # ended meanwhile, or another user's
        return None
