"""Where the time of a finished run went: seconds of every rule, and the longest chain of jobs.

    python -m benchmarks.suite results/demo

Reads what Snakemake keeps of every job in `.snakemake/metadata`: when it started, when its output
was whole, and its inputs. A file that was made again counts as it was made last, so profile a run
that was made in one go.
"""

import argparse
import base64
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

BY_METHOD = ("fit", "fit_classes", "draws", "class_samples")  # rules that are listed by method


@dataclass
class Job:
    """One job of a run; times are seconds since 1970."""

    rule: str
    log: str
    start: float
    end: float
    inputs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        """From its start until its last output was whole."""
        return self.end - self.start

    @property
    def kind(self) -> str:
        """The rule, and the method where that makes the difference."""
        method = self.log.split("/log/", 1)[1].split("/")[1] if self.rule in BY_METHOD else ""
        return f"{self.rule} {method}".rstrip()


def main() -> None:
    """Print the profile as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run, as in results/demo")
    run = parser.parse_args().run
    jobs = read(run)
    span = max(job.end for job in jobs) - min(job.start for job in jobs)
    total = sum(job.seconds for job in jobs)
    at_a_time = f"{total / span:.2f} at a time"
    print(f"{len(jobs)} jobs in {span:.0f} s; {total:.0f} s of jobs, {at_a_time}\n")
    print(f"Processor time of all fits: {processor_time(run):.0f} s\n")
    print("| rule | jobs | seconds | a job | longest |\n|---|---:|---:|---:|---:|")
    for kind, of_kind in by_kind(jobs):
        times = [job.seconds for job in of_kind]
        mean = sum(times) / len(times)
        print(f"| {kind} | {len(times)} | {sum(times):.1f} | {mean:.2f} | {max(times):.1f} |")
    path = critical_path(jobs)
    print(f"\nLongest chain: {sum(job.seconds for job in path):.0f} s")
    for job in path:
        print(f"- {job.seconds:.1f} s  {job.log}")


def read(run: Path) -> list[Job]:
    """The jobs of a run.

    Raises:
        SystemExit: if Snakemake has kept nothing of it.
    """
    folder = run.parents[1] / ".snakemake" / "metadata"
    jobs: dict[str, Job] = {}
    for path in folder.rglob("*") if folder.is_dir() else ():
        if not path.is_file():
            continue
        record = json.loads(path.read_text("utf-8"))
        (log,) = record["log"] or [""]
        if f"results/{run.name}/log/" not in log:
            continue
        start, end = record["starttime"], record["endtime"]
        job = jobs.setdefault(log, Job(record["rule"], log, start, end))
        job.start, job.end = min(job.start, start), max(job.end, end)
        job.inputs |= set(record["input"])
        job.outputs.add(_name(path.relative_to(folder)))
    if not jobs:
        sys.exit(f"python -m benchmarks.suite: {folder} tells of no job of {run}; run it first")
    return list(jobs.values())


def processor_time(run: Path) -> float:
    """Seconds that all fits took of a processor, which other programs disturb but little."""
    records = (json.loads(path.read_text("utf-8")) for path in run.glob("fit/*/*/*/*/*/fit.json"))
    return sum(record["seconds"]["cpu"] for record in records)


def by_kind(jobs: list[Job]) -> list[tuple[str, list[Job]]]:
    """Jobs by rule (and method), those first that took longest together."""
    kinds = defaultdict(list)
    for job in jobs:
        kinds[job.kind].append(job)
    return sorted(kinds.items(), key=lambda item: -sum(job.seconds for job in item[1]))


def critical_path(jobs: list[Job]) -> list[Job]:
    """The longest chain of jobs of which each needs the one before, first to last.

    No number of cores makes the run shorter than this.
    """
    makers = {output: job for job in jobs for output in job.outputs}
    best: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.start):  # so what a job needs comes before it
        needed = (best[makers[name].log] for name in job.inputs if name in makers)
        best[job.log] = [*max(needed, key=_seconds, default=[]), job]
    return max(best.values(), key=_seconds)


def _seconds(path: list[Job]) -> float:
    return sum(job.seconds for job in path)


def _name(path: Path) -> str:
    """The output that a file of the metadata is named after: base64, in parts where it is long."""
    return base64.urlsafe_b64decode("".join(part.removeprefix("@") for part in path.parts)).decode()


if __name__ == "__main__":
    main()
