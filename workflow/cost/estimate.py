"""Estimate the time of a run's remaining jobs from jobs that were measured."""

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from workflow.common.command_line import argument_parser, plain_errors
from workflow.cost import costs, method_estimates, timetable
from workflow.cost.jobs import Job, planned

Expected = list[tuple[Job, costs.Cost | None]]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--config", required=True, type=json.loads, help="merged, JSON")
    parser.add_argument("--reference", required=True, type=Path, help="measurements of a demo, CSV")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        jobs = planned(options.config)
        with options.reference.open(newline="") as file:
            reference = costs.from_rows(csv.DictReader(file))
        expected_of = costs.Expectation(costs.measurements(jobs), reference)
        estimates = [(job, expected_of(job)) for job in jobs if job.pending]
        pending = with_method_estimates(estimates)
        remaining, run = f"{len(pending)} of {len(jobs)}", options.config["run"]
        print(f"run {run}: {remaining} trainings, draws and judgements are still to be made\n")
        if pending:
            print(message(pending))


def with_method_estimates(pending: Expected) -> Expected:
    """Replace guesses by the estimates of the methods themselves."""
    guessed = [n for n, (_, cost) in enumerate(pending) if cost is None or cost.basis == "guessed"]
    answers = method_estimates.seconds([pending[n][0] for n in guessed])
    timings = {guessed[index]: seconds for index, seconds in answers.items()}
    return [
        (job, timed(timings[n], cost) if n in timings else cost)
        for n, (job, cost) in enumerate(pending)
    ]


def timed(seconds: float, guess: costs.Cost | None) -> costs.Cost:
    """Cost by the method's estimate of training; all else is taken from the guess."""
    if guess is None:
        return costs.Cost(seconds, None, "timed", 0.0)
    return costs.Cost(seconds + guess.beside, guess.memory_mb, "timed", guess.beside)


def message(pending: Expected) -> str:
    """Tables of the costs by method and rule, and of the total by cores, with explanations."""
    expected = [(job, cost.seconds) for job, cost in pending if cost]
    cores = sorted({1, 2, 4, 8, 16, os.cpu_count() or 1})
    totals = [(n, duration(3600 * timetable.hours(expected, n))) for n in cores]
    header = ["method", "rule", "jobs", "s each", "MB", "total", "basis"]
    parts = [
        tabulate(cost_rows(pending), header, floatfmt=".1f", missingval="-"),
        tabulate(totals, ["cores", "takes"]),
    ]
    if missing := len(pending) - len(expected):
        parts.append(f"No measurement of {missing} jobs: the totals leave them out.")
    if not any(job.gpu for job, _ in pending):
        parts.append("For a GPU, estimate with a configuration that has `device: gpu`.")
    return "\n\n".join([*parts, NOTE])


NOTE = (
    "measured: the same work, on the machine of the measurement; scaled: the same model, in\n"
    "proportion to the images it sees; timed: by a few training steps, just now; guessed: from\n"
    "other models of the method or rule. Tables, figures and pages add seconds each."
)


def cost_rows(pending: Expected) -> list[list[object]]:
    """One row for every method and rule, the most expensive first."""
    groups: dict[tuple[str, str], list[costs.Cost | None]] = {}
    for job, cost in pending:
        groups.setdefault((job.wildcards.get("method", ""), job.rule), []).append(cost)
    lines = []
    for (method, rule), group in groups.items():
        estimated = [cost for cost in group if cost]
        total = sum(cost.seconds for cost in estimated)
        memory = max((cost.memory_mb or 0 for cost in estimated), default=0)
        each = total / len(estimated) if estimated else None
        in_all = duration(total) if estimated else None
        lines.append(
            (total, [method, rule, len(group), each, round(memory) or None, in_all, basis(group)])
        )
    return [line for _, line in sorted(lines, key=lambda line: -line[0])]


def basis(expected: Sequence[costs.Cost | None]) -> str:
    """Count the jobs by the basis of their estimates."""
    names = [cost.basis if cost else "no measurement" for cost in expected]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    if len(counts) == 1:
        return names[0]
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def duration(seconds: float) -> str:
    """Write a duration, as in `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    main()
