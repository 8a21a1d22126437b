"""Runs that are alive in a folder, and what one that was killed left there.

Snakemake locks a folder by files, which outlive a run that is killed. Each run therefore also
holds locks of the operating system, which are gone when its process is: if nobody holds one, there
is no run. Runs share one, since Snakemake lets runs of different results go side by side, and each
has that of its own results alone. Where a run of another machine may have locked the folder,
nothing is cleared, for its processes are not seen from here; `snakemake --unlock` is then the
user's to say.
"""

import contextlib
import fcntl
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import psutil

MARK = "DCGMM_RUN"  # a run's folder, in the environment of all its processes
STATE = ".snakemake"
# Options with which Snakemake makes nothing, or is told to ask for no lock.
_PLANS = re.compile(
    r"-[a-zA-Z]*n[a-zA-Z]*|--(dry-?run|nolock|unlock|lint|report|summary|detailed-summary|list(-.*)?|dag|"
    r"rulegraph|filegraph|d3dag|cleanup-.*|delete-.*|archive|containerize|help|version)"
)


class AliveError(RuntimeError):
    """Another run is making the same results; the message says so."""


def executes(arguments: Sequence[str]) -> bool:
    """Whether a call of Snakemake with these arguments makes something that no other run may."""
    return not any(_PLANS.fullmatch(argument.partition("=")[0]) for argument in arguments)


def begin(folder: Path, run: str, command: Sequence[str]) -> list[TextIO]:
    """Mark this process as a run of `folder`; nothing of another run is touched.

    Args:
        folder: where Snakemake runs.
        run: its name, as its results have it.
        command: of this process; a call of Snakemake that makes nothing goes beside every other, as
            does a program that only plans.

    Returns:
        Files whose locks say that this run is alive: to be kept open to the end of the process.
        None of them where the file system has no such locks.

    Raises:
        AliveError: if another run is making the same results.
    """
    state = folder / STATE
    state.mkdir(exist_ok=True)
    with contextlib.ExitStack() as files:
        runs = files.enter_context(_opened(state / "runs"))
        own = files.enter_context(_opened(state / f"run-{run}"))
        try:
            fcntl.flock(runs, fcntl.LOCK_SH)
            snakemake = Path(command[0]).name == "snakemake"
            if snakemake and executes(command[1:]) and not _alone(own):
                raise AliveError(
                    f"another run is making results/{run} in {folder}: wait until it has ended"
                )
        except OSError:
            return []
        runs.write(f"{platform.node()}\n")
        runs.flush()
        os.environ[MARK] = str(folder.resolve())
        files.pop_all()
        return [runs, own]


def clear(folder: Path) -> None:
    """Remove the lock of a run that was killed, its unfinished files, and end its jobs.

    Nothing is done while a run lives, or if another machine may have a part in the lock.
    """
    state = folder / STATE
    if not state.is_dir():
        return
    with _opened(state / "runs") as runs:
        try:
            if not _alone(runs):
                return
        except OSError:
            return
        locks = state / "locks"
        if locks.is_dir() and any(locks.iterdir()):
            runs.seek(0)
            if {*runs.read().split("\n")} - {""} != {platform.node()}:
                return
            ended = _end_jobs(str(folder.resolve()))
            shutil.rmtree(locks)
            for part in (folder / "results").rglob(".*.part"):
                part.unlink()
            jobs = f" and ended {ended} processes of its jobs" if ended else ""
            print(f"A run was killed here: removed its lock{jobs}.", file=sys.stderr)
        runs.truncate(0)


def _opened(path: Path) -> TextIO:
    return path.open("a+", encoding="utf-8", errors="replace")


def _alone(file: TextIO) -> bool:
    """Whether nobody else has a file's lock; if so, nobody can until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
