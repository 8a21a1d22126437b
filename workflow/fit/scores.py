"""Files of the scores that a fit gives images.

Needs only numpy, so that every method's environment can write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz, places

LABELS = {"test": "labels", "predicted": "labels", "validation": "validation_labels"}
"""Split -> the classes of its images."""
FIT = ("method", "grid_point", "settings", "training", "dataset", "classes", "seed")
"""Keys of the fit's record that its scores carry as metadata."""
NO_LABELS = np.empty(0, np.int64)


@dataclass(frozen=True)
class Saved:
    """Scores of a fit, in nats.

    Attributes:
        labels: of the test images, [n].
        test: evidence -> layer, bottom to top -> [n].
        validation: the same for the images kept aside; empty without holdout.
        validation_labels: of the images kept aside, [m].
        predicted: classes of the test images under `all` and `top`; empty without a classifier.
    """

    labels: np.ndarray
    test: dict[str, dict[str, np.ndarray]]
    validation: dict[str, dict[str, np.ndarray]]
    predicted: dict[str, dict[str, np.ndarray]]
    validation_labels: np.ndarray


def write(
    path: Path,
    fit: Mapping[str, Any],
    labels: np.ndarray,
    scores: dict[str, Any],
    validation_labels: np.ndarray = NO_LABELS,
) -> None:
    """Write the scores of the splits `test` and `validation`, and `predicted`, as in `Saved`.

    Args:
        path: of the file.
        fit: record of the fit.
        labels: of the test images.
        scores: split -> evidence -> layer -> [n].
        validation_labels: of the images kept aside.
    """
    arrays = {
        f"{split}/{evidence}/{layer}": values
        for split, by_evidence in scores.items()
        for evidence, layers in by_evidence.items()
        for layer, values in layers.items()
    }
    metadata = {key: fit[key] for key in FIT}
    npz.write(path, metadata, {"labels": labels, "validation_labels": validation_labels} | arrays)


def read(path: Path | str, fit: Mapping[str, Any] | None = None) -> Saved:
    """Read scores that `write` wrote.

    Args:
        path: of the file.
        fit: record of the fit that the scores must belong to, if given.

    Raises:
        ValueError: if the file is damaged or altered, belongs to another fit by its place or the
            record, or holds anything but scores.
    """
    metadata, arrays = npz.read(path)
    places.check(path, metadata)
    if fit is not None and (different := [key for key in FIT if metadata.get(key) != fit[key]]):
        raise ValueError(
            f"{path} is of another fit than the record beside it: {different[0]} is "
            f"{metadata.get(different[0])}, not {fit[different[0]]}; remove both and run again"
        )
    try:
        saved = Saved(arrays["labels"], {}, {}, {}, arrays["validation_labels"])
        for key in {*LABELS.values()}:
            _check_values(key, arrays.pop(key), "iu")
        for key, values in arrays.items():
            split, evidence, layer = key.split("/")
            kinds = "iu" if split == "predicted" else "f"
            _check_values(key, values, kinds, getattr(saved, LABELS[split]))
            getattr(saved, split).setdefault(evidence, {})[layer] = values
    except (ValueError, KeyError) as error:
        raise npz.damaged(Path(path), error) from None
    return saved


def _check_values(
    name: str, values: np.ndarray, kinds: str, labels: np.ndarray | None = None
) -> None:
    """Refuse values that are not one finite number per image."""
    shape = values.shape if labels is None else labels.shape
    if values.dtype.kind not in kinds or values.ndim != 1 or values.shape != shape:
        raise ValueError(f"{name} is {values.dtype} {values.shape}, not a number for every image")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite")
