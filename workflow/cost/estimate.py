"""What the jobs that a run still lacks will take, from jobs that were measured."""

import argparse
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from workflow.common.command_line import plain_errors
from workflow.cost import costs, own_estimates, timetable
from workflow.cost.jobs import Job, planned

Expected = list[tuple[Job, costs.Cost | None]]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.cost.estimate", description=__doc__)
    parser.add_argument("--config", required=True, type=json.loads, help="merged, JSON")
    parser.add_argument("--reference", required=True, type=Path, help="what others measured, CSV")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        jobs = planned(options.config)
        with options.reference.open(newline="") as file:
            reference = costs.read(csv.DictReader(file))
        expected_of = costs.Expectation(costs.measurements(jobs), reference)
        pending = with_own([(job, expected_of(job)) for job in jobs if job.pending])
        left, run = f"{len(pending)} of {len(jobs)}", options.config["run"]
        print(f"run {run}: {left} trainings, draws and judgements are still to be made\n")
        if pending:
            print(text(pending))


def with_own(pending: Expected) -> Expected:
    """The same, with what methods expect themselves in place of guesses."""
    unsure = [n for n, (_, cost) in enumerate(pending) if cost is None or cost.basis == "guessed"]
    answers = own_estimates.seconds([pending[n][0] for n in unsure])
    timings = {unsure[place]: seconds for place, seconds in answers.items()}
    return [
        (job, timed(timings[n], cost) if n in timings else cost)
        for n, (job, cost) in enumerate(pending)
    ]


def timed(seconds: float, guess: costs.Cost | None) -> costs.Cost:
    """A training as its method expects it; what stands beside a training is as in the guess."""
    if guess is None:
        return costs.Cost(seconds, None, "timed", 0.0)
    return costs.Cost(seconds + guess.beside, guess.memory_mb, "timed", guess.beside)


def text(pending: Expected) -> str:
    """The whole message."""
    expected = [(job, cost.seconds) for job, cost in pending if cost]
    cores = sorted({1, 2, 4, 8, 16, os.cpu_count() or 1})
    totals = [(n, duration(3600 * timetable.hours(expected, n))) for n in cores]
    header = ["method", "rule", "jobs", "s each", "MB", "in all", "known by"]
    parts = [
        tabulate(rows(pending), header, floatfmt=".1f", missingval="-"),
        tabulate(totals, ["cores", "takes"]),
    ]
    if missing := len(pending) - len(expected):
        parts.append(f"No measurement of {missing} jobs: they are in no total.")
    if not any(job.gpu for job, _ in pending):
        parts.append("On a GPU: ask with a configuration that has `device: gpu`.")
    return "\n\n".join([*parts, NOTE])


NOTE = (
    "measured: the same work, on the machine that the measurement is of; scaled: the same model,\n"
    "in proportion to the images it sees; timed: by a few steps, just now; guessed: other\n"
    "models of the method or rule. Tables, figures and pages come on top, seconds each."
)


def rows(pending: Expected) -> list[list[object]]:
    """One line for every method and rule, the dearest first."""
    groups: dict[tuple[str, str], list[costs.Cost | None]] = {}
    for job, cost in pending:
        groups.setdefault((job.wildcards.get("method", ""), job.rule), []).append(cost)
    lines = []
    for (method, name), found in groups.items():
        known = [cost for cost in found if cost]
        total = sum(cost.seconds for cost in known)
        memory = max((cost.memory_mb or 0 for cost in known), default=0)
        each = total / len(known) if known else None
        in_all = duration(total) if known else None
        lines.append(
            (total, [method, name, len(found), each, round(memory) or None, in_all, basis(found)])
        )
    return [line for _, line in sorted(lines, key=lambda line: -line[0])]


def basis(found: Sequence[costs.Cost | None]) -> str:
    """How many jobs are known by what."""
    names = [cost.basis if cost else "no measurement" for cost in found]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    if len(counts) == 1:
        return names[0]
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def duration(seconds: float) -> str:
    """As in `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    main()
