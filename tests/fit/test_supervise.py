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


def start(folder, mischief, marker="", **limits):
    arguments = ["--limits", json.dumps(limits), "--", sys.executable, "-c", COMMAND + mischief]
    return subprocess.Popen(
        [sys.executable, "-m", "workflow.fit.supervise", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "MARKER": marker},
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


@pytest.mark.parametrize("number", ["SIGSEGV", "SIGABRT", "SIGFPE"])
def test_a_crash_in_native_code_is_told(tmp_path, number):
    code, ended, _ = run(tmp_path, f"os.kill(os.getpid(), signal.{number})")
    assert (code, ended["status"]) == (0, "failed")
    assert ended["reason"].startswith(f"it crashed in native code: {number}, ")


OUTSIDE = ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGXCPU", "SIGXFSZ", "SIGBUS", "SIGILL"]


@pytest.mark.parametrize("number", OUTSIDE)
def test_who_is_ended_from_outside_leaves_no_record(tmp_path, number):
    default = f"signal.signal(signal.{number}, 0);" if number != "SIGKILL" else ""
    code, ended, said = run(tmp_path, f"{default}os.kill(os.getpid(), signal.{number})")
    assert (code, ended) == (1, None)
    assert said == f"ended from outside by {number}; nothing is recorded, so run it again\n"


@pytest.mark.parametrize("counts", [(3, 4), (3, 3)])
def test_a_kill_that_the_system_counts_as_want_of_memory_is_an_abort(tmp_path, counts):
    command = [sys.executable, "-c", f"{COMMAND}os.kill(os.getpid(), signal.SIGKILL)"]
    program = "import sys; from workflow.fit import supervise; "
    program += f"supervise.oom_kills = iter({counts}).__next__; supervise.main(sys.argv[1:])"
    result = subprocess.run(
        [sys.executable, "-c", program, "--limits", "{}", "--", *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, (tmp_path / "ended").exists()) == (1, False)
    lacked = result.stderr.startswith("out of memory: the system killed it")
    assert lacked is (counts == (3, 4))


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


# What tries to escape: it leaves the session, its parent, or both, or does not listen.
SETSID = "subprocess.Popen(['sleep', '60'], start_new_session=True);"
ORPHAN = "subprocess.Popen('setsid sleep 60 & exit', shell=True, start_new_session=True).wait();"
DEAF = "\nif not os.fork():\n  os.setsid(); signal.signal(15, signal.SIG_IGN); time.sleep(60)\n"
STOPPED = "\nif not os.fork():\n  os.setsid(); os.kill(os.getpid(), signal.SIGSTOP)\n"
REAPER = "ctypes.CDLL(None).prctl(36, 1);" + ORPHAN
SPRING = """
if not os.fork():
    os.setsid()
    while time.sleep(0.01) is None:
        if not os.fork():
            time.sleep(60)
"""
COMETS = """
until = time.monotonic() + 40
for _ in range(8):
    if not os.fork():
        while time.monotonic() < until:
            os.setsid()
            if os.fork():
                os._exit(0)
        os._exit(0)
"""
ESCAPES = SETSID + ORPHAN + REAPER + DEAF + STOPPED + SPRING
ENDS = {"timeout": ({"timeout_s": 2}, HANG), "end": ({}, ""), "crash": ({}, "os.abort()")}
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a subreaper")


def marked(marker):
    """Processes, zombies among them, that have a marker or a parent who has it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARKER") == marker:
                found.append((process.pid, process.status(), process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@only_linux
@pytest.mark.parametrize("escapes", [ESCAPES, COMETS])
@pytest.mark.parametrize("how", ENDS)
def test_no_descendant_outlives_the_command(tmp_path, escapes, how):
    limits, last = ENDS[how]
    marker = str(tmp_path)
    process = start(tmp_path, f"{escapes}\ntime.sleep(0.3);{last}", marker, **limits)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert marked(marker) == []


@only_linux
@pytest.mark.parametrize(
    ("whom", "number"),
    [("first", "SIGTERM"), ("first", "SIGINT"), ("first", "SIGKILL"), ("second", "SIGKILL")],
)
def test_no_descendant_outlives_the_run(tmp_path, whom, number):
    marker = str(tmp_path)
    mischief = SETSID + ORPHAN + DEAF + f"time.sleep(0.3); open('on', 'w'); {HANG}"
    process = start(tmp_path, mischief, marker, timeout_s=60)
    while not (tmp_path / "on").exists():
        time.sleep(0.02)
    assert len(marked(marker)) >= 5
    (second,) = psutil.Process(process.pid).children()
    os.kill(process.pid if whom == "first" else second.pid, signal.Signals[number])
    process.communicate(timeout=50)
    assert process.returncode != 0
    for _ in range(100):  # if the first is killed, the second cleans up behind it
        if not marked(marker):
            break
        time.sleep(0.05)
    assert marked(marker) == []
    assert not (tmp_path / "ended").exists()


@only_linux
def test_memory_of_orphans_counts(tmp_path):
    half = "kept = bytes(150 * 2**20).replace(b'\\0', b'1')"
    orphan = f"\nif not os.fork():\n  os.setsid()\n  if os.fork(): os._exit(0)\n  {half}; {HANG}\n"
    code, ended, _ = run(tmp_path, orphan + orphan + HANG, memory_gb=0.25, timeout_s=60)
    assert (code, ended["status"]) == (0, "failed")
    assert ended["reason"].startswith("out of memory: it held 0.")
    assert ended["memory_mb"] > 256


@only_linux
def test_orphans_that_have_ended_are_no_zombies(tmp_path):
    orphans = "subprocess.run('for i in 1 2 3 4 5; do setsid sleep 0.1 & done', shell=True);"
    process = start(tmp_path, orphans + "time.sleep(2); open('on', 'w');" + HANG, timeout_s=60)
    while not (tmp_path / "on").exists():
        time.sleep(0.02)
    found = psutil.Process(process.pid).children(recursive=True)
    assert psutil.STATUS_ZOMBIE not in {each.status() for each in found}
    process.terminate()
    process.communicate()


def test_the_command_is_told_what_was_so_before_it_began(tmp_path):
    code, ended, _ = run(tmp_path, "open('begun', 'w').write(sys.argv[-1]); os.abort()")
    assert (code, ended["status"]) == (0, "failed")
    assert json.loads((tmp_path / "begun").read_text()).keys() >= {"commit", "host", "locks"}


def test_nothing_heavy_is_imported():
    heavy = "{'numpy', 'pandas', 'tensorflow', 'yaml'} & set(sys.modules)"
    program = f"import sys, workflow.fit.supervise; assert not {heavy}"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path.cwd())
