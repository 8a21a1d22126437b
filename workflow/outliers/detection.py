"""Detection of outliers in every task, by every measure, from the score bank alone.

Writes `detection.csv`, and for readers the exact AUROC and the errors at 95 % as `detection.md` and
`detection.tex`. Values are in percent.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workflow.common import frames, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.summaries import area_summary
from workflow.data import masks, registry, tasks
from workflow.data.tasks import Task
from workflow.fit.set_scores import TRAIN
from workflow.outliers import corrections, delong, score_bank
from workflow.outliers.score_bank import Entry, Images

PLAIN, TYPICALITY, COMPLEXITY = "score", "typicality", "complexity"
CONTROL = {"method": "compressed_size", "title": "size as PNG", "variant": "", "grid_point": ""}
TOP = "top"  # layer of a model without layers
SHOWN = ("auroc", "fpr95")  # in the tables for readers
KEY = ["dataset", "classes", "method", "grid_point", "score", "evidence"]
READING = (
    "In %: mean ± standard deviation over seeds. Inliers are test images of the classes trained "
    "on; every set but that of the class left out has at most 1,000 images, beside the shipped "
    "subset 50, and a single grey level is a single image. `typicality` scores by the distance of "
    "log p from its mean over training images, `complexity` by log2 p plus the bits of the image's "
    "PNG; the size alone is the control that a likelihood has to beat. Models are those of Table I "
    "and the points that Table II's protocols choose; they score whole images by the top layer. "
    "Intervals over seeds and, for the AUROC, over test images (DeLong), further measures and "
    "halves of images are in the CSV, and all of it in the explorer.",
)


class Scores(NamedTuple):
    """Scores of one model in one way, by set.

    Attributes:
        score: `score`, `typicality` or `complexity`.
        evidence: pixels that they are of.
        layer: of the model.
        top: whether this is its highest layer.
        of_set: set -> [seeds, n], NaN in the row of a seed without.
    """

    score: str
    evidence: str
    layer: str
    top: bool
    of_set: dict[str, np.ndarray]

    def of_seed(self, row: int) -> "Scores":
        """Scores of one seed alone, by its row."""
        return self._replace(of_set={k: values[row : row + 1] for k, values in self.of_set.items()})


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--bank", required=True, type=Path, help="folder of the score bank")
    parser.add_argument("--tasks", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        of_run = tasks.of_run(options.tasks)
        table = detection(options.bank, of_run.values())
        sections = [
            section(group, of_run, measure, options.run)
            for (_, measure), group in table.groupby(["dataset", "measure"], sort=False)
            if measure in SHOWN
        ]
        tables.write_csv(options.out / "detection.csv", table)
        tables.write_markdown(options.out / "detection.md", sections)
        tables.write_tex(options.out / "detection.tex", sections)


def detection(bank: Path, of_run: Iterable[Task]) -> pd.DataFrame:
    """Measure every model of a bank in every task that it suits, in percent.

    A task whose images are missing, and a model without scores, have a row with n = 0 and the
    reason.

    Raises:
        ValueError: for a file of the bank that is damaged or altered; names it.
    """
    return of_entries(*score_bank.load(bank), of_run)


def of_entries(
    images: Mapping[str, Images], entries: Sequence[Entry], of_run: Iterable[Task]
) -> pd.DataFrame:
    """`detection` of a bank that `score_bank.load` has read."""
    of_run = list(of_run)
    lines = [line for entry in entries for line in _entry_lines(entry, images, of_run)]
    for dataset, classes in dict.fromkeys(
        (entry.metadata["dataset"], entry.metadata["classes"]) for entry in entries
    ):
        lines += _control_lines(images[dataset], classes, of_run)
    table = frames.from_rows(lines, "detection")
    higher = [metrics.MEASURES[name].higher_is_better for name in table["measure"]]
    better = table["mean"].where(higher, -table["mean"])
    best = better.groupby([table[k] for k in ("dataset", "classes", "task", "measure")])
    return table.assign(best=better == best.transform("max"))[[*frames.TABLES["detection"]]]


def _entry_lines(
    entry: Entry, images: Mapping[str, Images], of_run: Sequence[Task]
) -> Iterator[dict[str, Any]]:
    """Rows of one model."""
    known, metadata = images[entry.metadata["dataset"]], entry.metadata
    common = {key: metadata[key] for key in ("dataset", "classes", *CONTROL)}
    common |= {"protocol": " ".join(metadata["protocols"]), "seeds": len(entry.seeds)}
    reasons = "; ".join(f"seed {seed}: {reason}" for seed, reason in metadata["reasons"].items())
    for scores in ways_of_scoring(entry, known):
        if not scores.top:
            continue
        yield from _lines(common, scores, known, of_run, reasons)


def _control_lines(
    images: Images, classes: str, of_run: Sequence[Task]
) -> Iterator[dict[str, Any]]:
    """Rows of the control without a model: the size of the compressed image."""
    common = {"dataset": images.dataset["name"], "classes": classes, "protocol": "", "seeds": 1}
    yield from _lines(CONTROL | common, control(images), images, of_run, "")


def _lines(
    common: dict[str, Any], scores: Scores, images: Images, of_run: Iterable[Task], reasons: str
) -> Iterator[dict[str, Any]]:
    """Rows of one way of scoring in all the tasks that it suits."""
    way = common | {"score": scores.score, "evidence": scores.evidence}
    for task in of_run:
        if task.suits(way["dataset"], way["classes"]):
            yield from task_lines(way, task, scores, images, reasons)


def control(images: Images) -> Scores:
    """Scores without a model: the size of the compressed image."""
    of_set = {
        name: corrections.compressed(bits)[None] for name, bits in images.compressed_bits.items()
    }
    return Scores(PLAIN, masks.ALL, TOP, True, of_set)


def ways_of_scoring(entry: Entry, images: Images) -> Iterator[Scores]:
    """Ways of scoring by a model: by each evidence and layer, and corrected where that makes sense.

    Typicality needs scores of training images, complexity log-densities of pixels; both are of
    whole images at the top layer.
    """
    for evidence in entry.evidence or [masks.ALL]:
        layers = entry.layers(evidence) or [TOP]
        for layer in layers:
            of_set = {
                name: values
                for (name, *of), values in entry.scores.items()
                if of == [evidence, layer]
            }
            yield Scores(PLAIN, evidence, layer, layer == layers[-1], of_set)
    yield from _corrected(entry, images)


def _corrected(entry: Entry, images: Images) -> Iterator[Scores]:
    """Corrected scores of whole images by the top layer."""
    top = (entry.layers(masks.ALL) or [TOP])[-1]
    of_set = {
        name: values for (name, *of), values in entry.scores.items() if of == [masks.ALL, top]
    }
    if TRAIN in of_set:
        means = np.mean(of_set[TRAIN], axis=1, dtype=np.float64)  # [seeds]
        typical = {
            name: np.stack([_typicality(*of_seed) for of_seed in zip(values, means, strict=True)])
            for name, values in of_set.items()
        }
        yield Scores(TYPICALITY, masks.ALL, top, True, typical)
    if entry.metadata["density"]:
        bits = images.compressed_bits
        against_code = {
            name: np.stack([corrections.complexity(row, bits[name]) for row in values])
            for name, values in of_set.items()
            if name in bits
        }
        yield Scores(COMPLEXITY, masks.ALL, top, True, against_code)


def _typicality(scores: np.ndarray, mean: float) -> np.ndarray:
    """Typicality of scores [n] of one seed; NaN without a finite mean."""
    if not np.isfinite(mean):
        return np.full(scores.shape, np.nan)
    return corrections.typicality(scores, mean)


def task_lines(
    way: dict[str, Any], task: Task, scores: Scores, images: Images, reasons: str
) -> Iterator[dict[str, Any]]:
    """Rows of one way of scoring in one task, one a measure.

    Args:
        way: columns of all rows, among them the `classes` trained on and the number of `seeds`.
        task: that is measured.
        scores: of the way.
        images: of the dataset's sets.
        reasons: why seeds have no scores.
    """
    both, reason = sides(task, scores, images, way["classes"])
    if not scores.of_set:  # no fit went well, which says more than that it lacks a set
        reason = reasons or reason
    count = {"inliers": 0, "outliers": 0}
    if both:
        count = {"inliers": both[0].shape[1], "outliers": both[1].shape[1]}
    common = way | {"task": task.name, "distance": task.distance} | count
    for name, measure in metrics.MEASURES.items():
        values, why = [], reason or reasons
        for inliers, outliers in zip(*both, strict=True) if both else ():
            try:
                values.append(100 * measure.function(inliers, outliers))
            except ValueError as error:  # such as infinite scores for thresholds
                why = why or str(error)
        interval = (np.nan, np.nan)
        if name == "auroc" and values:
            interval = delong.mean_interval(*both)
        yield common | {
            "measure": name,
            **area_summary(values),
            "test_low": 100 * interval[0],
            "test_high": 100 * interval[1],
            "reasons": "" if len(values) == way["seeds"] else why,
        }


def sides(
    task: Task, scores: Scores, images: Images, classes: str
) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
    """Scores of inliers and outliers, [seeds, n] without failed seeds, or why there are none."""
    chosen = []
    for selection in (task.inliers, task.outliers):
        known = images.sets.get(selection.set)
        if known is None:
            return None, f"this run has no set {selection.set!r}"
        if known["reason"]:
            return None, known["reason"]
        if selection.set not in scores.of_set:
            return None, f"no scores of the set {selection.set!r}"
        mask = selection.mask(images.labels[selection.set], classes)
        if not mask.any():
            return None, f"the set {selection.set!r} has no image of these classes"
        chosen.append(scores.of_set[selection.set][:, mask])
    inliers, outliers = chosen
    finished = ~(np.isnan(inliers).any(axis=1) | np.isnan(outliers).any(axis=1))
    if not finished.any():
        return None, "no fit has scores that are numbers"
    return (inliers[finished], outliers[finished]), ""


def section(
    rows: pd.DataFrame, of_run: Mapping[str, Task], measure: str, run: str
) -> tables.Section:
    """One dataset and measure: a row for every way of scoring whole images, a column a task."""
    dataset = rows["dataset"].iloc[0]
    rows = rows[rows["evidence"] == masks.ALL]
    cells, notes = [], []
    for (classes, *_), group in rows.groupby(KEY[1:], sort=False):
        first = group.iloc[0]
        label = tables.model(first["title"], first["variant"])
        protocols = first["protocol"].replace(" ", ", ")
        line = {"model": f"{label}, {protocols}" if protocols else label, "score": first["score"]}
        if rows["classes"].nunique() > 1:
            line["trained on"] = classes
        for row in group.to_dict("records"):
            text = tables.spread(row["mean"], row["std"])
            shown = tables.best(text) if row["best"] and row["n"] else text
            line[of_run[row["task"]].title] = shown
        cells.append(line)
    for name, group in rows[rows["n"] == 0].groupby("task", sort=False):
        for reason in group["reasons"].unique():
            notes.append(f"no result, {of_run[name].title}: {reason}")
    title = f"Detection, {registry.title(dataset)}: {metrics.MEASURES[measure].title}"
    frame = pd.DataFrame(cells).fillna(tables.DASH)
    caption = f"Run `{run}`, fits to {', '.join(rows['classes'].unique())}."
    return tables.Section(title, caption, frame, list(dict.fromkeys(notes)), READING)


if __name__ == "__main__":
    main()
