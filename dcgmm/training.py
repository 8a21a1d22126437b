"""Training: every cGMM layer climbs its own loss, all in one pass over the images (Sec. III-G)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from dcgmm import pixels
from dcgmm.errors import DivergenceError
from dcgmm.layers import GMM, Classifier
from dcgmm.recipes import Recipe

_ORDER = 1  # which of a seed's random streams; the initial centroids have another


class Monitor(NamedTuple):
    """Losses on other images, measured while training goes on.

    Attributes:
        measure: from the states to the loss of every cGMM layer.
        measurements: how many to make at least, at equal distances, the last one at the end.
    """

    measure: Callable[[tuple], list[float]]
    measurements: int


def train(
    layers: Sequence[keras.layers.Layer],
    phases: Sequence[tuple[Recipe, Callable]],
    states: tuple,
    images: np.ndarray,
    labels: np.ndarray | None,
    seed: int,
    progress: bool,
    monitor: Monitor | None = None,
) -> tuple[tuple, dict[str, list]]:
    """The whole run: the states after it, and the history.

    Args:
        layers: all of them, built.
        phases: recipes of as many epochs and images a batch each, one after the other, with the
            `learning.training_loop` of each.
        states: of the cGMM layers, bottom to top, and the parameters of a classifier.
        images: float32 [n, H, W, C].
        labels: int32 [n], if and only if the last layer is a classifier.
        seed: of the order of images.
        progress: whether to show a bar, if standard error is a terminal.
        monitor: adds `val_loss` and `val_step` to the history.

    Raises:
        DivergenceError: as soon as a loss is not finite.
    """
    recipe = phases[0][0]
    steps, epochs = len(images) // recipe.batch_size, recipe.epochs
    order = batches(len(images), recipe, seed)
    resident = ops.convert_to_tensor(pixels.packed(images.reshape(len(images), -1)))
    indices = [index for index, layer in enumerate(layers, 1) if isinstance(layer, GMM)]
    gmms = len(indices)
    history: dict[str, list] = {"layers": indices, "loss": [], "radius": []}
    history |= {"val_step": [], "val_loss": []} if monitor else {}
    if labels is not None:
        labels = ops.convert_to_tensor(labels)
        history |= {"cross_entropy": [], "accuracy": []}
    parts = 1 if monitor is None else _parts(steps, epochs * len(phases), monitor.measurements)
    bar = tqdm(total=epochs * len(phases), desc="epochs", disable=None if progress else True)
    for epoch in range(epochs * len(phases)):
        _, run = phases[epoch // epochs]
        seen = np.zeros((), "float32")
        for part, chosen in enumerate(np.split(order(epoch), parts)):
            first = epoch % epochs * steps + part * len(chosen)
            arguments = map(ops.convert_to_tensor, (chosen, np.int32(first)))
            states, more = run(states, resident, *arguments, labels)
            seen = seen + np.asarray(more)
            if monitor:
                history["val_step"].append(epoch * steps + (part + 1) * len(chosen))
                history["val_loss"].append(monitor.measure(states))
        means = [float(total / count) if count else None for total, count in seen]
        _check_finite(layers, means, f"after epoch {epoch + 1}")
        history["loss"].append(means[:gmms])
        history["radius"].append([float(state.annealing.radius) for state in states[:gmms]])
        for name, mean in zip(("cross_entropy", "accuracy"), means[gmms:], strict=False):
            history[name].append(mean)
        bar.update()
    bar.close()
    # The losses of the last step are those before its update.
    _check_finite(layers, map(_finite, states), "after the last step")
    return states, history


def layer_by_layer(recipe: Recipe) -> list[Recipe]:
    """A phase for each cGMM layer, bottom to top, in which it alone learns; a classifier's last.

    It is what Sec. V-A compares the training of all layers at once with.
    """
    count, classifier = len(recipe.waits), recipe.classifier
    return [
        replace(
            recipe,
            waits=tuple(float(index != learning) for index in range(count)),
            classifier=classifier if learning == count - 1 else replace(classifier, wait=1.0),
        )
        for learning in range(count)
    ]


def batches(count: int, recipe: Recipe, seed: int) -> Callable[[int], np.ndarray]:
    """A function from the epoch to the image indices of its steps, [steps, batch_size].

    The remainder smaller than a batch is left out: another one every epoch, or with
    `shuffle="once"` the same for ever.
    """
    steps = count // recipe.batch_size

    def order(epoch: int) -> np.ndarray:
        stream = (seed, _ORDER, epoch if recipe.shuffle == "epoch" else 0)
        shuffled = np.random.default_rng(stream).permutation(count)
        return shuffled[: steps * recipe.batch_size].reshape(steps, -1).astype("int32")

    return order


def _parts(steps: int, epochs: int, measurements: int) -> int:
    """Into how many equal parts of an epoch to measure after each, as few as are enough."""
    enough = [parts for parts in range(1, steps + 1) if parts * epochs >= measurements]
    return next((parts for parts in enough if steps % parts == 0), steps)


def _check_finite(
    layers: Sequence[keras.layers.Layer], losses: Iterable[float | None], when: str
) -> None:
    """Refuse to go on if the loss of a layer, cGMM or classifier, is not finite."""
    learning = [i for i, layer in enumerate(layers, 1) if isinstance(layer, GMM | Classifier)]
    for index, loss in zip(learning, losses, strict=False):  # the last mean is an accuracy
        if loss is not None and not np.isfinite(loss):
            advice = "lower learning_rate or raise min_precision"
            if isinstance(layers[index - 1], Classifier):
                advice = "lower classifier.learning_rate"
            raise DivergenceError(f"the loss of layer {index} is {loss} {when}: {advice}")


def _finite(state: Any) -> float:
    """0 if every number of a layer's state is finite, else NaN."""
    return 0.0 if all(np.isfinite(part).all() for part in keras.tree.flatten(state)) else np.nan
