"""A killed run's lock is cleared and its jobs are ended; nobody else's ever are."""

import contextlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workflow.run import liveness

# A run: it begins, locks as Snakemake does, starts a job in a session of its own, and works on.
RUN = """
import subprocess, sys, time
from pathlib import Path
from workflow.run import liveness
alive = liveness.begin(Path.cwd(), sys.argv[1], ["snakemake"])
Path(".snakemake/locks").mkdir(exist_ok=True)
Path(".snakemake/locks/0.output.lock").write_text("a")
job = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(job.pid, flush=True)
time.sleep(60)
"""
LOCK = ".snakemake/locks/0.output.lock"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """As it was, since a run marks its own."""
    monkeypatch.setenv(liveness.MARK, "")


@pytest.fixture
def start(tmp_path):
    """Begins a run in a folder; it and its job end with the test."""
    runs, jobs = [], []

    def begin(folder=tmp_path, name="demo"):
        folder.mkdir(exist_ok=True)
        variables = os.environ | {"PYTHONPATH": str(Path.cwd())}
        command = [sys.executable, "-c", RUN, name]
        run = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE)
        job = psutil.Process(int(run.stdout.readline()))
        runs.append(run)
        jobs.append(job)
        return run, job

    yield begin
    for process in (*runs, *jobs):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    for run in runs:
        run.communicate()


def kill(run):
    run.kill()
    run.wait()


def ends(job):
    for _ in range(100):
        if not job.is_running() or job.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_a_dead_runs_lock_is_removed_and_its_job_ended(start, tmp_path, capsys):
    run, job = start()
    _, other = start(tmp_path / "elsewhere")
    kill(run)
    unfinished = tmp_path / "results/demo/.a.npz.0123.part"
    unfinished.parent.mkdir(parents=True)
    unfinished.touch()
    liveness.begin(tmp_path, "demo", ["snakemake", "-n"])
    assert (tmp_path / LOCK).exists() and job.is_running(), "a plan changes nothing"
    liveness.clear(tmp_path)
    assert not (tmp_path / LOCK).exists() and not unfinished.exists()
    assert ends(job) and other.is_running()
    said = capsys.readouterr().err
    assert said == "A run was killed here: removed its lock and ended 1 processes of its jobs.\n"


def test_a_live_run_keeps_its_lock_and_its_job(start, tmp_path):
    _, job = start()
    dead, orphan = start(name="other")
    kill(dead)
    for _ in range(3):
        liveness.clear(tmp_path)
        assert (tmp_path / LOCK).exists()
        assert job.is_running() and orphan.is_running(), "not told apart, so neither is ended"


def test_the_second_of_two_runs_that_die_leaves_nothing(start, tmp_path):
    for run in [start()[0], start(name="other")[0]]:
        kill(run)
    liveness.clear(tmp_path)
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("hosts", ["elsewhere\n", f"{platform.node()}\nelsewhere\n", "", "\udcff"])
def test_a_lock_of_another_machine_stays(start, tmp_path, hosts):
    run, job = start()
    kill(run)
    (tmp_path / ".snakemake/runs").write_text(hosts, errors="surrogateescape")
    liveness.clear(tmp_path)
    assert (tmp_path / LOCK).exists() and job.is_running()


def test_machines_are_forgotten_once_there_is_no_lock(tmp_path):
    state = tmp_path / ".snakemake"
    state.mkdir()
    (state / "runs").write_text("elsewhere\n")
    liveness.clear(tmp_path)
    alive = liveness.begin(tmp_path, "demo", ["snakemake"])
    assert (state / "runs").read_text() == f"{platform.node()}\n"
    for file in alive:
        file.close()


def test_without_such_locks_nothing_is_done(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError("no locks available")

    monkeypatch.setattr(liveness.fcntl, "flock", unsupported)
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / LOCK).write_text("a")
    liveness.clear(tmp_path)
    assert liveness.begin(tmp_path, "demo", ["snakemake"]) == []
    assert (tmp_path / LOCK).exists()


def test_a_second_run_of_the_same_results_is_told_to_wait(start, tmp_path):
    run, job = start()
    with pytest.raises(liveness.AliveError, match="another run is making results/demo in "):
        liveness.begin(tmp_path, "demo", ["/bin/snakemake", "all", "--cores", "2"])
    for free in (
        ("demo", ["snakemake", "-n"]),
        ("demo", ["snakemake", "--unlock"]),
        ("demo", ["estimate.py", "--run", "demo"]),
        ("other", ["snakemake"]),
    ):
        for file in liveness.begin(tmp_path, *free):
            file.close()
    assert run.poll() is None and job.is_running() and (tmp_path / LOCK).exists()
    kill(run)
    assert liveness.begin(tmp_path, "demo", ["snakemake"]), "the first is dead"


@pytest.mark.parametrize(
    ("arguments", "executes"),
    [
        ([], True),
        (["all", "--cores", "2", "--configfile", "config/cpu.yaml"], True),
        (["-j1", "--config", "run=n"], True),
        (["--notemp"], True),
        (["-Crun=mini"], True),
        (["-Rcomparison", "-j2"], True),
        (["-dn"], True),
        (["-npq"], False),
        (["-kn"], False),
        (["--dry"], False),
        (["--nolock"], False),
        (["-n"], False),
        (["-np", "table1"], False),
        (["--dry-run"], False),
        (["--dryrun"], False),
        (["table1", "--unlock"], False),
        (["--report=page.html"], False),
        (["--list-rules"], False),
    ],
)
def test_what_makes_nothing_is_told_from_what_does(arguments, executes):
    assert liveness.executes(arguments) is executes
