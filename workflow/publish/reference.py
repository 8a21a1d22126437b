"""Plan of the published results (`results/reference/plan.yaml`), and what of it is missing."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from workflow.common import places, schemas, values, yaml_files
from workflow.plan import config, table_fits

PLAN = Path("results/reference/plan.yaml")
_TEXT = {"type": "string", "minLength": 1}
_STAGE = dict.fromkeys(("name", "group", "points", "made"), _TEXT) | {
    "targets": {"type": "array", "items": _TEXT}
}
_RULES = {
    "required": ["version", "config", "stages"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": "string", "pattern": "[A-Za-z0-9][A-Za-z0-9._-]*"},  # a folder
        "config": _TEXT,
        "remarks": {"type": "array", "items": _TEXT},
        "stages": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": _STAGE},
        },
    },
}


class Stage(NamedTuple):
    """A part of the plan: the fits of a group that match a pattern, or targets of Snakemake.

    Attributes:
        name: for readers.
        group: of `table_fits.groups`, None for targets.
        points: pattern of models, as in `dcgmm/*-paper`.
        targets: of Snakemake.
        made: pattern of published files; if one exists, the targets are done.
    """

    name: str
    group: str | None = None
    points: str = "*"
    targets: Sequence[str] = ()
    made: str = ""


class Reference(NamedTuple):
    """The plan, with its configuration checked.

    Attributes:
        folder: of its published results.
        config_file: overlay of `config.yaml`.
        config: both, merged and checked.
        stages: in the order in which they run.
        remarks: notes for readers on how the results were made.
    """

    folder: Path
    config_file: str
    config: dict[str, Any]
    stages: list[Stage]
    remarks: Sequence[str] = ()

    @property
    def run(self) -> Path:
        """Folder that its runs write to."""
        return Path("results") / self.config["run"]


def folder(path: Path = PLAN) -> Path:
    """Folder of the plan's published results."""
    return path.parent / _content(path)["version"]


def load(path: Path = PLAN) -> Reference:
    """Read the plan.

    Raises:
        ValueError: for a damaged plan, or a stage with unknown keys or of an unknown group.
        config.ConfigError: if its configuration is not valid.
    """
    content = _content(path)
    merged = config.load(("config.yaml", content["config"]))
    groups = table_fits.groups(merged)
    stages = []
    for number, entry in enumerate(content["stages"]):
        unknown = set(entry) - set(Stage._fields)
        if unknown or not (entry.get("targets") or entry.get("group") in groups):
            raise ValueError(
                f"{path}: stages[{number}] needs `targets`, or a `group` of {', '.join(groups)}, "
                f"and has {entry}"
            )
        stages.append(Stage(**entry))
    return Reference(folder(path), content["config"], merged, stages, content.get("remarks", ()))


def _content(path: Path) -> dict[str, Any]:
    """Read a plan and check the type of every key.

    Raises:
        ValueError: naming the plan and the key.
    """
    content = yaml_files.read(path)
    for error in schemas.Validator(_RULES).iter_errors(content):
        place = values.written(tuple(error.absolute_path))
        raise ValueError(f"{path}: {place and place + ': '}{values.shortened(error.message, 300)}")
    return content


def missing(
    reference: Reference, stage: Stage, seed: int, published: Collection[table_fits.Key]
) -> list[str]:
    """Targets that a stage lacks for one seed; targets without a seed count for the first."""
    if stage.group is None:
        made = any(reference.folder.glob(stage.made))
        return [] if made or seed != reference.config["seeds"][0] else list(stage.targets)
    task = table_fits.task(stage.group)
    return [
        f"{reference.run}/fit/{fit.folder}/{places.FIT_RECORD}"
        for fit in table_fits.fits(stage.group, reference.config)
        if fit.seed == seed
        and fnmatch(f"{fit.method}/{fit.grid_point}", stage.points)
        and (task, fit) not in published
    ]


def planned_keys(config: dict[str, Any]) -> set[table_fits.Key]:
    """Tasks and fits that the plan's configuration asks for."""
    return {
        (table_fits.task(group), fit)
        for group in table_fits.groups(config)
        for fit in table_fits.fits(group, config)
    }
