"""Score the test sets of tasks with a fitted model.

Of the training images some are scored, too, as the set `train`: a reference of what a model is
used to.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workflow.data import test_sets
from workflow.fit import methods

TRAIN = "train"


class Scored(NamedTuple):
    """A set to score.

    Attributes:
        name: of the set.
        images: bytes [n, H, W, C].
    """

    name: str
    images: np.ndarray

    @property
    def digest(self) -> str:
        """Digest of the images, as `TestSet.digest`."""
        return hashlib.sha256(np.ascontiguousarray(self.images)).hexdigest()


def load(paths: Sequence[Path], dataset: str, source: str) -> list[Scored]:
    """Read test sets; those without images are left out.

    Args:
        paths: of the sets.
        dataset: that they must be made for.
        source: of the dataset, `full` or `subset`.

    Raises:
        ValueError: if a file is damaged or was made for another dataset; names it.
    """
    sets = []
    for path in paths:
        one = test_sets.load(path)
        if (one.dataset, one.source) != (dataset, source):
            raise ValueError(
                f"{path} is for {one.dataset}, {one.source}, not for {dataset}, {source}; remove "
                "it and run again"
            )
        if len(one.images):
            sets.append(Scored(one.name, one.images))
    return sets


def of_training(images: np.ndarray, source: str) -> Scored:
    """The set `train`: some of the images [n, H, W, C] that a model is trained on.

    Args:
        images: of the fit.
        source: of the dataset, `full` or `subset`.
    """
    return Scored(TRAIN, images[test_sets.evenly_spaced(len(images), test_sets.SCORED[source])])


def score(model: Any, sets: Sequence[Scored]) -> dict[str, methods.Scores]:
    """Score the images of every set under all the evidence that a method takes.

    All at once, since some methods compile for every number of images. An infinite score is one,
    the lowest or the highest; scores of a layer are left out if one of them is not a number.
    """
    if not sets:
        return {}
    scores = methods.score(model, np.concatenate([each.images for each in sets]))
    ends = np.cumsum([len(each.images) for each in sets])
    return {
        each.name: _numbers(
            {
                evidence: {
                    layer: values[end - len(each.images) : end] for layer, values in layers.items()
                }
                for evidence, layers in scores.items()
            }
        )
        for each, end in zip(sets, ends, strict=True)
    }


def _numbers(scores: methods.Scores) -> methods.Scores:
    """Leave out what is not a number for every image."""
    return {
        evidence: {layer: values for layer, values in layers.items() if not np.isnan(values).any()}
        for evidence, layers in scores.items()
    }
