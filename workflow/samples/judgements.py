"""Judgements on drawn images, class by class, and on control images that bound every measure.

A row describes one class, treatment and file of samples: the number of images, the fraction that
the judge assigns to their class, and `sample_metrics` between their features, in the judge's last
layer but one, and those of as many real training images. What cannot be judged has a row with the
reason.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workflow.data import datasets
from workflow.samples import sample_files, sample_metrics

if TYPE_CHECKING:  # imports Keras, which is needed only to train or load a judge
    from workflow.samples.judge import Judge

Row = dict[str, Any]

MEASURES = ("accuracy", "diversity", "frechet", "precision", "recall")
_MODEL_KEYS = ("method", "title", "variant", "point", "dataset", "source", "train_images", "seed",
         "parameter_count", "centroid_count")  # fmt: skip
_DEFAULTS = dict.fromkeys(_MODEL_KEYS) | {"variant": ""}

TEST = "Real test images"
MEAN = "Mean of a class, repeated"


class Bench:
    """A trained judge and the real images that drawn ones are compared with.

    Args:
        judge: the trained judge.
        dataset: the dataset that it was trained on.
    """

    def __init__(self, judge: "Judge", dataset: datasets.Dataset) -> None:
        self.judge, self.dataset = judge, dataset
        self._real: dict[tuple[int, int], np.ndarray] = {}

    def file_rows(self, path: Path) -> list[Row]:
        """Judge a file of samples: a row for every treatment and class."""
        try:
            metadata, arrays = sample_files.read(path)
            if metadata["dataset"] != self.dataset.name:
                raise ValueError(f"{path} is of {metadata['dataset']}, not of {self.dataset.name}")
        except ValueError as error:
            return [unknown(path, self.dataset.name, str(error))]
        common = _DEFAULTS | {key: metadata[key] for key in _MODEL_KEYS if key in metadata}
        if metadata["status"] != "ok" or not arrays:
            reason = metadata["reason"] or "the file holds no images"
            return [common | _failed(metadata["published"], True, None, reason)]
        grouped: dict[str, dict[str, np.ndarray]] = {}
        for key, images in arrays.items():
            grouped.setdefault(key.partition("/")[0], {})[key] = images
        return [
            common | row
            for treatment, images in grouped.items()
            for row in self._judged(images, treatment == metadata["published"])
        ]

    def _judged(self, arrays: dict[str, np.ndarray], published: bool) -> Iterator[Row]:
        """Judge one treatment, all its classes in one pass of the network."""
        # Images that cannot be judged give failed rows.
        sound: dict[str, np.ndarray] = {}
        for key, images in arrays.items():
            try:
                self._check_class(key)
                sound[key] = sample_files.as_unit(images, self.judge.input_shape)
            except ValueError as error:
                treatment, _, label = key.partition("/")
                yield _failed(treatment, published, label, f"{key}: {error}")
        if not sound:
            return

        # One pass for all classes, then a row for each.
        predicted, features = self.judge.look(np.concatenate(list(sound.values())))
        ends = np.cumsum([len(images) for images in sound.values()])[:-1]
        parts = zip(sound, np.split(predicted, ends), np.split(features, ends), strict=True)
        for key, class_predictions, class_features in parts:
            treatment, label = sample_files.treatment_and_class(key)
            yield self._row(treatment, published, label, class_predictions, class_features)

    def _check_class(self, key: str) -> None:
        _, label = sample_files.treatment_and_class(key)
        if label >= self.judge.classes:
            raise ValueError(
                f"the judge knows no class {label}, only 0 to {self.judge.classes - 1}"
            )

    def _row(
        self,
        treatment: str,
        published: bool,
        label: int,
        predicted: np.ndarray,
        features: np.ndarray,
    ) -> Row:
        """Row of one class and treatment, from predictions [n] and features [n, D]."""
        real = self._real_features(label, len(features))
        return {
            "treatment": treatment,
            "published": published,
            "class": str(label),
            "status": "ok",
            "reason": "",
            "n": len(features),
            "compared": len(real),
            "accuracy": float((predicted == label).mean()),
            **_compared(features[: len(real)], real),
        }

    def _real_features(self, label: int, n: int) -> np.ndarray:
        """Features of a class's first n training images, or of all if there are fewer."""
        if (label, n) not in self._real:
            images = self.dataset.x_train[self.dataset.y_train == label][:n]
            self._real[label, n] = self.judge.look(datasets.as_float(images))[1]
        return self._real[label, n]

    def controls(self, n: int) -> Iterator[Row]:
        """Judge n control images per class: unseen real ones, and the class's mean repeated.

        No model should come nearer than the former; the latter, a single image repeated, is what
        accuracy alone cannot tell from a good model.
        """
        data = self.dataset
        for label in range(self.judge.classes):
            unseen = datasets.as_float(data.x_test[data.y_test == label][:n])
            mean = datasets.as_float(data.x_train[data.y_train == label]).mean(0, keepdims=True)
            for title, images in ((TEST, unseen), (MEAN, mean)):
                predicted, features = self.judge.look(images)
                if title == MEAN:
                    predicted, features = (np.repeat(x, n, axis=0) for x in (predicted, features))
                row = self._row("control", False, label, predicted, features)
                model = {"method": "control", "title": title, "point": "", "dataset": data.name}
                yield _DEFAULTS | model | {"source": data.source} | row


def unknown(path: Path, dataset: str, reason: str) -> Row:
    """Row of a file without readable metadata; its folder serves as the title."""
    model = {"method": "unknown", "title": Path(*path.parts[-6:-1]).as_posix(), "point": ""}
    return _DEFAULTS | model | {"dataset": dataset} | _failed("", True, None, reason)


def _failed(treatment: str, published: bool, label: str | None, reason: str) -> Row:
    return {
        "treatment": treatment,
        "published": published,
        "class": label,
        "status": "failed",
        "reason": reason,
        "n": 0,
        "compared": 0,
        **dict.fromkeys(MEASURES),
    }


def _compared(drawn: np.ndarray, real: np.ndarray) -> dict[str, float | None]:
    """Compare features, [n, D] each; None where there are too few or nothing varies."""
    if len(drawn) <= sample_metrics.NEIGHBOURS or not np.ptp(real, axis=0).any():
        return dict.fromkeys(MEASURES[1:])
    precision, recall = sample_metrics.precision_recall(drawn, real)
    return {
        "diversity": sample_metrics.diversity(drawn, real),
        "frechet": sample_metrics.frechet_distance(drawn, real),
        "precision": precision,
        "recall": recall,
    }
