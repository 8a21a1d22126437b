"""Time the backward mode: sampling, sharpening, and in-painting over the number of cGMM layers.

    python -m benchmarks.generation
    python -m benchmarks.generation --threads 1 --instances F
    python -m benchmarks.generation --threads 1 --instances --csv results/reference/inpainting.csv

Every case runs in a process of its own, on instances of Table V with their initial parameters;
times are medians after compilation. In-painting is timed on stacks F(3,1)-G(25) with one to six
further layers F(1,1)-G(25), each of the same size, and fitted by a straight line; in processor
time, which other programs change least, so that the points of the line compare.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

STACKS = range(1, 8)


def main() -> None:
    """Measure every requested case and print two Markdown tables."""
    arguments = _arguments()
    if arguments.case:
        print(json.dumps(measure(*arguments.case, arguments.threads, arguments.repeats)))
        return
    print(f"{arguments.threads} threads; medians of {arguments.repeats}")
    print("| instance | 1,000 samples s | 100 samples, sharpened 300 times s | 100 in-painted s |")
    print("|---|---:|---:|---:|")
    for name in arguments.instances:
        times = [run_case([what, name], arguments) for what in ("sample", "sharpen", "inpaint")]
        print(f"| {name} | " + " | ".join(f"{seconds:.2f}" for seconds in times) + " |", flush=True)
    times = [run_case(["stack", str(count)], arguments) for count in STACKS]
    print("\n| cGMM layers | 100 in-painted ms | line ms |\n|---:|---:|---:|")
    slope, offset, explained = line(list(STACKS), times)
    for count, seconds in zip(STACKS, times, strict=True):
        print(f"| {count} | {1e3 * seconds:.1f} | {1e3 * (offset + slope * count):.1f} |")
    print(f"\n{1e3 * slope:.1f} ms a layer, R^2 = {explained:.4f}")
    if arguments.csv:
        write(arguments.csv, times)


def write(path: Path, times: list[float]) -> None:
    """The points of the line, for the claim that in-painting is linear in depth."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["layers", "milliseconds"])
        rows.writerows(
            [n, f"{1e3 * seconds:.1f}"] for n, seconds in zip(STACKS, times, strict=True)
        )


def line(x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Slope, offset and coefficient of determination of the least-squares line."""
    slope, offset = statistics.linear_regression(x, y)
    return slope, offset, statistics.correlation(x, y) ** 2


def run_case(case: list[str], arguments: argparse.Namespace) -> float:
    """Measure one case in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.generation", "--case", *case]
    command += ["--threads", str(arguments.threads), "--repeats", str(arguments.repeats)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def measure(what: str, which: str, threads: int, repeats: int) -> float:
    """Median seconds of a case."""
    from benchmarks.step_time import limit_threads

    limit_threads(threads)
    run = prepare(what, which)
    run()  # compiles
    clock = time.process_time if what == "stack" else time.perf_counter
    times = []
    for _ in range(repeats):
        start = clock()
        run()
        times.append(clock() - start)
    return statistics.median(times)


def prepare(what: str, which: str) -> Callable:
    """What is timed."""
    import numpy as np

    from benchmarks.step_time import random_images
    from dcgmm import DCGMM

    if what == "stack":
        model = DCGMM("-".join(["F(3,1)-G(25)"] + ["F(1,1)-G(25)"] * (int(which) - 1)))
    else:
        model = DCGMM.from_instance(which)
    model.network.fitted = True  # what the parameters are makes no difference to the time
    if what == "sample":
        return lambda: model.sample(1000)
    if what == "sharpen":
        return lambda: model.sample(100, sharpen=True)
    images, known = random_images(100), np.zeros((28, 28, 1), bool)
    known[:, :14] = True
    return lambda: model.inpaint(images, known)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", nargs="*", default=list("ACEF"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--csv", type=Path, help="to write the times of in-painting stacks to")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
