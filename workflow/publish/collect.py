"""Add the results of a run of the plan to the published ones, whose numbers are never replaced.

Collects records of the fits in the plan, judges with their judgements, and the numbers behind
figures; neither models nor samples.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workflow.common import files, places
from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import measurement, records
from workflow.outliers import measure_held_out, measure_outliers
from workflow.plan import grid
from workflow.plan.table_fits import Key
from workflow.publish import archive, reference
from workflow.publish.reference import Reference
from workflow.training import measure_classification

JUDGEMENTS = "judgements.json"
MEASURES: dict[str, measurement.Measure] = {
    "outliers": measure_outliers.measure,
    "held_out": measure_held_out.measure,
    "classification": measure_classification.measure,
}

# Below results/<run>: files that are published as they are.
KEPT = (
    "judges/*/*/*.json", "figures/figure*.csv", "figures/.figure*.csv.sha256",
    "figures/figure*.json", "tables/selection.csv", "tables/selection.md",
    "tables/.selection.csv.sha256",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--run", required=True, type=Path, help="folder of the run's results")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        if not options.run.is_dir():
            raise ValueError(f"{options.run} is not the folder of a run")
        print(collect(options.run, reference.load()))


def collect(run: Path, target: Reference) -> str:
    """Collect a run; returns a sentence on what was added.

    A lock makes simultaneous collections wait for each other, so that no record is lost.

    Raises:
        ValueError: for a damaged record, in the run or in the archive, or one made with other
            settings than the plan's; nothing is written then.
    """
    out = target.folder
    with files.locked(out):
        published = archive.read(out)
        fits = planned_fits(run, target)
        result = archive.merged(published, measured(run, fits, published))
        archive.write(out, result)
        candidates = [path for pattern in KEPT for path in sorted(run.glob(pattern))]
        copied = [path for path in candidates if _publish(path, out / path.relative_to(run))]
    return (
        f"{out}: {len(result)} records, {len(result) - len(published)} of them new; "
        f"{len(copied)} other files added"
    )


def planned_fits(run: Path, target: Reference) -> list[Key]:
    """The fits of the plan that a run has made, with their tasks.

    Raises:
        ValueError: for one that is damaged, or was made on other images or with other settings than
            the plan's, published already or not: the run's figures are of such settings, too.
    """
    config = target.config
    points = {method: grid.points(method, config) for method in grid.methods(config)}
    points["dcgmm"] |= grid.ablated_points(config)
    made = []
    for task, fit in sorted(reference.planned_keys(config)):
        path = run / "fit" / fit.folder / places.FIT_RECORD
        if not path.is_file():
            continue
        record, point = records.read(path), points[fit.method][fit.grid_point]
        planned = {"source": config["source"]} | point["settings"] | point["training"]
        recorded = {"source": record["dataset"]["source"]} | record["settings"] | record["training"]
        if different := _different_settings(recorded, json.loads(json.dumps(planned))):
            raise ValueError(
                f"{path} was made with other settings ({', '.join(different)}) than "
                f"{reference.PLAN} asks for; remove it, or run in a clone of its own"
            )
        made.append((task, fit))
    return made


def measured(
    run: Path, fits: Iterable[Key], published: Mapping[Key, archive.Record]
) -> Iterator[archive.Record]:
    """Measure those fits of a run that the archive lacks.

    Raises:
        ValueError: for files of a fit that are damaged, altered or of another fit.
    """
    for task, fit in fits:
        if archive.lacks(published, (task, fit)):
            yield measurement.record(run / "fit" / fit.folder, task, MEASURES[task])


def _publish(path: Path, target: Path) -> bool:
    """Copy a file unless its name is published; to published judgements, add new rows."""
    if target.exists():
        return path.name == JUDGEMENTS and _add_rows(path, target)
    with path.open("rb") as source, files.replacing(target) as copy:
        shutil.copyfileobj(source, copy)
    return True


def _add_rows(path: Path, target: Path) -> bool:
    """Add a judge's judgements on samples that are not published yet; whether there were any.

    Table III takes longer than one run may last. A judge trained again on the same kind of machine
    is the same judge and may add rows; a different one may not.
    """
    new, published = places.read(path), places.read(target)
    if new.get("judge") != published.get("judge"):
        print(f"{path} is of another judge than {target}: nothing is added")
        return False
    published_rows = {_row_key(row) for row in published.get("rows", ())}
    rows = [row for row in new.get("rows", ()) if _row_key(row) not in published_rows]
    if rows:
        files.write_json(target, published | {"rows": published["rows"] + rows})
    return bool(rows)


def _row_key(row: dict[str, Any]) -> tuple:
    """Key of a row of judgements: fit, treatment and class."""
    names = ("method", "title", "variant", "point", "seed", "treatment", "class")
    return tuple(row[name] for name in names)


def _different_settings(one: dict[str, Any], other: dict[str, Any], prefix: str = "") -> list[str]:
    """Name the settings that differ; those of one side only came with a later version."""
    names = []
    for name in one.keys() & other.keys():
        if isinstance(one[name], dict) and isinstance(other[name], dict):
            names += _different_settings(one[name], other[name], f"{prefix}{name}.")
        elif one[name] != other[name]:
            names.append(f"{prefix}{name}")
    return sorted(names)


if __name__ == "__main__":
    main()
