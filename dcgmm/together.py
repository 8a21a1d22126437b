"""Training: of one model, or of several of one kind that differ in their seeds, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dcgmm import checks, classification, training
from dcgmm.errors import DivergenceError

if TYPE_CHECKING:
    from dcgmm.model import DCGMM


@checks.numpy_defaults
def fit_together(
    models: Sequence[DCGMM],
    images: Any,
    labels: Any = None,
    *,
    seeds: Sequence[int],
    progress: bool = False,
    layerwise: bool = False,
    validation: Any = None,
    measurements: int = 50,
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
        validation: other images to measure losses on.
        measurements: at least how many.

    Returns:
        For every model the history that `DCGMM.fit` returns, or the error that it would raise,
        which stops no other model; it is left as if it had not been fitted.

    Raises:
        ValueError: for models that differ, as many seeds as there are no models, or what
            `DCGMM.fit` refuses.
    """
    models, seeds = list(models), [checks.as_seed(seed) for seed in seeds]
    first = _alike(models, seeds)
    images = checks.as_training_images(images, first.input_shape)
    if len(images) < first.recipe.batch_size:
        raise ValueError(
            f"there are {len(images)} images, fewer than one batch of {first.recipe.batch_size}"
        )
    labels = classification.as_labels(labels, len(images), first.classifier)
    monitor = first.monitor(validation, measurements)
    starts = [model.start(seed) for model, seed in zip(models, seeds, strict=True)]
    recipes = training.layer_by_layer(first.recipe) if layerwise else [first.recipe]
    steps = len(images) // first.recipe.batch_size * first.recipe.epochs
    phases = [(recipe, first.training_loop(recipe, steps)) for recipe in recipes]
    outcomes = training.train(
        first.layers, phases, starts, images, labels, seeds, progress, monitor
    )
    for model, outcome in zip(models, outcomes, strict=True):
        if not outcome.error:
            model.finish(outcome.states)
    return [outcome.error or outcome.history for outcome in outcomes]


def _alike(models: Sequence[DCGMM], seeds: Sequence[int]) -> DCGMM:
    """The first of the models, if one can stand for all."""
    if len(models) != len(seeds) or not models:
        raise ValueError(f"there are {len(models)} models and {len(seeds)} seeds: give one each")
    for name in ("notation", "recipe", "input_shape"):
        if any(getattr(model, name) != getattr(models[0], name) for model in models):
            raise ValueError(f"the models differ in their {name}: fit those together that do not")
    if len(set(map(id, models))) < len(models):
        raise ValueError("a model is there twice: make one for each seed")
    return models[0]
