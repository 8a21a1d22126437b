"""Time one step of online EM of a sum-product network, ours against the textbook's einsums.

    python -m benchmarks.spn_step                              # the table, about 3 minutes
    python -m benchmarks.spn_step --cases RAT-10-4-10 PD-40    # RAT-K-D-R, or PD-K with delta 7
    python -m benchmarks.spn_step --grid --out grid.csv        # ours alone, the paper's whole grid

Images of 28x28 random bytes, binomial leaves, batch 100. Every case runs in a process of its own,
alternating with its competitor. A step of the textbook includes the binomial coefficients, which
ours takes out of training because no parameter depends on them. CPU time is less disturbed by
other programs than wall time; an epoch is 450 steps, 45,000 images.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

CASES = ("RAT-10-4-10", "RAT-20-5-10", "RAT-40-1-10", "PD-10", "PD-40")
ASKED = dict(zip(CASES, (4.5, 9, 25, 4, 3.5), strict=True))
STEPS = 450
GRID_COLUMNS = (
    "case", "parameters", "step_cpu_s", "step_wall_s", "epoch_s", "peak_mb", "grown_mb",
    "estimated_mb", "steps", "threads",
)  # fmt: skip


def main() -> None:
    """Print a Markdown table, or fill the grid's CSV."""
    arguments = _arguments()
    if arguments.case:
        print(json.dumps(measure(*arguments.case, arguments)))
    elif arguments.grid:
        grid(arguments)
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Ours against the textbook."""
    print(f"{arguments.threads} threads, batch 100; medians of {arguments.rounds} rounds")
    print("| case | parameters | textbook CPU ms | ours CPU ms | ratio | asked | textbook wall ms"
          " | ours wall ms | wall ratio | textbook MB | ours MB | MB ratio |")  # fmt: skip
    print("|---|---" + "|---:" * 10 + "|")
    for case in arguments.cases:
        rounds = [
            [run_case(case, formulation, arguments) for formulation in ("ours", "textbook")]
            for _ in range(arguments.rounds)
        ]
        ours, plain = map(pool, zip(*rounds, strict=True))
        print(
            f"| {case} | {ours['parameters']:,} "
            f"| {1e3 * plain['cpu']:.1f} | {1e3 * ours['cpu']:.2f} "
            f"| {plain['cpu'] / ours['cpu']:.1f} | {ASKED.get(case, '')} "
            f"| {1e3 * plain['wall']:.1f} | {1e3 * ours['wall']:.2f} "
            f"| {plain['wall'] / ours['wall']:.1f} "
            f"| {plain['peak_mb']:.0f} | {ours['peak_mb']:.0f} "
            f"| {plain['peak_mb'] / ours['peak_mb']:.1f} |",
            flush=True,
        )


def pool(rounds: tuple[dict, ...]) -> dict:
    """Medians over the steps of all rounds, and the highest memory."""
    return {
        "parameters": rounds[0]["parameters"],
        "cpu": statistics.median(t for r in rounds for t in r["cpu"]),
        "wall": statistics.median(t for r in rounds for t in r["wall"]),
        "peak_mb": max(r["peak_mb"] for r in rounds),
    }


def grid(arguments: argparse.Namespace) -> None:
    """One row for each point, cheapest first; rows that are there already stay."""
    path = Path(arguments.out)
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            done = {row["case"] for row in csv.DictReader(file)}
    else:
        write_row(path, GRID_COLUMNS)
    for case in sorted(grid_cases() - done, key=operations):
        result = run_case(case, "ours", arguments)
        if "refused" in result:
            print(f"{case}: left out, {result['refused']}", flush=True)
            continue
        cpu, wall = statistics.median(result["cpu"]), statistics.median(result["wall"])
        row = (
            case, result["parameters"], f"{cpu:.4g}", f"{wall:.4g}",
            f"{STEPS * min(cpu, wall):.4g}", round(result["peak_mb"]), round(result["grown_mb"]),
            round(result["estimated_mb"]), len(result["cpu"]), arguments.threads,
        )  # fmt: skip
        write_row(path, row)
        print(*row, flush=True)


def grid_cases() -> set[str]:
    """The paper's grid, and the points for a CPU."""
    points = {
        *product((5, 20, 40), (1, 5, 9), (10, 25, 40)),
        *product((5, 10, 20), (1, 4, 5), (10,)),
    }
    return {f"RAT-{k}-{d}-{r}" for k, d, r in points} | {f"PD-{k}" for k in (5, 10, 20, 40)}


def operations(case: str) -> int:
    """Multiplications of leaves and of sums, roughly."""
    k, *tree = map(int, case.split("-")[1:])
    depth, repetitions = tree or (3, 1)
    return repetitions * (784 * k + 2**depth * k**3)


def write_row(path: Path, row: tuple) -> None:
    with path.open("a", newline="") as file:
        csv.writer(file).writerow(row)


def run_case(case: str, formulation: str, arguments: argparse.Namespace) -> dict:
    """Measure in a fresh process. This one stays small: a child's peak memory includes it."""
    command = [sys.executable, "-m", "benchmarks.spn_step", "--case", case, formulation]
    for name in ("threads", "seconds", "memory"):
        command += [f"--{name}", str(getattr(arguments, name))]
    environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def measure(case: str, formulation: str, arguments: argparse.Namespace) -> dict:
    """CPU and wall seconds of every step after the first, and peak resident memory."""
    import torch

    from baselines.einet import cost
    from baselines.einet.families import Binomial

    torch.set_num_threads(arguments.threads)
    graph, components = structure(case)
    estimate = cost.estimated_memory(graph, components, Binomial())
    if estimate > 1e9 * arguments.memory:
        return {"refused": f"it needs {estimate / 1e9:.1f} GB and --memory is {arguments.memory:g}"}
    generator = torch.Generator().manual_seed(0)
    batches = torch.randint(0, 256, (10, 100, 784), generator=generator).float()
    program = peak_mb()
    learn = prepare(graph, components, formulation)
    learn(batches[0])
    cpu, wall = [], []
    end = time.perf_counter() + arguments.seconds
    while not cpu or time.perf_counter() < end:
        x = batches[len(cpu) % len(batches)]
        start = time.process_time(), time.perf_counter()
        learn(x)
        cpu.append(time.process_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    return {
        "parameters": cost.count_parameters(graph, components, Binomial()),
        "cpu": cpu,
        "wall": wall,
        "peak_mb": peak_mb(),
        "grown_mb": peak_mb() - program,
        "estimated_mb": estimate / 1e6,
    }


def structure(case: str) -> tuple:
    """Region graph over 28x28 pixels, and K."""
    from baselines.einet.region_graph import poon_domingos, random_binary_trees

    components, *tree = map(int, case.split("-")[1:])
    if case.startswith("PD"):
        return poon_domingos((28, 28), 7, axes=(1,)), components
    return random_binary_trees((28, 28), *tree), components


def prepare(graph, components: int, formulation: str) -> Callable:
    """A function that learns from one batch [100, 784]."""
    from baselines.einet import learning
    from baselines.einet.circuit import Circuit
    from baselines.einet.families import Binomial
    from benchmarks.spn_textbook import Textbook

    circuit = Circuit(graph, components, Binomial())
    if formulation == "textbook":
        return Textbook(circuit).learn  # the circuit itself is freed
    rule = learning.OnlineEM(circuit, 0.1)
    return lambda x: learning.learn(circuit, x, rule)


def peak_mb() -> float:
    """Highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=CASES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="per process, after a first step"
    )
    parser.add_argument("--rounds", type=int, default=3, help="processes a case and formulation")
    parser.add_argument("--grid", action="store_true", help="ours alone, every point of the grid")
    parser.add_argument(
        "--out", default="spn_grid.csv", help="rows of --grid, added to what is there"
    )
    parser.add_argument("--memory", type=float, default=20.0, help="GB; dearer points are left out")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
