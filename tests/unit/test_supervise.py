"""The supervisor: every way in which a command can end, by commands that do end so."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workflow.steps import supervise

# Does its mischief, or writes down how it was ended, as a step does.
COMMAND = """
import ctypes, os, signal, subprocess, sys, time
if "--ended" in sys.argv:
    open("ended", "w").write(sys.argv[sys.argv.index("--ended") + 1])
    raise SystemExit
open("pid", "w").write(str(os.getpid()))
"""
CHILD = "open('child', 'w').write(str(subprocess.Popen(['sleep', '60']).pid));"
HANG = "ctypes.PyDLL(None).sleep(60)"


def start(folder, mischief, **limits):
    arguments = ["--limits", json.dumps(limits), "--", sys.executable, "-c", COMMAND + mischief]
    return subprocess.Popen(
        [sys.executable, "-m", "workflow.steps.supervise", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it runs in the background ignore it, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(folder, mischief, **limits):
    """Exit status, how the command was ended if it was told, and what was said."""
    process = start(folder, mischief, **limits)
    _, said = process.communicate()
    told = folder / "ended"
    return process.returncode, json.loads(told.read_text()) if told.exists() else None, said


def gone(folder, name="pid"):
    """Whether the process that wrote its number there ends within seconds."""
    pid = int((folder / name).read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("status", [0, 7])
def test_the_exit_status_is_the_commands(tmp_path, status):
    assert run(tmp_path, f"sys.exit({status})", timeout_s=60, memory_gb=8)[:2] == (status, None)


def test_a_hang_in_native_code_is_ended_with_all_it_started(tmp_path):
    code, ended, _ = run(tmp_path, CHILD + HANG, timeout_s=1)
    assert (code, ended["status"]) == (0, "timeout")
    assert ended["reason"] == "it ran longer than limits.timeout_s, which is 1"
    assert ended["memory_mb"] > 1 and 0 < ended["cpu"] < 30
    assert gone(tmp_path) and gone(tmp_path, "child")


def test_memory_is_that_of_all_processes(tmp_path):
    half = "kept = bytes(150 * 2**20).replace(b'\\0', b'1');"
    fork = "pid = os.fork();"
    code, ended, _ = run(tmp_path, fork + half + HANG, memory_gb=0.25, timeout_s=60)
    assert (code, ended["status"]) == (0, "failed")
    assert ended["reason"].startswith("out of memory: it held 0.")
    assert ended["reason"].endswith("but limits.memory_gb is 0.25")


@pytest.mark.parametrize("number", ["SIGSEGV", "SIGABRT"])
def test_a_crash_in_native_code_is_told(tmp_path, number):
    code, ended, _ = run(tmp_path, f"os.kill(os.getpid(), signal.{number})")
    assert (code, ended["status"]) == (0, "failed")
    assert ended["reason"].startswith(f"it crashed in native code: {number}, ")


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
def test_who_is_ended_from_outside_leaves_no_record(tmp_path, number):
    code, ended, said = run(tmp_path, f"os.kill(os.getpid(), signal.{number})")
    assert (code, ended) == (1, None)
    assert said == f"ended from outside by {number}; nothing is recorded, so run it again\n"


def test_a_kill_that_the_system_counts_as_want_of_memory_is_told():
    assert supervise.crash(-signal.SIGKILL, True)[1].startswith("out of memory: the system")
    assert supervise.crash(-signal.SIGKILL, False) is None
    assert supervise.crash(-signal.SIGTERM, True) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_does_not_outlive_its_supervisor(tmp_path, number):
    if number == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux ends a process with its parent")
    process = start(tmp_path, HANG, timeout_s=60)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert gone(tmp_path) and not (tmp_path / "ended").exists()


def test_nothing_heavy_is_imported():
    heavy = "{'numpy', 'pandas', 'tensorflow', 'yaml'} & set(sys.modules)"
    program = f"import sys, workflow.steps.supervise; assert not {heavy}"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path.cwd())
