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
FURTHER = "further.npz"  # scores of sets that the job of a fit did not have
SIGNIFICANT = 16  # bits of a score
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
        sets: name of a test set -> evidence -> layer -> [k], in the order of the set's images.
        digests: name of a test set -> digest of its images (`workflow.data.test_sets`).
    """

    labels: np.ndarray
    test: dict[str, dict[str, np.ndarray]]
    validation: dict[str, dict[str, np.ndarray]]
    predicted: dict[str, dict[str, np.ndarray]]
    validation_labels: np.ndarray
    sets: dict[str, dict[str, dict[str, np.ndarray]]]
    digests: dict[str, str]


def write(
    path: Path,
    fit: Mapping[str, Any],
    labels: np.ndarray,
    scores: dict[str, Any],
    validation_labels: np.ndarray = NO_LABELS,
    digests: Mapping[str, str] | None = None,
) -> None:
    """Write the scores of the splits `test` and `validation`, `predicted`, and sets, as in `Saved`.

    Args:
        path: of the file.
        fit: record of the fit.
        labels: of the test images.
        scores: split or test set -> evidence -> layer -> [n].
        validation_labels: of the images kept aside.
        digests: of the test sets.
    """
    arrays = {
        f"{split}/{evidence}/{layer}": rounded(values)
        for split, by_evidence in scores.items()
        for evidence, layers in by_evidence.items()
        for layer, values in layers.items()
    }
    sets = {
        name: {"digest": digest, "images": _length(scores.get(name, {}))}
        for name, digest in (digests or {}).items()
    }
    metadata = {key: fit[key] for key in FIT} | {"sets": sets}
    npz.write(path, metadata, {"labels": labels, "validation_labels": validation_labels} | arrays)


def rounded(values: np.ndarray) -> np.ndarray:
    """Scores as float32 with 16 significant bits, a third of which compression removes.

    That is 0.01 nats in 1,000; integers stay as they are.
    """
    if values.dtype.kind != "f":
        return values
    mantissa, exponent = np.frexp(values.astype(np.float64))
    return np.ldexp(np.round(mantissa * 2**SIGNIFICANT), exponent - SIGNIFICANT).astype(np.float32)


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
        digests = {name: each["digest"] for name, each in metadata["sets"].items()}
        saved = Saved(arrays["labels"], {}, {}, {}, arrays["validation_labels"], {}, digests)
        for key in {*LABELS.values()}:
            _check_values(key, arrays.pop(key), "iu")
        for key, values in arrays.items():
            split, evidence, layer = key.split("/")
            if split in LABELS:
                length, of_split = len(getattr(saved, LABELS[split])), getattr(saved, split)
                _check_values(key, values, "iu" if split == "predicted" else "f", length)
            else:
                length, of_split = (
                    metadata["sets"][split]["images"],
                    saved.sets.setdefault(split, {}),
                )
                _check_values(
                    key, np.nan_to_num(values, nan=np.nan), "f", length
                )  # may be infinite
            of_split.setdefault(evidence, {})[layer] = values
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise npz.damaged(Path(path), error) from None
    return saved


def _length(scores: Mapping[str, Mapping[str, np.ndarray]]) -> int:
    """Number of images that scores, evidence -> layer -> [k], are of."""
    return max((len(values) for layers in scores.values() for values in layers.values()), default=0)


def _check_values(name: str, values: np.ndarray, kinds: str, length: int | None = None) -> None:
    """Refuse values that are not one finite number per image."""
    of_length = length is None or len(values) == length
    if values.dtype.kind not in kinds or values.ndim != 1 or not of_length:
        raise ValueError(f"{name} is {values.dtype} {values.shape}, not a number for every image")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite")
