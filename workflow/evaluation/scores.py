"""The scores that a fit gave images, as one file.

Needs numpy alone, so that every method's environment can write it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workflow.evaluation import archives

LABELS = ("labels", "validation_labels")
NO_LABELS = np.empty(0, np.int64)


@dataclass(frozen=True)
class Saved:
    """What a fit gives images, in nats.

    Attributes:
        labels: of the test images, [n].
        test: evidence -> layer, bottom to top -> [n].
        validation: the same of the images kept aside; empty without holdout.
        validation_labels: of these, [m].
        predicted: the classes of the test images under `all` and `top`; empty without classifier.
    """

    labels: np.ndarray
    test: dict[str, dict[str, np.ndarray]]
    validation: dict[str, dict[str, np.ndarray]]
    predicted: dict[str, dict[str, np.ndarray]]
    validation_labels: np.ndarray


def write(
    path: Path,
    labels: np.ndarray,
    scores: dict[str, Any],
    validation_labels: np.ndarray = NO_LABELS,
) -> None:
    """Write the scores of the splits `test` and `validation`, and `predicted`, as in `Saved`."""
    arrays = {
        f"{split}/{evidence}/{layer}": values
        for split, by_evidence in scores.items()
        for evidence, layers in by_evidence.items()
        for layer, values in layers.items()
    }
    archives.write(path, {"labels": labels, "validation_labels": validation_labels} | arrays)


def read(path: Path | str) -> Saved:
    """Read what `write` wrote.

    Raises:
        ValueError: if the file is damaged.
    """
    result = Saved(NO_LABELS, {}, {}, {}, NO_LABELS)
    arrays = archives.read(path)
    try:
        labels = {key: arrays.pop(key) for key in LABELS}
        for key, values in arrays.items():
            split, evidence, layer = key.split("/")
            getattr(result, split).setdefault(evidence, {})[layer] = values
    except (ValueError, KeyError, AttributeError) as error:
        raise archives.damaged(Path(path), error) from None
    return replace(result, **labels)
