"""Run a command that trains; end it if it exceeds its limits, and have that written down.

    python -m workflow.steps.supervise --limits '{"timeout_s": 60}' -- COMMAND...

What is ended, or crashes in native code, cannot write its own record. The command is therefore
called once more with `--ended` and a JSON of the status, the reason and what was spent, and writes
its record without training. A command that is ended from outside leaves none: that is an abort and
no result. It runs in a session of its own, so that whatever it started ends with it; if this
process is killed, Linux ends the command, too. Imports little, since every fit waits for it.
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
from pathlib import Path
from typing import Any, NoReturn

import psutil

from workflow import warm

POLL = 0.5  # seconds between two looks at the memory
PATIENCE = 10  # seconds in which the server of a job that has ended tells what it took
GIB = 2**30
CRASHES = {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

Ending = tuple[str, str]
"""Status and reason."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the step; its exit status is the command's."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.supervise", description=__doc__)
    parser.add_argument("--limits", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument("command", nargs="+", help="a step that knows --ended, after --")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("ended from outside; nothing is recorded"))
    kills = oom_kills()
    process = start(options.command)
    try:
        ending = over_limit(process, options.limits)
    finally:
        end(process)
    ending = ending or crash(process.returncode, oom_kills() > kills)
    if ending is None:
        sys.exit(process.returncode if process.returncode >= 0 else _abort(process.returncode))
    ended = told(*ending, process.pid)
    sys.exit(subprocess.run([*options.command, "--ended", ended]).returncode)


def start(command: list[str]) -> subprocess.Popen:
    """The command, as the leader of a new session."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent)


def end(process: subprocess.Popen) -> None:
    """Kill what is left of the command and of all that it started."""
    _kill(process.pid)
    process.wait()
    patience = time.monotonic() + PATIENCE
    while (job := warm.about(process.pid)) and "cpu" not in job:  # its server has yet to tell
        if psutil.pid_exists(job["process"]):
            _kill(job["process"])
        elif time.monotonic() > patience:  # the server is gone, too
            return
        time.sleep(0.01)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def over_limit(process: subprocess.Popen, limits: dict[str, float | None]) -> Ending | None:
    """Wait for the command; which limit it exceeded, or None if it came to its own end."""
    seconds, memory = limits.get("timeout_s"), limits.get("memory_gb")
    start = time.monotonic()
    while True:
        try:
            process.wait(timeout=POLL)
            return None
        except subprocess.TimeoutExpired:
            if seconds is not None and time.monotonic() - start > seconds:
                return "timeout", f"it ran longer than limits.timeout_s, which is {seconds:g}"
        held = resident(process.pid) / GIB if memory is not None else 0
        if memory is not None and held > memory:
            reason = f"it held {held:.3g} GiB, but limits.memory_gb is {memory:g}"
            return "failed", f"out of memory: {reason}"


def resident(pid: int) -> int:
    """Bytes that a process and its descendants hold in memory."""
    total = 0
    try:
        job = warm.about(pid)
        leader = psutil.Process(job["process"] if job else pid)
        for process in (leader, *leader.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:  # ended meanwhile; the next look sees what is left
        pass
    return total


def crash(returncode: int, killed_for_memory: bool) -> Ending | None:
    """What a signal says of a fit that nobody ended; None if it says nothing."""
    if returncode >= 0:
        return None
    number = signal.Signals(-returncode)
    if number == signal.SIGKILL and killed_for_memory:
        return "failed", "out of memory: the system killed it, and counts that under oom_kill"
    if number in CRASHES:
        return "failed", f"it crashed in native code: {number.name}, {signal.strsignal(number)}"
    return None


def oom_kills() -> int:
    """How often Linux has killed for want of memory since it started; 0 on other systems."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def told(status: str, reason: str, pid: int) -> str:
    """What `--ended` takes: an ending, and what the command has spent."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    ended: dict[str, Any] = {"status": status, "reason": reason}
    ended["cpu"] = round(spent.ru_utime + spent.ru_stime, 3)
    ended["memory_mb"] = round(spent.ru_maxrss / unit, 1)
    if (job := warm.about(pid)) and "cpu" in job:
        ended |= {key: job[key] for key in ("cpu", "memory_mb")}
    return json.dumps(ended)


def _abort(returncode: int) -> str:
    name = signal.Signals(-returncode).name
    return f"ended from outside by {name}; nothing is recorded, so run it again"


if __name__ == "__main__":
    main()
