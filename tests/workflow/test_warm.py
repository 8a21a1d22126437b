"""Warm jobs: what a server runs ends like what Python runs, and nothing outlives its client."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "workflow/warm/client.py"
JOB = """
import os, signal, sys, time
match sys.argv[1]:
    case "tell":
        print(os.getpid(), os.getppid(), os.getcwd(), os.environ["WORD"], sys.argv[2:], __name__)
        print("to the other", file=sys.stderr)
    case "exit":
        sys.exit(7)
    case "raise":
        raise KeyError("lost")
    case "die":
        os.kill(os.getpid(), signal.SIGKILL)
    case "sleep":
        print(os.getpid(), flush=True)
        time.sleep(600)
"""


class Warm:
    """A run's folder with its lifeline, and jobs that are started in it."""

    def __init__(self, process, folder):
        self.process, self.folder = process, folder
        self.run = Path(process.stdout.readline().strip())
        (folder / "job.py").write_text(JOB)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.variables = os.environ | {
            "PYTHONPATH": f"{ROOT}:{folder}",
            "PATH": path,
            "WARM_SERVERS": str(self.run),
        }

    def start(self, *arguments, kind="fake", before=(), **variables):
        """A job of the module `job`; its streams go to files, as Snakemake has it."""
        output = self.folder / f"{time.monotonic_ns()}.log"
        with output.open("w") as file:
            process = subprocess.Popen(
                [*before, sys.executable, "-IS", CLIENT, kind, "job", *arguments],
                cwd=self.folder,
                env=self.variables | variables,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return process, output

    def finish(self, *arguments, **options):
        """Exit status and output of a job."""
        process, output = self.start(*arguments, **options)
        return process.wait(60), output.read_text()


@pytest.fixture
def warm(tmp_path):
    """A run that has allowed warm jobs, in a process of its own."""
    allow = "from workflow import warm; import os, sys; warm.allow();"
    allow += "print(os.environ[warm.FOLDER], flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", allow], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        yield (warm := Warm(process, tmp_path))
        process.stdin.close()
        process.wait(60)
    assert not warm.run.exists()


def told(output):
    """Process and parent that a job named."""
    return output.split()[:2]


def gone(process):
    """Whether a process ends, soon."""
    for _ in range(600):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 0)
            state = Path(f"/proc/{process}/stat")
            if not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.1)
                continue
        return True
    return False


def test_jobs_are_processes_of_one_server(warm):
    first, second = (warm.finish("tell", "a b", WORD=word) for word in ("one", "two"))
    assert first[0] == second[0] == 0
    assert f"{warm.folder} one ['a b'] __main__" in first[1]
    assert f"{warm.folder} two ['a b'] __main__" in second[1]
    assert "to the other" in first[1]
    assert told(first[1])[0] != told(second[1])[0], "a process each"
    assert told(first[1])[1] == told(second[1])[1], "of the same parent"


def test_who_reads_a_job_to_its_end_does_not_wait_for_the_server(warm):
    (warm.folder / "job.py").write_text("print('all')")
    command = [sys.executable, "-IS", CLIENT, "fake", "job"]
    read = subprocess.run(
        command, cwd=warm.folder, env=warm.variables, capture_output=True, text=True, timeout=60
    )
    assert (read.returncode, read.stdout, read.stderr) == (0, "all\n", "")


def test_many_at_once_have_one_server(warm):
    jobs = [warm.start("tell", WORD="x") for _ in range(8)]
    assert [process.wait(60) for process, _ in jobs] == [0] * 8
    assert len({told(output.read_text())[1] for _, output in jobs}) == 1


def test_a_job_runs_the_code_as_it_is_now(warm):
    warm.finish("tell", WORD="x")
    (warm.folder / "job.py").write_text("print('edited')")
    assert warm.finish("tell", WORD="x") == (0, "edited\n")


@pytest.mark.parametrize(
    ("what", "status", "says"),
    [("exit", 7, ""), ("raise", 1, "KeyError: 'lost'"), ("die", -signal.SIGKILL, "")],
)
def test_a_job_ends_as_it_would_alone(warm, what, status, says):
    code, output = warm.finish(what)
    assert code == status
    assert says in output
    assert warm.finish("tell", WORD="x")[0] == 0, "and the server goes on"


def test_kinds_have_servers_of_their_own(warm):
    one, other = (warm.finish("tell", WORD="x", kind=kind)[1] for kind in ("fake", "fake,A=1"))
    assert told(one)[1] != told(other)[1]


def test_a_job_ends_with_its_client(warm):
    process, output = warm.start("sleep")
    while not output.read_text():
        time.sleep(0.05)
    job = int(output.read_text())
    assert job != process.pid
    process.kill()
    process.wait()
    assert gone(job)


def test_servers_end_with_the_run_but_not_before_their_jobs(warm):
    server = int(told(warm.finish("tell", WORD="x")[1])[1])
    process, output = warm.start("sleep")
    while not output.read_text():
        time.sleep(0.05)
    warm.process.kill()
    warm.process.wait()
    assert process.poll() is None
    process.kill()
    process.wait()
    assert gone(server)
    code, alone = warm.finish("tell", WORD="x")
    assert code == 0
    assert told(alone)[1] == str(os.getpid()), "without a server, the client is the job"
    shutil.rmtree(warm.run)  # which a run that is killed leaves
