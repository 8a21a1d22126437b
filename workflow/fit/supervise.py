"""Run a command that trains; end it if it exceeds its limits, and have that recorded.

    python -m workflow.fit.supervise --limits '{"timeout_s": 60}' [--fits 5] -- COMMAND...

The command gets the conditions of its start (`provenance.note`) by `--begun`. A command that is
ended, or crashes in native code, cannot write its own record. It is therefore called once more with
`--ended` and a JSON of the status, the reason and the resources used, and writes its record without
training. A signal from outside is an abort, not a result: nothing is recorded.

All processes that the command started end with it, even in sessions of their own: on Linux, orphans
become children of this process, and the memory of all counts. Imports little, since every fit waits
for this module.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

import psutil

from workflow.common import provenance

POLL = 0.5  # seconds between two looks at the memory
PATIENCE = 60  # seconds for killed processes to be gone
GIB = 2**30
CRASHES = {signal.SIGABRT, signal.SIGFPE, signal.SIGSEGV}
OUTSIDE = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)  # signals that end a run
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Ending(NamedTuple):
    """How a command was ended, for its record.

    Attributes:
        status: of the record.
        reason: of the record.
        peak_bytes: largest memory that all its processes were seen to hold.
    """

    status: str
    reason: str
    peak_bytes: int = 0


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the step; its exit status is the command's."""
    parser = argparse.ArgumentParser(prog="python -m workflow.fit.supervise", description=__doc__)
    parser.add_argument("--limits", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument(
        "--fits", type=int, default=1, help="number of fits of the command; each has the time limit"
    )
    parser.add_argument(
        "command", nargs="+", help="a step that knows --begun and --ended, after --"
    )
    options = parser.parse_args(arguments)
    guarded(lambda: supervise(options.command, options.limits, options.fits))


def guarded(work: Callable[[], NoReturn]) -> NoReturn:
    """Work in a second process, and end everything if either of the two is killed.

    Both reap the processes they started, and the second gets a signal when the first is gone.
    """
    first = os.getpid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    second = os.fork()
    if second == 0:
        os.setsid()  # a signal to the group of the first must not kill both
        handle_outside(lambda *_: sys.exit("ended from outside; nothing is recorded"))
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != first:  # the first was gone already
            sys.exit(1)
        work()
    handle_outside(lambda *_: os.kill(second, signal.SIGTERM))
    status = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
    end_all()
    sys.exit(status if status >= 0 else _abort(status))


def handle_outside(handler: Callable[..., object] | int) -> None:
    """Set the handler of the signals that end a run, except those that its parent ignores."""
    for number in OUTSIDE:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def supervise(command: list[str], limits: dict[str, float | None], fits: int) -> NoReturn:
    """Run a command until it ends; if it is ended or crashes, have that recorded."""
    command = [*command, "--begun", json.dumps(provenance.note())]
    kills = oom_kills()
    process = start(command)
    try:
        ending = over_limit(process, limits, fits)
    finally:
        end(process)
    ending = ending or crash(process.returncode)
    if ending is None:
        code = process.returncode
        sys.exit(code if code >= 0 else _abort(code, killed_for_memory=oom_kills() > kills))
    sys.exit(subprocess.run([*command, "--ended", ended_argument(ending)]).returncode)


def start(command: list[str]) -> subprocess.Popen:
    """Start the command as the leader of a new session."""
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )


def end(process: subprocess.Popen) -> None:
    """Kill what remains of the command and its descendants; signals are blocked meanwhile."""
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, OUTSIDE)
    _kill(process.pid)  # its group at once, which no fork outruns; all there is outside of Linux
    end_all(process)
    signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def end_all(command: subprocess.Popen | None = None) -> None:
    """Kill until this process has no children, which on Linux include all orphans.

    Args:
        command: the child whose exit status is kept.
    """
    deadline, previous = time.monotonic() + PATIENCE, []
    while reap(command):
        for child in (running := children()):
            with contextlib.suppress(ProcessLookupError):
                _kill(os.getpgid(child))
        if time.monotonic() > deadline:
            sys.exit(f"processes survive SIGKILL: {', '.join(map(str, running))}")
        if running == previous:  # else they fork faster than that
            time.sleep(0.001)
        previous = running


def reap(command: subprocess.Popen | None) -> bool:
    """Reap all ended children, so that none stays a zombie; whether any child remains."""
    if LIBC is None:  # orphans do not become children
        return command is not None and command.poll() is None
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        while ended := os.waitid(os.P_ALL, 0, options):
            if command is not None and ended.si_pid == command.pid:
                command.poll()
            else:
                os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        return False
    return True


def children() -> list[int]:
    """List the children of this single-threaded process, fast, since they may fork."""
    process = os.getpid()
    try:
        return [*map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    except FileNotFoundError:  # a kernel without it, or not Linux
        return [child.pid for child in psutil.Process().children()]


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if LIBC is not None:
        LIBC.prctl(option, value)


def over_limit(
    process: subprocess.Popen, limits: dict[str, float | None], fits: int
) -> Ending | None:
    """Wait for the command; return the limit it exceeded, or None if it ended by itself."""
    seconds, memory = limits.get("timeout_s"), limits.get("memory_gb")
    start, peak = time.monotonic(), 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL)
            return None
        reap(process)
        resident_bytes = resident() if memory is not None else 0
        peak = max(peak, resident_bytes)
        if seconds is not None and time.monotonic() - start > seconds * fits:
            each_of = f" for each of {fits} fits" if fits > 1 else ""
            reason = f"it ran longer than limits.timeout_s, which is {seconds:g}{each_of}"
            return Ending("timeout", reason, peak)
        if memory is not None and resident_bytes / GIB > memory:
            reason = f"it held {resident_bytes / GIB:.3g} GiB, but limits.memory_gb is {memory:g}"
            return Ending("failed", f"out of memory: {reason}", peak)


def resident() -> int:
    """Resident memory of all descendants of this process, in bytes."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # ended meanwhile
            total += process.memory_info().rss
    return total


def crash(returncode: int) -> Ending | None:
    """Ending of a fit that crashed by a signal; None if the fit is not to blame."""
    number = -returncode
    if number not in CRASHES:
        return None
    name = signal.Signals(number).name
    return Ending("failed", f"it crashed in native code: {name}, {signal.strsignal(number)}")


def oom_kills() -> int:
    """Number of out-of-memory kills of Linux since its start; 0 on other systems."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def ended_argument(ending: Ending) -> str:
    """Argument of `--ended`: JSON of the ending and the resources used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 2**10)
    return json.dumps(
        {
            "status": ending.status,
            "reason": ending.reason,
            "cpu": round(usage.ru_utime + usage.ru_stime, 3),
            "memory_mb": round(max(largest, ending.peak_bytes) / 2**20, 1),
        }
    )


def _abort(returncode: int, *, killed_for_memory: bool = False) -> str:
    """Message for a command that a signal from outside ended."""
    number = -returncode
    name = signal.Signals(number).name
    advice = "nothing is recorded, so run it again"
    if number == signal.SIGKILL and killed_for_memory:
        return f"out of memory: the system killed it, and counts that under oom_kill; {advice}"
    return f"ended from outside by {name}; {advice}"


if __name__ == "__main__":
    main()
