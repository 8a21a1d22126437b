"""Detect the live runs of a folder, and clean up after killed ones.

Snakemake locks a folder by files, which outlive a killed run. Each run therefore also holds locks
of the operating system, which end with its process: without a holder, there is no run. All runs
share one lock, since Snakemake lets runs of different results go side by side; each holds a second
one, of its own results, alone. If a run on another machine may have locked the folder, nothing is
removed, since its processes are invisible from here; `snakemake --unlock` is then up to the user.
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

MARK = "DCGMM_RUN"  # variable with the run's folder, in the environment of all its processes
STATE = ".snakemake"
# Options by which Snakemake makes nothing, or takes no lock.
_WITHOUT_LOCK = re.compile(
    r"-[FSDLklpqt]*n[FSDLklpqt]*|--(dry(-?run)?|nolock|unlock|lint|report|summary|detailed-summary|list(-.*)?|dag|"
    r"rulegraph|filegraph|d3dag|cleanup-.*|delete-.*|archive|containerize|help|version)"
)


class AliveError(RuntimeError):
    """Another run is making the same results; the message names them."""


def executes(arguments: Sequence[str]) -> bool:
    """Whether a call of Snakemake with these arguments makes results, hence needs them alone."""
    return not any(_WITHOUT_LOCK.fullmatch(argument.partition("=")[0]) for argument in arguments)


def begin(folder: Path, run: str, command: Sequence[str]) -> list[TextIO]:
    """Mark this process as a run of `folder`, leaving other runs alone.

    Args:
        folder: where Snakemake runs.
        run: its name, as in `results/<run>/`.
        command: of this process; a call of Snakemake that makes nothing runs beside any other, and
            so does a program that only plans.

    Returns:
        Files whose locks mark this run as alive, to keep open until the process ends; none if the
        file system has no locks.

    Raises:
        AliveError: if another run is making the same results.
    """
    state = folder / STATE
    state.mkdir(exist_ok=True)
    with contextlib.ExitStack() as locks:
        runs_lock = locks.enter_context(_open_lock(state / "runs"))
        results_lock = locks.enter_context(_open_lock(state / f"run-{run}"))
        try:
            fcntl.flock(runs_lock, fcntl.LOCK_SH)
            snakemake = Path(command[0]).name == "snakemake"
            if snakemake and executes(command[1:]) and not _lock_alone(results_lock):
                raise AliveError(
                    f"another run is making results/{run} in {folder}: wait until it has ended"
                )
        except OSError:
            return []
        runs_lock.write(f"{platform.node()}\n")
        runs_lock.flush()
        os.environ[MARK] = str(folder.resolve())
        locks.pop_all()
        return [runs_lock, results_lock]


def clear(folder: Path) -> None:
    """Remove the lock and unfinished files of a killed run, and end its jobs.

    Does nothing while a run is alive, or if another machine may share the lock.
    """
    state = folder / STATE
    if not state.is_dir():
        return
    with _open_lock(state / "runs") as runs:
        try:
            if not _lock_alone(runs):
                return
        except OSError:
            return
        # Snakemake's locks without a live run: one was killed. Clean up if all ran on this machine.
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


def _open_lock(path: Path) -> TextIO:
    return path.open("a+", encoding="utf-8", errors="replace")


def _lock_alone(file: TextIO) -> bool:
    """Take a file's lock until it is closed; whether nobody else had it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_jobs(folder: str) -> int:
    """Kill the processes of a dead run, and what they start meanwhile; return their number."""
    killed = 0
    while jobs := [
        process for process in psutil.process_iter() if marked_folder(process) == folder
    ]:
        for process in jobs:
            process.kill()
        psutil.wait_procs(jobs, timeout=1)
        killed += len(jobs)
    return killed


def marked_folder(process: psutil.Process) -> str | None:
    """Folder of the run that a process belongs to; None without one, and for this process."""
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.environ().get(MARK)
    except psutil.Error:  # ended meanwhile, or another user's
        return None
