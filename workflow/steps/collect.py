"""Add what a run of the plan has made to the published results, whose numbers are never replaced.

Takes the records of fits that the plan asks for, judges with their judgements, and the numbers
behind figures; neither models nor samples.
"""

import argparse
import shutil
from pathlib import Path

from workflow.evaluation import archive, files, reference
from workflow.evaluation.reference import Reference
from workflow.steps.cli import plain_errors

# Below results/<run>: files that are published as they are.
KEPT = ("judges/*/*/*.json", "figures/figure*.csv", "figures/figure*.json", "tables/selection.*")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.collect", description=__doc__)
    parser.add_argument("--run", required=True, type=Path, help="folder of the run's results")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        print(collect(options.run, reference.load()))


def collect(run: Path, target: Reference) -> str:
    """Collect a run; returns in words what was added.

    Raises:
        ValueError: for a record that is damaged, here or there, or was made with other settings
            than the plan's; nothing is written then.
    """
    out = target.folder
    published = archive.read(out)
    result = archive.merged(published, reference.of_plan(target, archive.of_run(run / "fit")))
    if result != published:
        archive.write(out, result)
    candidates = [path for pattern in KEPT for path in sorted(run.glob(pattern))]
    copied = [path for path in candidates if _copy(path, run, out)]
    return (
        f"{out}: {len(result)} records, {len(result) - len(published)} of them new; "
        f"{len(copied)} other files added"
    )


def _copy(path: Path, run: Path, out: Path) -> bool:
    """Copy a file unless one is published under its name; whether it was."""
    target = out / path.relative_to(run)
    if target.exists():
        return False
    with path.open("rb") as source, files.replacing(target) as copy:
        shutil.copyfileobj(source, copy)
    return True


if __name__ == "__main__":
    main()
