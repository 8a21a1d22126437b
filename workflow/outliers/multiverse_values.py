"""Values of every method under every protocol, computed from the score bank."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import frames, metrics, tables
from workflow.data.tasks import Task
from workflow.outliers import detection, score_bank
from workflow.outliers.score_bank import Entry, Images
from workflow.plan import catalogue

CHOICES = {"paper": "test", "corrected": "likelihood"}  # protocol -> its rule of choice
PUBLISHED = "published"  # evidence: the pixels that a method's release scores


def of_bank(bank: Path, of_run: Iterable[Task]) -> pd.DataFrame:
    """Measure every entry of a bank under every protocol, in percent.

    Without corrections of scores, which no release has. The rule by which a grid point was chosen,
    and with it the training of that protocol, is empty for a model with a single point.

    Returns:
        The columns of `frames.TABLES["multiverse_values"]`.

    Raises:
        ValueError: for a file of the bank that is damaged or altered; names it.
    """
    of_run = list(of_run)
    images, entries = score_bank.load(bank)
    points: dict[tuple[str, str], set[str]] = {}  # on any dataset
    for entry in entries:
        points.setdefault(_model(entry), set()).add(entry.metadata["grid_point"])
    lines = [
        line
        for entry in entries
        for line in _lines(entry, images, of_run, searched=len(points[_model(entry)]) > 1)
    ]
    return frames.from_rows(lines, "multiverse_values")


def _model(entry: Entry) -> tuple[str, str]:
    """What has one grid point, or several to choose from."""
    return entry.metadata["title"], entry.metadata["variant"]


def _lines(
    entry: Entry, images: Mapping[str, Images], of_run: Sequence[Task], searched: bool
) -> Iterator[dict[str, Any]]:
    """Rows of one entry."""
    metadata, known = entry.metadata, images[entry.metadata["dataset"]]
    choices = [CHOICES[name] for name in metadata["protocols"]] if searched else [""]
    is_dcgmm = metadata["method"] == catalogue.DCGMM.name
    common = {
        "dataset": metadata["dataset"],
        "recipe": metadata["variant"] if is_dcgmm else "",
        "title": metadata["title"]
        if is_dcgmm
        else tables.model(metadata["title"], metadata["variant"]),
    }
    published = metadata["published_evidence"]
    for scores in detection.ways_of_scoring(entry, known):
        if scores.score != detection.PLAIN or not scores.top:
            continue
        names = [scores.evidence, *([PUBLISHED] if scores.evidence == published else [])]
        for task in of_run:
            if isinstance(task.outliers.classes, tuple):
                continue  # one grey level is part of another task
            if not task.suits(metadata["dataset"], metadata["classes"]):
                continue
            for measure, seed, value in _values(entry, scores, task, known):
                for evidence in names:
                    for choice in choices:
                        yield common | {
                            "outlier": outlier(task, metadata["classes"]),
                            "evidence": evidence,
                            "measure": measure,
                            "choice": choice,
                            "seed": seed,
                            "value": value,
                        }


def outlier(task: Task, classes: str) -> str:
    """Name of what is to be rejected: the class left out, or the task."""
    return classes.removeprefix("not") if task.name == "outliers" else task.name


def _values(
    entry: Entry, scores: detection.Scores, task: Task, images: Images
) -> Iterator[tuple[str, int, float]]:
    """Measure and seed, with the value in percent; those that cannot be measured are left out."""
    for row, seed in enumerate(entry.seeds):
        both, _ = detection.sides(task, scores.of_seed(row), images, entry.metadata["classes"])
        for name, measure in metrics.MEASURES.items() if both else ():
            try:
                yield name, seed, 100 * measure.function(both[0][0], both[1][0])
            except ValueError:  # as for infinite scores, which have no thresholds
                continue
