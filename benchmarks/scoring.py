"""Time the forward mode: the scores of every cGMM layer for 10,000 images of full size.

    python -m benchmarks.scoring
    python -m benchmarks.scoring --threads 1 --instances F

Every case runs in a process of its own, on instances of Table V with their initial parameters;
times are medians after compilation, `clock` those of the wall, `processor` summed over threads. The
floor is the time that the two matrix products of every layer, 4 N P K D operations, would take at
the rate of a large square product measured beforehand in the same process.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

IMAGES = 10_000


def main() -> None:
    """Measure every requested case and print a Markdown table."""
    arguments = _arguments()
    if arguments.case:
        print(json.dumps(measure(*arguments.case, arguments.threads, arguments.repeats)))
        return
    print(f"{arguments.threads} threads, {IMAGES:,} images; medians of {arguments.repeats}")
    print("| instance | recipe | clock s | processor s | GFLOP/s of products | floor s | x floor |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for instance in arguments.instances:
        for recipe in arguments.recipes:
            print(row(instance, recipe, run_case([instance, recipe], arguments)), flush=True)


def row(instance: str, recipe: str, case: dict[str, float]) -> str:
    """One line of the table."""
    return (
        f"| {instance} | {recipe} | {case['clock']:.2f} | {case['processor']:.2f} "
        f"| {case['rate']:.0f} | {case['floor']:.2f} | {case['clock'] / case['floor']:.1f} |"
    )


def run_case(case: list[str], arguments: argparse.Namespace) -> dict[str, float]:
    """Measure one case in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.scoring", "--case", *case]
    command += ["--threads", str(arguments.threads), "--repeats", str(arguments.repeats)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def measure(instance: str, recipe: str, threads: int, repeats: int) -> dict[str, float]:
    """Median seconds of scoring, and the floor by this process's own rate of products."""
    from benchmarks import step_time

    step_time.limit_threads(threads)
    rate = step_time.product_rate()
    from dcgmm import DCGMM

    model = DCGMM.from_instance(instance, recipe)
    model.network.fitted = True  # what the parameters are makes no difference to the time
    images = step_time.random_images(IMAGES)
    model.score_layers(images[:100])  # compiles
    times = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        model.score_layers(images)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    clock, processor = (statistics.median(column) for column in zip(*times, strict=True))
    # A step of 100 images takes four products of each layer, scoring two of them.
    operations = step_time.operations(instance, recipe) / 2 * IMAGES / 100
    return {"clock": clock, "processor": processor, "rate": rate, "floor": operations / rate / 1e9}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", nargs="+", default=list("ABCDEFG"))
    parser.add_argument("--recipes", nargs="+", default=["released", "paper"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
