"""Kill a run at random moments, in every way, until it is done: are its results the same?

    make soak                                                 20 kills, minutes on 2 cores
    python -m tests.soak.kill_and_resume --kills 100 --seed 7

An undisturbed run goes first. Then a run in another copy of the suite is started again after every
kill, by nothing but the plain command; once it comes to its end, its CSVs must equal the
undisturbed ones byte for byte, but for the columns that tell of time and memory. A loss of power
cuts compiled programs short, too. If kills are left, it begins anew from nothing. Of such a run no
process, lock or `*.part` may remain.
"""

import argparse
import contextlib
import csv
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.workflow import conftest
from workflow.common import compiled
from workflow.run import liveness

OVERLAY = "tests/soak/soak.yaml"
RESULTS = "results/soak"
# What no two runs have in common.
MEASURED = {
    "seconds_fit", "seconds_score", "seconds_cpu", "memory_mb", "estimate_hours", "score_1000",
    "sample_1000",
}  # fmt: skip
WAYS = ("SIGTERM to Snakemake", "SIGKILL to Snakemake", "SIGKILL to its group", "power loss")
PATIENCE = 600  # seconds for one run to end by itself


def main() -> None:
    """Run the program; the exit status is 1 if a result differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kill_and_resume")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = (copied(Path(folder) / name) for name in ("undisturbed", "disturbed"))
        start = time.monotonic()
        if code := run(whole).wait(PATIENCE):
            sys.exit(f"the undisturbed run ended with {code}, see above")
        seconds = time.monotonic() - start
        expected = tables(whole)
        say(f"undisturbed: {seconds:.0f} s, {len(expected)} CSVs")
        kills, ends = dict.fromkeys(WAYS, 0), 0
        while sum(kills.values()) < options.kills or not ends:
            shutil.rmtree(broken / "results/soak", ignore_errors=True)
            shutil.rmtree(broken / ".snakemake", ignore_errors=True)
            left = options.kills - sum(kills.values())
            for way in disturbed(broken, chance, seconds, left):
                kills[way] += 1
            ends += 1
            check(broken, expected)
            say(f"end {ends}: {sum(kills.values())} kills so far, every CSV as it should be")
    say(", ".join(f"{number} x {way}" for way, number in kills.items()))


def copied(folder: Path) -> Path:
    """The suite in a folder of its own."""
    folder.mkdir()
    conftest.copy(folder)
    shutil.copytree(conftest.ROOT / "tests/soak", folder / "tests/soak")
    return folder


def run(folder: Path) -> subprocess.Popen:
    """The plain command, in a process group of its own; its words go to a file."""
    command = ["workflow/run/in_env.sh", "workflow", "snakemake", "--configfile", OVERLAY]
    with (folder / "run.log").open("a") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, process_group=0)


def disturbed(folder: Path, chance: random.Random, seconds: float, most: int) -> list[str]:
    """Start again and again until the run comes to its end, killing it on the way."""
    done = []
    while True:
        process = run(folder)
        try:
            code = process.wait(chance.uniform(2, seconds / 3) if len(done) < most else PATIENCE)
        except subprocess.TimeoutExpired:
            if len(done) == most:
                sys.exit(f"the run does not end:\n{tail(folder)}")
            way = chance.choice(WAYS)
            kill(process, way, folder, chance)
            done.append(way)
            say(f"kill {len(done)}: {way}")
            continue
        if code:
            sys.exit(f"after {done[-1]}, the plain command ended with {code}:\n{tail(folder)}")
        return done


def kill(process: subprocess.Popen, way: str, folder: Path, chance: random.Random) -> None:
    """End a run; only after a SIGTERM, which Snakemake answers by waiting for its jobs, wait."""
    if way == "SIGTERM to Snakemake":
        process.terminate()
    elif way == "SIGKILL to Snakemake":
        process.kill()
    elif way == "SIGKILL to its group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        for each in processes(folder):
            each.kill()
        process.kill()
        cut_short(folder, chance)
    process.wait(PATIENCE)


def cut_short(folder: Path, chance: random.Random) -> None:
    """What a loss of power does to files that were written but not yet on the disk.

    The environment is everybody's: what other programs are using has lost no power.
    """
    for users in folder.glob(f"envs/.venv/tensorflow/xla/*/{compiled.USERS}"):
        with users.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
    for entry in folder.glob("envs/.venv/tensorflow/xla/*/*.pb"):
        if chance.random() < 0.5:
            with contextlib.suppress(FileNotFoundError):
                os.truncate(entry, chance.randrange(entry.stat().st_size + 1))


def processes(folder: Path) -> list[psutil.Process]:
    """All that a run has started and that is alive."""
    return [
        process
        for process in psutil.process_iter()
        if liveness.marked_folder(process) == str(folder.resolve())
    ]


def tables(folder: Path) -> dict[str, list[list[str]]]:
    """Every CSV of the run, without the columns of what was measured."""
    content = {}
    for path in sorted((folder / RESULTS).rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        kept = [place for place, name in enumerate(rows[0]) if name not in MEASURED]
        name = str(path.relative_to(folder / RESULTS))
        content[name] = [[row[place] for place in kept] for row in rows]
    return content


def check(folder: Path, expected: dict[str, list[list[str]]]) -> None:
    """Stop at the first thing that is not as after an undisturbed run."""
    found = tables(folder)
    names = expected.keys() | found.keys()
    if differing := sorted(name for name in names if found.get(name) != expected.get(name)):
        sys.exit(f"other than undisturbed: {', '.join(differing)}")
    left = [*(folder / RESULTS).rglob("*.part"), *(folder / ".snakemake/locks").glob("*")]
    left += [process.pid for process in processes(folder)]
    if left:
        sys.exit(f"left behind: {', '.join(map(str, left))}")


def tail(folder: Path) -> str:
    """The last that the run said."""
    return "\n".join((folder / "run.log").read_text("utf-8").splitlines()[-40:])


def say(text: str) -> None:
    """Tell how it goes."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
