"""Training curve of a fit: some test images' scores under every layer, and its annealing radii.

The images are for a figure alone; neither training nor any choice depends on them. Needs only
numpy, so that every method's environment can write the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.common import npz, places
from workflow.data import datasets
from workflow.fit.scores import FIT

NO_SCORES = np.empty((0, 0, 0), np.float32)


class Curve(NamedTuple):
    """Of m measurements during a fit with L layers; empty if it failed or was not measured.

    Attributes:
        step: steps of training made, [m].
        radius: of every layer's annealing, [m, L].
        scores: in nats, [m, L, n].
        labels: classes of the images, [n].
        images: their indices among the test images, [n].
    """

    step: np.ndarray
    radius: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    images: np.ndarray


def sample(labels: np.ndarray, classes: str, most: int) -> np.ndarray:
    """Choose test images: evenly spaced ones, at most so many inliers and so many outliers.

    Args:
        labels: of the test images.
        classes: of the training images, as in `not0`.
        most: of each kind.

    Returns:
        Indices, inliers first.
    """
    inlier = datasets.by_classes(labels, classes)
    kinds = [np.flatnonzero(inlier), np.flatnonzero(~inlier)]
    counts = [min(most, len(kind)) for kind in kinds]
    return np.concatenate(
        [kind[np.arange(n) * len(kind) // max(n, 1)] for kind, n in zip(kinds, counts, strict=True)]
    )


def write(
    path: Path, fit: Mapping[str, Any], scores: np.ndarray, labels: np.ndarray, images: np.ndarray
) -> None:
    """Write the curve of a fit.

    Args:
        path: of the file.
        fit: record of the fit; its history has the steps and radii.
        scores: [m, L, n]; without any, the file is an empty curve.
        labels: of all test images.
        images: indices [n] of those scored.
    """
    nothing = {"val_step": [], "val_radius": np.empty((0, 0))}
    history, images = (fit["history"], images) if scores.size else (nothing, images[:0])
    curve = Curve(
        step=np.asarray(history["val_step"], np.int64),
        radius=np.asarray(history["val_radius"], np.float32),
        scores=scores,
        labels=labels[images],
        images=images,
    )
    npz.write(path, {key: fit[key] for key in FIT}, curve._asdict())


def read(path: Path | str) -> Curve:
    """Read a curve that `write` wrote.

    Raises:
        ValueError: if the file is damaged or altered, or belongs to another fit by its place.
    """
    metadata, arrays = npz.read(path)
    places.check(path, metadata)
    try:
        curve = Curve(**arrays)
        expected = (*curve.radius.shape, *curve.labels.shape)
        if curve.scores.shape != expected or len(curve.step) != expected[0]:
            raise ValueError(f"its scores are {curve.scores.shape}, not {expected}")
    except (TypeError, ValueError) as error:
        raise npz.damaged(Path(path), error) from None
    return curve
