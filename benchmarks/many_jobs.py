"""Time what grows with the number of jobs: the plan, and the table of all records.

    python -m benchmarks.many_jobs                     # 1,000, 5,000 and 10,000
    python -m benchmarks.many_jobs --numbers 10000

The plan is a dry run of the demo with so many seeds that it has about as many jobs. The table is
what `workflow.fit.gather_records` makes of as many files; they repeat the record of a fit of F, the
largest, under other seeds. Each runs in a process of its own.
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
from dataclasses import dataclass
from pathlib import Path

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
    parser.add_argument("--record", type=Path, help="to repeat, as a run makes it: outliers.json")
    options = parser.parse_args()
    print("| what | number | s | s of processor | peak MB |\n|---|---:|---:|---:|---:|")
    jobs = {seeds: planned(seeds)[0] for seeds in (1, 2)}
    for number in options.numbers:
        seeds = 1 + round((number - jobs[1]) / (jobs[2] - jobs[1]))
        print(row("jobs planned", *planned(seeds)), flush=True)
    record = json.loads(options.record.read_text()) if options.record else example()
    for number in options.numbers:
        print(row("records gathered", number, gathered(number, record)), flush=True)


def planned(seeds: int) -> tuple[int, Cost]:
    """Number of jobs of the demo with as many seeds, and the cost of its dry run."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overlay:
        overlay.write(f"run: many-jobs\nseeds: {list(range(seeds))}\n")
        overlay.flush()
        cost = measured("snakemake", "--dry-run", "--quiet", "rules", "--configfile", overlay.name)
    return int(re.search(r"^total +(\d+)$", cost.printed, re.MULTILINE)[1]), cost


def gathered(number: int, record: dict) -> Cost:
    """The cost of one table of as many records."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(number):
            file = Path(folder, f"dcgmm/F-paper/mnist/not0/seed{seed}/outliers.json")
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(record | {"seed": seed}))
        seeds = map(str, range(number))
        step = [sys.executable, "-m", "workflow.fit.gather_records", "--root", folder]
        axes = ["--points", "dcgmm/F-paper", "--datasets", "mnist", "--classes", "not0"]
        out = ["--task", "outliers", "--out", f"{folder}/all.csv"]
        cost = measured(*step, *axes, "--seeds", *seeds, *out)
        written = Path(folder, "all.csv").read_bytes().count(b"\n") - 1
    assert written == number * len(record["metrics"]), f"{written} rows of {number} records"
    return cost


def example() -> dict:
    """The record that the tests have, with as many layers and settings as F has."""
    from dataclasses import asdict

    from dcgmm import notation, recipes
    from tests.example_record import point

    instance = recipes.instance("F", "paper")
    layers = [str(index) for index in notation.gmm_indices(instance.layers)]
    metrics = [
        {
            "metric": name,
            "evidence": "all",
            "layer": layer,
            "top": layer == layers[-1],
            "value": 0.5,
        }
        for name in ("auroc", "auc100")
        for layer in layers
    ]
    settings = {
        "instance": "F",
        "recipe": "paper",
        "layers": notation.write(instance.layers),
        "hyperparameters": asdict(instance.recipe),
    }
    return json.loads(json.dumps(point("F", settings=settings, metrics=metrics)))


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
