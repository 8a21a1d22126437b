"""Make the results of the plan that are not published yet, stage by stage and seed by seed.

A thin wrapper of Snakemake: every stage of results/reference/plan.yaml is one call per seed, whose
results are collected when it ends, even by Ctrl-C. Started again, here or in another clone, it
resumes with what is not published yet.
"""

import subprocess
import sys
from collections.abc import Iterable

from workflow.common.command_line import argument_parser, plain_errors
from workflow.publish import archive, collect
from workflow.publish.reference import Reference, Stage, load, missing

LAUNCH = [sys.executable, "-m", "workflow.run.launch"]


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
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
        reference = reference._replace(stages=_numbered(reference.stages, options.stages))
        if options.dry_run:
            print("\n".join(missing_by_stage(reference, seeds)))
        else:
            make(reference, seeds, options.snakemake)


def _numbered(stages: list[Stage], numbers: list[int] | None) -> list[Stage]:
    """The stages with these numbers, counted from 1, in the plan's order; all for None."""
    if unknown := set(numbers or ()) - set(range(1, len(stages) + 1)):
        raise ValueError(f"--stages {unknown.pop()}: the plan has 1 to {len(stages)}")
    return [stage for n, stage in enumerate(stages, 1) if numbers is None or n in numbers]


def missing_by_stage(reference: Reference, seeds: Iterable[int]) -> Iterable[str]:
    """Say for every stage how many targets are missing."""
    published = archive.read(reference.folder)
    for stage in reference.stages:
        counts = [len(missing(reference, stage, seed, published)) for seed in seeds]
        yield f"{stage.name}: {sum(counts)} missing ({', '.join(map(str, counts))} by seed)"


def make(reference: Reference, seeds: Iterable[int], arguments: list[str]) -> None:
    """Run every stage, collecting after each; a failed fit leaves a record and stops nothing."""
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
    """Run a command; on Ctrl-C, which it receives too, wait until it ends."""
    with subprocess.Popen(command) as process:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


if __name__ == "__main__":
    main()
