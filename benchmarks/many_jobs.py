"""Time what grows with the number of jobs: the plan, and the table of all records.

    python -m benchmarks.many_jobs                     # 1,000, 5,000 and 10,000
    python -m benchmarks.many_jobs --numbers 10000

The plan is a dry run of the demo with so many seeds, each a job, that it has about as many jobs.
The table is what `workflow.outliers.measure_outliers` makes of as many fits, which repeat one of F,
the largest, under other seeds: 10,000 scores for each of its layers. Each runs in a process of its
own.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dcgmm import notation, recipes
from tests.example_record import fit_of, point
from workflow.common import files
from workflow.fit import scores

ROOT = Path(__file__).parents[1]


@dataclass
class Cost:
    """What a program took, and what it printed."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    printed: str


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_jobs", description=__doc__)
    parser.add_argument("--numbers", type=int, nargs="+", default=[1_000, 5_000, 10_000])
    options = parser.parse_args()
    print("| what | number | s | s of processor | peak MB |\n|---|---:|---:|---:|---:|")
    jobs = {seeds: planned(seeds)[0] for seeds in (1, 2)}
    for number in options.numbers:
        seeds = 1 + round((number - jobs[1]) / (jobs[2] - jobs[1]))
        print(row("jobs planned", *planned(seeds)), flush=True)
    for number in options.numbers:
        print(row("fits measured", number, measured_fits(number)), flush=True)


def planned(seeds: int) -> tuple[int, Cost]:
    """Number of jobs of the demo with as many seeds, and the cost of its dry run."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overlay:
        overlay.write(f"run: many-jobs\nseeds_in_one_job: false\nseeds: {list(range(seeds))}\n")
        overlay.flush()
        cost = measured("snakemake", "--dry-run", "--quiet", "rules", "--configfile", overlay.name)
    return int(re.search(r"^total +(\d+)$", cost.printed, re.MULTILINE)[1]), cost


def measured_fits(number: int) -> Cost:
    """The cost of one table of as many fits."""
    fit, labels = fit_of(example()), np.arange(10_000) % 10
    layers = [str(index) for index in notation.gmm_indices(recipes.instance("F", "paper").layers)]
    test = {"all": {layer: np.random.default_rng(0).normal(size=10_000) for layer in layers}}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(number):
            place = Path(folder, f"dcgmm/F-paper/mnist/not0/seed{seed}")
            files.write_json(place / "fit.json", fit | {"seed": seed})
            scores.write(place / "scores.npz", fit | {"seed": seed}, labels, {"test": test})
        step = [sys.executable, "-m", "workflow.outliers.measure_outliers", "--root", folder]
        axes = ["--points", "dcgmm/F-paper", "--datasets", "mnist", "--classes", "not0"]
        seeds = map(str, range(number))
        cost = measured(*step, *axes, "--seeds", *seeds, "--out", f"{folder}/all.csv")
        written = Path(folder, "all.csv").read_bytes().count(b"\n") - 1
    assert written == number * 2 * len(layers), f"{written} rows of {number} fits"
    return cost


def example() -> dict:
    """The record that the tests have, with as many settings as F has."""
    instance = recipes.instance("F", "paper")
    settings = {
        "instance": "F",
        "recipe": "paper",
        "layers": notation.write(instance.layers),
        "hyperparameters": asdict(instance.recipe),
    }
    return json.loads(json.dumps(point("F", settings=settings)))


def measured(*command: str) -> Cost:
    """Run a program from the root of the repository.

    Raises:
        RuntimeError: with what it printed, if it fails.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        usage: resource.struct_rusage
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        output.seek(0)
        printed = output.read()
    if status:
        raise RuntimeError(printed)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed)


def row(what: str, number: int, cost: Cost) -> str:
    """One line of the table."""
    return (
        f"| {what} | {number:,} | {cost.seconds:.1f} | {cost.cpu_seconds:.1f} "
        f"| {cost.memory_mb:.0f} |"
    )


if __name__ == "__main__":
    main()
