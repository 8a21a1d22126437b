"""A fit: of one network, or of several of one architecture side by side."""

from collections.abc import Sequence
from typing import Any

from dcgmm import checks, classification, inference, learning, training
from dcgmm.errors import DivergenceError
from dcgmm.network import Network
from dcgmm.recipes import Recipe


@checks.numpy_defaults
def fit(
    networks: Sequence[Network],
    images: Any,
    labels: Any,
    *,
    seeds: Sequence[int],
    progress: bool,
    layerwise: bool,
    validation: Any,
    measurements: int | Sequence[float],
    validation_scores: bool,
) -> list[dict[str, list] | DivergenceError]:
    """Train networks of one architecture from scratch, each from a seed of its own.

    Arguments are those of `DCGMM.fit`, with a seed for each network.

    Returns:
        For every network its history, or why it diverged; then it has its initial weights.
    """
    # What is trained on; the first network stands for all, but for its weights.
    network, recipe = networks[0], networks[0].architecture.recipe
    images = checks.as_training_images(images, network.architecture.input_shape)
    if len(images) < recipe.batch_size:
        raise ValueError(
            f"there are {len(images)} images, fewer than one batch of {recipe.batch_size}"
        )
    labels = classification.as_labels(labels, len(images), network.classifier)
    monitor = None
    if validation is not None:
        monitor = _monitor(network, validation, measurements, validation_scores)

    # The run: one phase, or one for each layer.
    starts = [each.start(seed) for each, seed in zip(networks, seeds, strict=True)]
    recipes = training.layer_by_layer(recipe) if layerwise else [recipe]
    steps = len(images) // recipe.batch_size * recipe.epochs
    phases = [(phase, training_loop(network, phase, steps)) for phase in recipes]
    outcomes = training.train(
        network.layers, phases, starts, images, labels, seeds, progress, monitor
    )
    for each, outcome in zip(networks, outcomes, strict=True):
        if not outcome.error:
            each.finish(outcome.states)
    return [outcome.error or outcome.history for outcome in outcomes]


def training_loop(network: Network, recipe: Recipe, steps: int) -> Any:
    """The compiled `learning.training_loop` of a network's architecture."""
    return network.once(
        ("training", recipe, steps),
        lambda: learning.training_loop(
            network.layers, recipe, network.architecture.input_shape, steps
        ),
    )


def _monitor(
    network: Network, images: Any, measurements: int | Sequence[float], with_scores: bool
) -> training.Monitor:
    """What measures every cGMM layer on other images as training goes on.

    It runs what is compiled for scoring anyhow, on images that stay on the device.
    """
    images = checks.as_images(images, network.architecture.input_shape)
    indices, batches = network.architecture.gmm_indices, list(inference.batches(images))
    forward = network.forward_pass(indices[-1])

    def measure(states: tuple) -> dict[str, Any]:
        states = states[: len(indices)]  # without a classifier's
        outputs = [forward(states, batch) for batch in batches]
        scores = inference.layer_scores(outputs)[:, : len(images)]  # [L, n], without the padding
        return {
            "val_radius": [float(state.annealing.radius) for state in states],
            "val_loss": scores.mean(axis=1, dtype=float).tolist(),
            **({"val_score": scores} if with_scores else {}),
        }

    return training.Monitor(measure, checks.as_measurements(measurements))
