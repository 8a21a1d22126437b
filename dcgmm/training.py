"""Training: every cGMM layer climbs its own loss, all in one pass over the images (Sec. III-G)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from dcgmm import pixels, streams
from dcgmm.errors import DivergenceError
from dcgmm.layers import GMM, Classifier
from dcgmm.recipes import Recipe


class Monitor(NamedTuple):
    """What is measured while training goes on.

    Attributes:
        measure: from the states to entries of the history.
        measurements: how many to make at least, at equal distances, the last one at the end; or
            when, as rising fractions of the run.
    """

    measure: Callable[[tuple], dict[str, Any]]
    measurements: int | Sequence[float]


class Outcome(NamedTuple):
    """How the training of one model ended.

    Attributes:
        states: of its layers.
        history: what `DCGMM.fit` returns.
        error: why it diverged, or None.
    """

    states: tuple
    history: dict[str, list]
    error: DivergenceError | None = None


def train(
    layers: Sequence[keras.layers.Layer],
    phases: Sequence[tuple[Recipe, Callable]],
    starts: Sequence[tuple],
    images: np.ndarray,
    labels: np.ndarray | None,
    seeds: Sequence[int],
    progress: bool,
    monitor: Monitor | None = None,
) -> list[Outcome]:
    """Train one model, or several side by side, and return an outcome each.

    A model that diverges stops no other; the run ends when all have.

    Args:
        layers: all of them, built; models side by side have the same.
        phases: recipes of as many epochs and images a batch each, one after the other, with the
            `learning.training_loop` of each.
        starts: for each model, the states of its cGMM layers, bottom to top, and the parameters of
            a classifier.
        images: [n, H, W, C], float32, or bytes that stand for themselves over 255.
        labels: int32 [n], if and only if the last layer is a classifier.
        seeds: for each model, that of its order of images.
        progress: whether to show a bar, if standard error is a terminal.
        monitor: adds `val_step` and what it measures to the history.
    """
    # What does not change: how long the run is, each model's order of images, the device's data.
    recipe = phases[0][0]
    steps, epochs = len(images) // recipe.batch_size, recipe.epochs
    orders = [batches(len(images), recipe, seed) for seed in seeds]
    resident = ops.convert_to_tensor(pixels.packed(images.reshape(len(images), -1)))
    labels = None if labels is None else ops.convert_to_tensor(labels)

    # Epoch by epoch, each in parts after which the monitor measures.
    outcomes = [Outcome(states, _empty_history(layers)) for states in starts]
    measured = _measured_steps(steps, epochs * len(phases), monitor) if monitor else ()
    bar = tqdm(total=epochs * len(phases), desc="epochs", disable=None if progress else True)
    for epoch in range(epochs * len(phases)):
        _, run = phases[epoch // epochs]
        states = [outcome.states for outcome in outcomes]
        totals = np.zeros((), "float32")
        made = epoch * steps  # since the start of the run
        cuts = [step - made for step in measured if made < step < made + steps]
        chosen = [np.split(order(epoch), cuts) for order in orders]  # [model][part]
        for batch_indices in zip(*chosen, strict=True):
            first = ops.convert_to_tensor(np.int32(made % (epochs * steps)))  # in its phase
            models = list(zip(states, map(ops.convert_to_tensor, batch_indices), strict=True))
            states, seen = zip(*run(models, resident, first, labels), strict=True)
            totals = totals + np.stack([np.asarray(of_model) for of_model in seen])  # [model, L, 2]
            made += len(batch_indices[0])
            if made in measured:
                for outcome, of_model in zip(outcomes, states, strict=True):
                    for name, value in ({"val_step": made} | monitor.measure(of_model)).items():
                        outcome.history.setdefault(name, []).append(value)
        outcomes = [
            _after_epoch(layers, *each, f"after epoch {epoch + 1}")
            for each in zip(outcomes, states, totals, strict=True)
        ]
        bar.update()
        if all(outcome.error for outcome in outcomes):
            break
    bar.close()
    return [_ended(layers, outcome) for outcome in outcomes]


def _empty_history(layers: Sequence[keras.layers.Layer]) -> dict[str, list]:
    """What `DCGMM.fit` returns, before the first epoch."""
    history: dict[str, list] = {
        "layers": [index for index, layer in enumerate(layers, 1) if isinstance(layer, GMM)],
        "loss": [],
        "radius": [],
    }
    if isinstance(layers[-1], Classifier):
        history |= {"cross_entropy": [], "accuracy": []}
    return history


def _after_epoch(
    layers: Sequence[keras.layers.Layer],
    outcome: Outcome,
    states: tuple,
    seen: np.ndarray,
    when: str,
) -> Outcome:
    """The outcome with an epoch more, unless it had ended before."""
    if outcome.error:
        return outcome
    history = outcome.history
    gmms = len(history["layers"])
    means = [float(total / count) if count else None for total, count in seen]
    history["loss"].append(means[:gmms])
    history["radius"].append([float(state.annealing.radius) for state in states[:gmms]])
    for name, mean in zip(("cross_entropy", "accuracy"), means[gmms:], strict=False):
        history[name].append(mean)
    return Outcome(states, history, _divergence(layers, means, when))


def _ended(layers: Sequence[keras.layers.Layer], outcome: Outcome) -> Outcome:
    """The outcome of the whole run: the losses of its last step are those before its update."""
    last = _divergence(layers, map(_finite, outcome.states), "after the last step")
    return outcome._replace(error=outcome.error or last)


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
        stream = (seed, streams.ORDER, epoch if recipe.shuffle == "epoch" else 0)
        shuffled = np.random.default_rng(stream).permutation(count)
        return shuffled[: steps * recipe.batch_size].reshape(steps, -1).astype("int32")

    return order


def _measured_steps(steps: int, epochs: int, monitor: Monitor) -> Sequence[int]:
    """After which steps of a run to measure.

    A count is of equal parts of an epoch, as few as are enough, or of whole epochs, since every
    length of a part is compiled on its own.
    """
    total, count = steps * epochs, monitor.measurements
    if not isinstance(count, int):
        return sorted({max(round(fraction * total), 1) for fraction in count})
    enough = [parts for parts in range(1, steps + 1) if parts * epochs >= count]
    parts = next((parts for parts in enough if steps % parts == 0), steps)
    apart = steps // parts * max(parts * epochs // count, 1)
    return range(total, 0, -apart)[::-1]


def _divergence(
    layers: Sequence[keras.layers.Layer], losses: Iterable[float | None], when: str
) -> DivergenceError | None:
    """What is wrong if the loss of a layer, cGMM or classifier, is not finite."""
    learning = [i for i, layer in enumerate(layers, 1) if isinstance(layer, GMM | Classifier)]
    for index, loss in zip(learning, losses, strict=False):  # the last mean is an accuracy
        if loss is not None and not np.isfinite(loss):
            advice = "lower learning_rate or raise min_precision"
            if isinstance(layers[index - 1], Classifier):
                advice = "lower classifier.learning_rate"
            return DivergenceError(f"the loss of layer {index} is {loss} {when}: {advice}")
    return None


def _finite(state: Any) -> float:
    """0 if every number of a layer's state is finite, else NaN."""
    return 0.0 if all(np.isfinite(part).all() for part in keras.tree.flatten(state)) else np.nan
