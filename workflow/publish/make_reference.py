"""Make what is published and still missing: stage by stage, seed by seed, until it is stopped.

A thin wrapper of Snakemake: every stage of results/reference/plan.yaml is one call a seed, and what
a call has made is collected when it ends, even by Ctrl-C. Started again, here or in another clone,
it goes on with what is not published yet.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable

from workflow.common.command_line import plain_errors
from workflow.publish import archive, collect
from workflow.publish.reference import Reference, Stage, load, missing

LAUNCH = [sys.executable, "-m", "workflow.run.launch"]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.publish.make_reference", description=__doc__
    )
    parser.add_argument("--seeds", nargs="+", type=int, help="of those in the plan; default: all")
    parser.add_argument("--stages", nargs="+", type=int, help="their numbers; default: all")
    parser.add_argument("--dry-run", action="store_true", help="say what is missing, run nothing")
    parser.add_argument("snakemake", nargs="*", help="arguments for Snakemake, behind --")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        reference = load()
        seeds = options.seeds or reference.config["seeds"]
        if unknown := set(seeds) - set(reference.config["seeds"]):
            raise ValueError(f"--seeds {unknown.pop()}: the plan has {reference.config['seeds']}")
        reference = reference._replace(stages=_chosen(reference.stages, options.stages))
        if options.dry_run:
            print("\n".join(lines_of(reference, seeds)))
        else:
            make(reference, seeds, options.snakemake)


def _chosen(stages: list[Stage], numbers: list[int] | None) -> list[Stage]:
    """The stages of these numbers, counted from 1, in the plan's order."""
    if unknown := set(numbers or ()) - set(range(1, len(stages) + 1)):
        raise ValueError(f"--stages {unknown.pop()}: the plan has 1 to {len(stages)}")
    return [stage for n, stage in enumerate(stages, 1) if numbers is None or n in numbers]


def lines_of(reference: Reference, seeds: Iterable[int]) -> Iterable[str]:
    """How much every stage lacks."""
    published = archive.read(reference.folder)
    for stage in reference.stages:
        counts = [len(missing(reference, stage, seed, published)) for seed in seeds]
        yield f"{stage.name}: {sum(counts)} missing ({', '.join(map(str, counts))} by seed)"


def make(reference: Reference, seeds: Iterable[int], arguments: list[str]) -> None:
    """Run every stage, and collect after each; a failed job is a record and stops nothing."""
    print(collect.collect(reference.run, reference))
    published = archive.read(reference.folder)
    for stage in reference.stages:
        for seed in seeds:
            targets = missing(reference, stage, seed, published)
            if not targets:
                continue
            print(f"{stage.name}, seed {seed}: {len(targets)} targets", flush=True)
            command = [*LAUNCH, *targets, "--configfile", reference.config_file, *arguments]
            try:
                _call(command)
            finally:
                print(collect.collect(reference.run, reference), flush=True)
            published = archive.read(reference.folder)


def _call(command: list[str]) -> None:
    """Run a command; on Ctrl-C, which it gets as well, let it end by itself."""
    with subprocess.Popen(command) as process:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


if __name__ == "__main__":
    main()
