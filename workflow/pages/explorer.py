"""The explorer: one HTML page to choose, compare and test detectors on, that opens offline.

Made from the score bank and the tasks alone. It holds no scores but what it shows of them: every
measure with both its intervals, curves, histograms, pictures of the extreme images, and the errors
of all paired differences of the exact AUROC. `workflow/report/explorer/` has markup, style, script.
"""

import base64
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image
from scipy import stats

from workflow.common import files, metrics, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.intervals import LEVEL
from workflow.data import masks, registry, tasks
from workflow.data.tasks import Selection, Task
from workflow.outliers import delong, detection, score_bank
from workflow.outliers.detection import Scores
from workflow.outliers.score_bank import Entry, Images
from workflow.plan import catalogue

REPORT = Path(__file__).parents[1] / "report"
TEMPLATES = (REPORT / "explorer", REPORT / "front_page")  # the style of the latter is shared
STEPS = 100  # of a curve
CURVE_LEVELS = 255  # of the share that a curve holds
BINS = 40
TAIL = 0.01  # share of a side's scores that its range leaves out at each end
DIGITS = 4  # of a percentage
COLUMNS = 32  # of a sprite
SOURCES = {"subset": "shipped subset", "full": "the whole set"}
WAYS = {
    detection.PLAIN: "its own score",
    detection.TYPICALITY: "typicality",
    detection.COMPLEXITY: "complexity",
}


class Row(NamedTuple):
    """One row of the table: a model, or the control, that scores in one way.

    Attributes:
        metadata: what the page says of it.
        scores: by set.
        entry: of the bank; None for the control.
    """

    metadata: dict[str, Any]
    scores: Scores
    entry: Entry | None

    @property
    def reasons(self) -> dict[str, str]:
        """Seed -> why it has no scores."""
        return self.entry.metadata["reasons"] if self.entry else {}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--bank", required=True, type=Path, help="folder of the score bank")
    parser.add_argument("--tasks", required=True, type=json.loads, help="of the config, JSON")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="HTML to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        of_run = tasks.of_run(options.tasks)
        files.write_text(options.out, rendered(content(options.bank, of_run.values(), options.run)))


def rendered(shown: dict[str, Any]) -> str:
    """The page. Its data are JSON that no text in it can end; its script writes text only."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    data = Markup(text.replace("<", "\\u003c"))
    return environment.get_template("explorer.html.j2").render(shown, data=data)


def content(bank: Path, of_run: Iterable[Task], run: str) -> dict[str, Any]:
    """All that the page shows.

    Raises:
        ValueError: for a file of the bank that is damaged or altered; names it.
    """
    of_run = list(of_run)
    images, entries = score_bank.load(bank)
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        key = entry.metadata["dataset"], entry.metadata["classes"]
        groups.setdefault(key, []).append(entry)
    datasets = [name for name in registry.table() if name in images]
    seeds = {seed for entry in entries for seed in entry.seeds}
    return {
        "run": run,
        "scale": [scale(images[name]) for name in datasets],
        "seeds": sorted(seeds),
        "measures": {
            name: {"title": each.title, "higher": each.higher_is_better}
            for name, each in metrics.MEASURES.items()
        },
        "evidence": masks.TITLES,
        "ways": WAYS,
        "bins": BINS,
        "steps": STEPS,
        "levels": CURVE_LEVELS,
        # Quantiles for the intervals that the page computes: normal, and Student's by freedom - 1.
        "normal": float(stats.norm.ppf((1 + LEVEL) / 2)),
        "t": [float(stats.t.ppf((1 + LEVEL) / 2, n)) for n in range(1, len(seeds))],
        "groups": [
            group(images[dataset], classes, groups[dataset, classes], of_run)
            for dataset, classes in sorted(groups, key=lambda key: (datasets.index(key[0]), key[1]))
        ],
        "sets": {
            name: {of_set: pictured(each, of_set) for of_set in each.kept}
            for name, each in images.items()
        },
    }


def scale(images: Images) -> str:
    """A dataset with the extent of its test, as in `MNIST (shipped subset, 1,000 test images)`."""
    source = SOURCES.get(images.dataset["source"], images.dataset["source"])
    n = tables.count(len(images.labels["test"]))
    return f"{registry.title(images.dataset['name'])} ({source}, {n} test images)"


def group(
    images: Images, classes: str, entries: Sequence[Entry], of_run: Sequence[Task]
) -> dict[str, Any]:
    """Fits to some classes of a dataset: the rows, and their results in every task."""
    dataset = images.dataset["name"]
    rows = [row for entry in entries for row in rows_of(entry, images)]
    metadata = {"id": detection.CONTROL["method"], "model": detection.CONTROL["title"]}
    metadata |= {"point": "", "protocols": [], "seeds": [0], "settings": {}}
    rows.append(row_of(metadata, detection.control(images), None, images))
    return {
        "dataset": dataset,
        "title": registry.title(dataset),
        "classes": classes,
        "methods": methods(entries),
        "rows": [row.metadata for row in rows],
        "tasks": [
            in_task(task, rows, images, classes) for task in of_run if task.suits(dataset, classes)
        ],
    }


def methods(entries: Iterable[Entry]) -> dict[str, str]:
    """Titles of the methods without what differs between their models; the control last."""
    known = (catalogue.DCGMM.name, *catalogue.names())
    named = {
        name: catalogue.method(name).title.partition("{")[0].rstrip("- ") if name in known else name
        for name in dict.fromkeys(entry.metadata["method"] for entry in entries)
    }
    return named | {detection.CONTROL["method"]: detection.CONTROL["title"]}


def rows_of(entry: Entry, images: Images) -> Iterator[Row]:
    """Rows of a model: one for every evidence, layer and way of scoring."""
    about = entry.metadata
    for scores in detection.ways_of_scoring(entry, images):
        place = (about["method"], about["grid_point"], scores.evidence, scores.layer, scores.score)
        metadata = {
            "id": "/".join(place),
            "model": tables.model(about["title"], about["variant"]),
            "point": about["grid_point"],
            "protocols": about["protocols"],
            "seeds": list(entry.seeds),
            "settings": about["settings"],
        }
        yield row_of(metadata, scores, entry, images)


def row_of(metadata: dict[str, Any], scores: Scores, entry: Entry | None, images: Images) -> Row:
    """A row, with the way of scoring and places of the extreme images among those kept."""
    way = {
        "method": metadata["id"].partition("/")[0],
        "evidence": scores.evidence,
        "layer": scores.layer,
        "top": scores.top,
        "score": scores.score,
    }
    extremes = {}
    if entry is not None and scores.top and scores.score == detection.PLAIN:
        for name, kept in images.kept.items():
            if name in scores.of_set:
                both = score_bank.extremes(scores.of_set[name])
                extremes[name] = [np.searchsorted(kept, side).tolist() for side in both]
    return Row(metadata | way | {"extremes": extremes}, scores, entry)


def in_task(task: Task, rows: Sequence[Row], images: Images, classes: str) -> dict[str, Any]:
    """Results of all rows in a task, a list or an array in their order."""
    results = [result(task, row, images, classes) for row in rows]
    counts = [each["counts"] for each in results]
    curves = [each["curve"] for each in results]
    return {
        "name": task.name,
        "title": task.title,
        "distance": task.distance,
        "source": task.source,
        "inliers": side(task.inliers, images, classes),
        "outliers": side(task.outliers, images, classes),
        "cells": {name: [each["cells"][name] for each in results] for name in metrics.MEASURES},
        "reasons": [each["reasons"] for each in results],
        "areas": [each["areas"] for each in results],
        "ranges": [each["range"] for each in results],
        "curves": encoded(np.rint(np.stack(curves) * CURVE_LEVELS), np.uint8),
        "histograms": encoded(np.stack([each["histogram"] for each in results]), np.uint16),
        "errors": encoded(errors(counts), np.float32),
    }


def side(selection: Selection, images: Images, classes: str) -> dict[str, Any]:
    """Inliers or outliers: their set, its title, labels and number, or why there are none."""
    known = images.sets.get(selection.set)
    if known is None or known["reason"]:
        title = known["title"] if known else selection.set
        return {"set": selection.set, "title": title, "labels": [], "n": 0}
    labels = images.labels[selection.set]
    mask = selection.mask(labels, classes)
    chosen = np.unique(labels[mask]).tolist()
    return {"set": selection.set, "title": known["title"], "labels": chosen, "n": int(mask.sum())}


def result(task: Task, row: Row, images: Images, classes: str) -> dict[str, Any]:
    """Result of one row in a task; `counts` are the placements averaged over seeds."""
    seeds = row.metadata["seeds"]
    why = "; ".join(f"seed {seed}: {reason}" for seed, reason in row.reasons.items())
    way = {"classes": classes, "seeds": len(seeds)}
    lines = list(detection.task_lines(way, task, row.scores, images, why))
    found = {
        "cells": {line["measure"]: cell(line) for line in lines},
        "reasons": shared({line["measure"]: line["reasons"] for line in lines}),
        "areas": [None] * len(seeds),
        "range": None,
        "curve": np.zeros(STEPS + 1),
        "histogram": np.zeros((2, BINS)),
        "counts": None,
    }
    finished = []
    for i in range(len(seeds)):
        both, _ = detection.sides(task, row.scores.of_seed(i), images, classes)
        if both:
            finished.append((both[0][0], both[1][0]))
            found["areas"][i] = rounded(100 * metrics.auroc(*finished[-1]))
    if finished:
        found["curve"] = np.mean([curve(*both) for both in finished], axis=0)
        low, high, found["histogram"] = histogram(*finished[0])
        found["range"] = [float(f"{low:.6g}"), float(f"{high:.6g}")]
        found["counts"] = delong.mean_counts(*zip(*finished, strict=True))
    return found


def cell(line: dict[str, Any]) -> list[float | None] | None:
    """Of a row of `detection.csv`: n, mean, std, t interval; for the AUROC DeLong's; in %."""
    if not line["n"]:
        return None
    keys = ["mean", "std", "ci_low", "ci_high"]
    keys += ["test_low", "test_high"] if line["measure"] == "auroc" else []
    return [line["n"], *(rounded(line[key]) for key in keys)]


def shared(reasons: dict[str, str]) -> str | dict[str, str]:
    """The reason of all measures, or of each: infinite scores have ranks, but no thresholds."""
    texts = set(reasons.values())
    return texts.pop() if len(texts) == 1 else reasons


def curve(inliers: np.ndarray, outliers: np.ndarray) -> np.ndarray:
    """Share of outliers below the highest threshold that keeps 0, 1, ... 100 % of the inliers.

    All where none are kept. That at 95 % is `1 - metrics.fpr95`.

    Returns:
        [STEPS + 1].
    """
    rejected = len(inliers) * (STEPS - np.arange(1, STEPS + 1)) // STEPS
    thresholds = np.sort(inliers)[rejected]
    below = np.searchsorted(np.sort(outliers), thresholds, side="left")
    return np.concatenate([[1.0], below / len(outliers)])


def histogram(inliers: np.ndarray, outliers: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Numbers of images of both sides by score; the bins at the ends hold all beyond, too.

    The range is that of both sides' scores without tails, but reaches past that of the inliers at
    most by its width: outliers may be so far off that nothing else would be seen.

    Returns:
        low, high, numbers: of the range, and [2, BINS].
    """
    finite = [values[np.isfinite(values)].astype(np.float64) for values in (inliers, outliers)]
    ends = [np.quantile(values, (TAIL, 1 - TAIL)) for values in finite if len(values)]
    low, high = (0.0, 1.0)
    if ends:
        start, stop = ends[0]
        width = stop - start or max(abs(start), 1.0)
        low = max(min(a for a, _ in ends), start - width)
        high = min(max(b for _, b in ends), stop + width)
        if not low < high:
            low, high = low - width / 2, high + width / 2
    numbers = []
    for values in (inliers, outliers):
        place = (values.astype(np.float64) - low) / (high - low) * BINS
        bins = np.clip(place, 0, BINS - 1).astype(np.int64)
        numbers.append(np.bincount(bins, minlength=BINS))
    return low, high, np.stack(numbers)


def errors(counts: Sequence[tuple[np.ndarray, np.ndarray] | None]) -> np.ndarray:
    """DeLong's standard errors of the paired differences of AUROCs, in percentage points.

    Args:
        counts: of each row, as of `delong.mean_counts`, or None.

    Returns:
        Row by row what lies above the diagonal; NaN where a row has no scores.
    """
    rows = [i for i, each in enumerate(counts) if each is not None]
    table = np.full((len(counts), len(counts)), np.nan)
    if rows:
        of_rows = [each for each in counts if each is not None]
        table[np.ix_(rows, rows)] = 100 * delong.paired_errors(of_rows)
    return table[np.triu_indices(len(counts), k=1)]


def pictured(images: Images, name: str) -> dict[str, Any]:
    """The kept pictures of a set as one PNG, row by row, with their labels."""
    pictures = images.pictures[name]
    labels = images.labels[name][images.kept[name]].tolist()
    about = {"columns": COLUMNS, "labels": labels, "shape": list(pictures.shape[1:3])}
    return about | {"png": sprite(pictures) if len(pictures) else ""}


def sprite(pictures: np.ndarray) -> str:
    """Pictures uint8 [k, H, W, C] as a PNG of `COLUMNS` a row, in base64."""
    k, height, width, channels = pictures.shape
    lines = math.ceil(k / COLUMNS)
    tiles = np.zeros((lines * COLUMNS, height, width, channels), np.uint8)
    tiles[:k] = pictures
    tiles = tiles.reshape(lines, COLUMNS, height, width, channels).swapaxes(1, 2)
    sheet = tiles.reshape(lines * height, COLUMNS * width, channels)
    file = io.BytesIO()
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def encoded(values: np.ndarray, kind: type) -> str:
    """An array as little-endian bytes in base64."""
    dtype = np.dtype(kind).newbyteorder("<")
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def rounded(value: float) -> float | None:
    """A percentage to `DIGITS`; None for NaN."""
    return None if math.isnan(value) else round(float(value), DIGITS)


if __name__ == "__main__":
    main()
