"""Tasks of outlier detection: which images are inliers and which outliers, see `tasks.yaml`."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jsonschema.exceptions import best_match

from workflow.common import schemas, yaml_files
from workflow.data import datasets, registry, test_sets

FILE = Path(__file__).with_name("tasks.yaml")
SCHEMA = Path(__file__).parents[1] / "schemas" / "tasks.schema.yaml"
TRAINED, UNSEEN = "trained", "unseen"  # classes, as a fit sees them
CHANNELS = 1  # of the images that tasks are for


class Selection(NamedTuple):
    """Images of a set.

    Attributes:
        set: its name.
        classes: `trained`, `unseen`, numbers, or a text as in `not0_1`; all images if None.
    """

    set: str
    classes: str | tuple[int, ...] | None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Selection":
        """Make a selection of its mapping in `tasks.yaml`."""
        classes = content.get("classes")
        return cls(content["set"], tuple(classes) if isinstance(classes, list) else classes)

    def mask(self, labels: np.ndarray, fit_classes: str) -> np.ndarray:
        """Select images.

        Args:
            labels: of the set's images, [n].
            fit_classes: that the fit was trained on, as in `not0`.

        Returns:
            bool [n].
        """
        if self.classes is None:
            return np.ones(len(labels), bool)
        if isinstance(self.classes, tuple):
            return np.isin(labels, self.classes)
        if self.classes not in (TRAINED, UNSEEN):
            return datasets.as_far_as_present(labels, self.classes)
        trained = datasets.as_far_as_present(labels, fit_classes)
        return trained if self.classes == TRAINED else ~trained


class Task(NamedTuple):
    """One task.

    Attributes:
        name: in files.
        title: for readers.
        datasets: what fits are trained on that do it.
        inliers: that a fit should score high.
        outliers: that it should score low.
        distance: of the outliers, `near` or `far`.
        source: who used it, or that it is made.
        on_request: whether its images do not ship.
    """

    name: str
    title: str
    datasets: tuple[str, ...]
    inliers: Selection
    outliers: Selection
    distance: str
    source: str
    on_request: bool

    @property
    def sets(self) -> tuple[str, ...]:
        """Sets whose images it needs."""
        return tuple(dict.fromkeys([self.inliers.set, self.outliers.set]))

    def suits(self, dataset: str, fit_classes: str) -> bool:
        """Whether fits to some classes of a dataset do it."""
        unseen = UNSEEN in (self.inliers.classes, self.outliers.classes)
        return dataset in self.datasets and not (unseen and fit_classes == "all")


@cache
def table(path: Path = FILE) -> dict[str, Task]:
    """Read the tasks of the suite, by name.

    Raises:
        ValueError: in one sentence, naming the file, the task and the key.
    """
    content = yaml_files.read(path)
    validator = schemas.Validator(schemas.load(SCHEMA))
    if error := best_match(validator.iter_errors(content)):
        place = ".".join(map(str, error.absolute_path)) or "its top level"
        raise ValueError(f"{path}: {place}: {error.message}")
    return {name: of(name, task) for name, task in content.items()}


def of(name: str, content: Mapping[str, Any]) -> Task:
    """Make a task of its mapping, as in `tasks.yaml`.

    Raises:
        ValueError: if an image may be inlier and outlier.
    """
    task = Task(
        name=name,
        title=content["title"],
        datasets=tuple(content.get("datasets", registry.of_channels(CHANNELS))),
        inliers=Selection.of(
            content.get("inliers", {"set": test_sets.OWN_IMAGES, "classes": TRAINED})
        ),
        outliers=Selection.of(content["outliers"]),
        distance=content["distance"],
        source=content["source"],
        on_request=content.get("on_request", False),
    )
    if overlaps(task):
        raise ValueError(
            f"the task {name!r} has inliers that are outliers, too: images of the set "
            f"{task.inliers.set!r}; give both classes, none twice"
        )
    return task


def overlaps(task: Task) -> bool:
    """Whether inliers and outliers of a task may be the same images of one set."""
    one, other = task.inliers, task.outliers
    if one.set != other.set:
        return False
    if isinstance(one.classes, tuple) and isinstance(other.classes, tuple):
        return bool({*one.classes} & {*other.classes})
    return {one.classes, other.classes} != {TRAINED, UNSEEN}


def of_run(added: Mapping[str, Any]) -> dict[str, Task]:
    """Tasks of a run, by name: those of the suite, and those that its configuration adds.

    Args:
        added: `tasks` of the checked configuration.
    """
    shipped = {name: task for name, task in table().items() if not task.on_request or name in added}
    own = {name: of(name, content) for name, content in own_tasks(added)}
    return shipped | own


def own_tasks(added: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The user's tasks among those that a configuration adds, as in `tasks.yaml`.

    Their outliers are a set of their own name.
    """
    for name, content in added.items():
        if name not in table():
            yield (
                name,
                {
                    "title": name.replace("_", " "),
                    "distance": "far",
                    "source": content["outliers"],
                    **content,
                    "outliers": {"set": name},
                },
            )


def sets_of(added: Mapping[str, Any], dataset: str) -> list[str]:
    """Sets that the tasks of a run need for a dataset, besides its own test images."""
    names = (
        name for task in of_run(added).values() if dataset in task.datasets for name in task.sets
    )
    return [name for name in dict.fromkeys(names) if name != test_sets.OWN_IMAGES]
