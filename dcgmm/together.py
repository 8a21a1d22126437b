"""Training of several models of one kind that differ in their seeds, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dcgmm import checks, fitting
from dcgmm.errors import DivergenceError
from dcgmm.model import DCGMM


def fit_together(
    models: Sequence[DCGMM],
    images: Any,
    labels: Any = None,
    *,
    seeds: Sequence[int],
    progress: bool = False,
    layerwise: bool = False,
    validation: Any = None,
    measurements: int | Sequence[float] = 50,
    validation_scores: bool = False,
) -> list[dict[str, list] | DivergenceError]:
    """Train models of one kind on the same images, each from a seed of its own, and all at once.

    Each comes out as `DCGMM.fit` by its seed would have it, up to the rounding of sums that are
    taken in another order. On a GPU under JAX, whose larger part one small model leaves idle, five
    take little longer than one; otherwise they are trained one after the other.

    >>> models = [DCGMM.from_instance("E") for _ in range(5)]
    >>> histories = fit_together(models, images, seeds=range(5))

    Args:
        models: of the same layers, recipe and image shape.
        images: as in `DCGMM.fit`, like all that follow but the seeds.
        labels: integers [n], for a classifier.
        seeds: one a model.
        progress: whether to show a bar.
        layerwise: whether to train one cGMM layer after the other.
        validation: other images to measure on.
        measurements: at least how many, or when.
        validation_scores: whether to keep the score of every validation image.

    Returns:
        For every model the history that `DCGMM.fit` returns, or the error that it would raise,
        which stops no other model; it is left as if it had not been fitted.

    Raises:
        ValueError: for models that differ, as many seeds as there are no models, or what
            `DCGMM.fit` refuses.
    """
    models, seeds = list(models), [checks.as_seed(seed) for seed in seeds]
    _require_alike(models, seeds)
    return fitting.fit(
        [model.network for model in models],
        images,
        labels,
        seeds=seeds,
        progress=progress,
        layerwise=layerwise,
        validation=validation,
        measurements=measurements,
        validation_scores=validation_scores,
    )


def _require_alike(models: Sequence[DCGMM], seeds: Sequence[int]) -> None:
    """Refuse models of which one cannot stand for all."""
    if len(models) != len(seeds) or not models:
        raise ValueError(f"there are {len(models)} models and {len(seeds)} seeds: give one each")
    for name in ("notation", "recipe", "input_shape"):
        if any(getattr(model, name) != getattr(models[0], name) for model in models):
            raise ValueError(f"the models differ in their {name}: fit those together that do not")
    if len(set(map(id, models))) < len(models):
        raise ValueError("a model is there twice: make one for each seed")
