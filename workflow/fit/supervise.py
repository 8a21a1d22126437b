"""Run a command that trains; end it if it exceeds its limits, and have that written down.

    python -m workflow.fit.supervise --limits '{"timeout_s": 60}' [--fits 5] -- COMMAND...

The command is told by `--begun` under which conditions it was started (`provenance.note`). What is
ended, or crashes in native code, cannot write its own record. The command is therefore called once
more with `--ended` and a JSON of the status, the reason and what was spent, and writes its record
without training. What the machine does to a command, as a signal from outside, is an abort and no
result: nothing is recorded.

Whatever the command has started ends with it, also in sessions of its own: on Linux, orphans become
children of this process, and the memory of all counts. Imports little, since every fit waits for
it.
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
PATIENCE = 60  # seconds in which what is killed has to be gone
GIB = 2**30
CRASHES = {signal.SIGABRT, signal.SIGFPE, signal.SIGSEGV}
OUTSIDE = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)  # that a run is ended by
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Ending(NamedTuple):
    """What a record says of a command that did not come to its own end.

    Attributes:
        status: of the record.
        reason: of the record.
        held: most bytes that all its processes were seen to hold.
    """

    status: str
    reason: str
    held: int = 0


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the step; its exit status is the command's."""
    parser = argparse.ArgumentParser(prog="python -m workflow.fit.supervise", description=__doc__)
    parser.add_argument("--limits", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument("--fits", type=int, default=1, help="of the command; each has its time")
    parser.add_argument(
        "command", nargs="+", help="a step that knows --begun and --ended, after --"
    )
    options = parser.parse_args(arguments)
    guarded(lambda: supervise(options.command, options.limits, options.fits))


def guarded(work: Callable[[], NoReturn]) -> NoReturn:
    """Do the work in a second process, and end all if either of the two is killed.

    Both are reapers of what they have started, and the second is told if the first is gone.
    """
    first = os.getpid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    second = os.fork()
    if second == 0:
        os.setsid()  # what kills the group of the first is not to kill both
        hear(lambda *_: sys.exit("ended from outside; nothing is recorded"))
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != first:  # it was gone before that
            sys.exit(1)
        work()
    hear(lambda *_: os.kill(second, signal.SIGTERM))
    status = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
    end_all()
    sys.exit(status if status >= 0 else _abort(status))


def hear(handler: Callable[..., object] | int) -> None:
    """Handle the signals that a run is ended by, but for those that whoever started it ignores."""
    for number in OUTSIDE:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def supervise(command: list[str], limits: dict[str, float | None], fits: int) -> NoReturn:
    """Run a command until it ends or is ended, and have the latter recorded."""
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
    sys.exit(subprocess.run([*command, "--ended", told(ending)]).returncode)


def start(command: list[str]) -> subprocess.Popen:
    """The command, as the leader of a new session."""
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )


def end(process: subprocess.Popen) -> None:
    """Kill what is left of the command and of all that it started, which no signal interrupts."""
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, OUTSIDE)
    _kill(process.pid)  # its group at once, which no fork outruns; elsewhere than on Linux, all
    end_all(process)
    signal.pthread_sigmask(signal.SIG_SETMASK, heard)


def end_all(command: subprocess.Popen | None = None) -> None:
    """Kill until this process has no children, which on Linux all orphans become.

    Args:
        command: the child whose exit status is wanted.
    """
    patience, before = time.monotonic() + PATIENCE, []
    while reap(command):
        for child in (found := children()):
            with contextlib.suppress(ProcessLookupError):
                _kill(os.getpgid(child))
        if time.monotonic() > patience:
            sys.exit(f"processes that cannot be ended: {', '.join(map(str, found))}")
        if found == before:  # else they fork, and are quick
            time.sleep(0.001)
        before = found


def reap(command: subprocess.Popen | None) -> bool:
    """Take note of all children that have ended, so that none is a zombie; whether any is left."""
    if LIBC is None:  # no orphan becomes a child
        return command is not None and command.poll() is None
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        while ended := os.waitid(os.P_ALL, 0, how):
            if command is not None and ended.si_pid == command.pid:
                command.poll()
            else:
                os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        return False
    return True


def children() -> list[int]:
    """Children of this process, which has one thread; in the least time, since they may fork."""
    process = os.getpid()
    try:
        return [*map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    except FileNotFoundError:  # a kernel without it, or no Linux
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
    """Wait for the command; which limit it exceeded, or None if it came to its own end."""
    seconds, memory = limits.get("timeout_s"), limits.get("memory_gb")
    start, most = time.monotonic(), 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL)
            return None
        reap(process)
        held = resident() if memory is not None else 0
        most = max(most, held)
        if seconds is not None and time.monotonic() - start > seconds * fits:
            times = f" for each of {fits} fits" if fits > 1 else ""
            reason = f"it ran longer than limits.timeout_s, which is {seconds:g}{times}"
            return Ending("timeout", reason, most)
        if memory is not None and held / GIB > memory:
            reason = f"it held {held / GIB:.3g} GiB, but limits.memory_gb is {memory:g}"
            return Ending("failed", f"out of memory: {reason}", most)


def resident() -> int:
    """Bytes that all descendants of this process hold in memory."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # ended meanwhile
            total += process.memory_info().rss
    return total


def crash(returncode: int) -> Ending | None:
    """What a signal says of a fit that nobody ended; None if it is no fault of the fit."""
    number = -returncode
    if number not in CRASHES:
        return None
    name = signal.Signals(number).name
    return Ending("failed", f"it crashed in native code: {name}, {signal.strsignal(number)}")


def oom_kills() -> int:
    """How often Linux has killed for want of memory since it started; 0 on other systems."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def told(ending: Ending) -> str:
    """What `--ended` takes: an ending, and what the command has spent."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    largest = spent.ru_maxrss * (1 if sys.platform == "darwin" else 2**10)
    return json.dumps(
        {
            "status": ending.status,
            "reason": ending.reason,
            "cpu": round(spent.ru_utime + spent.ru_stime, 3),
            "memory_mb": round(max(largest, ending.held) / 2**20, 1),
        }
    )


def _abort(returncode: int, *, killed_for_memory: bool = False) -> str:
    number = -returncode
    name = signal.Signals(number).name
    again = "nothing is recorded, so run it again"
    if number == signal.SIGKILL and killed_for_memory:
        return f"out of memory: the system killed it, and counts that under oom_kill; {again}"
    return f"ended from outside by {name}; {again}"


if __name__ == "__main__":
    main()
