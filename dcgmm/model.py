"""DCGMM: a stack of layers with scikit-learn's vocabulary for mixtures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from dcgmm import annealing, checks, inference, layers, notation, persistence, training
from dcgmm.annealing import AnnealingState
from dcgmm.errors import DivergenceError
from dcgmm.layers.gmm import Parameters
from dcgmm.recipes import Recipe, instance
from dcgmm.training import LayerState


class DCGMM:
    """Deep Convolutional Gaussian Mixture Model.

    >>> model = DCGMM("F(3,1)-G(25)-F(4,2)-G(25)-F(12,1)-G(49)")
    >>> history = model.fit(images, seed=0)
    >>> scores = model.score_samples(images)

    Every cGMM layer maximises a loss of its own and is a probabilistic model of its own input;
    layers are numbered from 1 as in the paper, transformations included. Before `fit` the
    parameters are the initial ones of seed 0.

    Args:
        layers: the instance in the paper's notation (Table V), as text or parsed.
        recipe: how to train it.
        input_shape: [H, W, C] of an image.

    Raises:
        ValueError: for notation that does not parse or layers that do not fit the image.
    """

    capabilities = frozenset({"score"})

    def __init__(
        self,
        layers: str | Sequence[notation.Layer],
        recipe: Recipe | None = None,
        input_shape: tuple[int, int, int] = (28, 28, 1),
    ) -> None:
        self.notation = notation.parse(layers) if isinstance(layers, str) else tuple(layers)
        self.recipe = (recipe or Recipe()).for_layers(self.notation)
        self.input_shape = checks.as_shape(input_shape)
        self.gmm_indices = notation.gmm_indices(self.notation)
        if not self.gmm_indices:
            raise ValueError("layers hold no cGMM layer: add one, for example notation.GMM(49)")
        notation.shapes(self.notation, self.input_shape)  # refuses a kernel that does not fit
        self._initialise(seed=0)

    @classmethod
    def from_instance(
        cls,
        name: str,
        recipe: str = "paper",
        input_shape: tuple[int, int, int] = (28, 28, 1),
        **changes: Any,
    ) -> DCGMM:
        """An instance of Table V under a published recipe, `changes` made to its settings."""
        published = instance(name, recipe)
        return cls(published.layers, published.recipe.updated(**changes), input_shape)

    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch by SGD, all layers in one pass (Sec. III-G).

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: of initial centroids and of the order of images. On a CPU the same seed gives
                the same bits.
            progress: whether to show a bar, if standard error is a terminal.

        Returns:
            `layers`, the indices of the cGMM layers, and for every epoch and cGMM layer `loss`,
            the mean training loss (None while the layer waits), and `radius`, of the smoothing.

        Raises:
            ValueError: for images of the wrong shape or range, or fewer than a batch.
            DivergenceError: as soon as a loss is not finite.
        """
        images = checks.as_images(images, self.input_shape)
        if len(images) < self.recipe.batch_size:
            raise ValueError(
                f"there are {len(images)} images, fewer than one batch of {self.recipe.batch_size}"
            )
        seed = checks.as_seed(seed)
        self._initialise(seed)
        order = training.batches(len(images), self.recipe, seed)
        steps = len(images) // self.recipe.batch_size
        run = training.training_loop(
            self.layers, self.recipe, self.input_shape, steps * self.recipe.epochs
        )
        resident = ops.convert_to_tensor(images.reshape(len(images), -1))
        history: dict[str, list] = {"layers": list(self.gmm_indices), "loss": [], "radius": []}
        states = self._states()
        for epoch in tqdm(range(self.recipe.epochs), "epochs", disable=None if progress else True):
            first = ops.convert_to_tensor(np.int32(epoch * steps))
            states, seen = run(states, resident, ops.convert_to_tensor(order(epoch)), first)
            losses = [total / count if count else None for total, count in np.asarray(seen)]
            self._check_finite(losses, f"after epoch {epoch + 1}")
            history["loss"].append([None if loss is None else float(loss) for loss in losses])
            history["radius"].append([float(state.annealing.radius) for state in states])
        # The losses of the last step are those before its update.
        self._check_finite([_finite(state.parameters) for state in states], "after the last step")
        self._assign(states)
        return history

    def score_layers(self, images: Any) -> dict[int, np.ndarray]:
        """Score of every image under every cGMM layer, `{layer: [n]}` (see `score_samples`)."""
        images = checks.as_images(images, self.input_shape)
        batches = [scores for scores, _ in self._forward(images, self.gmm_indices[-1])]
        columns = map(np.concatenate, zip(*batches, strict=True))
        return dict(zip(self.gmm_indices, columns, strict=True))

    def score_samples(self, images: Any, layer: int | None = None) -> np.ndarray:
        """Log-density of every image under one cGMM layer, by its best component, in nats [n].

        It is the layer's loss (Eq. 8) of that image, a mean over the layer's positions. Only for
        an instance of a single cGMM layer is it a lower bound of the log-density of pixels:
        a higher layer measures the density of the responsibilities below it.

        Args:
            images: [n, H, W, C] in [0, 1].
            layer: index of a cGMM layer as in the paper; None is the top one.
        """
        layer = checks.as_layer(layer, self.gmm_indices)
        images = checks.as_images(images, self.input_shape)
        return np.concatenate([scores[-1] for scores, _ in self._forward(images, layer)])

    def responsibilities(self, images: Any, layer: int | None = None) -> np.ndarray:
        """Posterior probabilities of a cGMM layer's components, [n, H, W, K] (Eq. 7)."""
        layer = checks.as_layer(layer, self.gmm_indices)
        images = checks.as_images(images, self.input_shape)
        gammas = [gamma.transpose(3, 0, 1, 2) for _, gamma in self._forward(images, layer)]
        return np.concatenate(gammas)

    @property
    def n_parameters(self) -> int:
        """Trainable numbers of all cGMM layers: centroids, precisions and weights."""
        return self.count_parameters("all")

    def count_parameters(self, convention: str = "centroids") -> int:
        """Parameters by Table V's convention (`centroids`) or in full (`all`)."""
        independent = self.recipe.independent_layers(self.notation)
        return notation.count_parameters(
            self.notation, self.input_shape, independent=independent, convention=convention
        )

    def summary(self) -> str:
        """Layers, output shapes (Table VI) and both parameter counts, as text."""
        own = self.recipe.independent_layers(self.notation)
        shapes = notation.shapes(self.notation, self.input_shape)
        lines = [f"{'':4}{'layer':12}{'H':>4}{'W':>4}{'C':>6}  parameters"]
        for index, (layer, shape) in enumerate(zip(self.notation, shapes, strict=True), start=1):
            sharing = "independent" if index in own else "shared"
            if index not in self.gmm_indices:
                sharing = ""
            height, width, channels = shape
            lines.append(
                f"L{index:<3}{layer!s:12}{height:4}{width:4}{channels:6}  {sharing}".rstrip()
            )
        lines.append(
            f"parameters: {self.count_parameters('centroids'):,} centroid entries (Table V), "
            f"{self.n_parameters:,} with precisions and weights"
        )
        return "\n".join(lines)

    def save(self, folder: str | os.PathLike) -> None:
        """Write the model to a folder, replacing a model that is there."""
        arrays = {}
        for index, state in zip(self.gmm_indices, self._states(), strict=True):
            for part in state:
                for name, value in part._asdict().items():
                    arrays[f"L{index}/{name}"] = np.asarray(value)
        description = {
            "layers": notation.write(self.notation),
            "input_shape": self.input_shape,
            "recipe": asdict(self.recipe),
        }
        persistence.write(folder, description, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> DCGMM:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder)
        try:
            model = cls(
                description["layers"],
                Recipe().updated(**description["recipe"]),
                tuple(description["input_shape"]),
            )
            model._assign(
                tuple(
                    LayerState(*(_from_arrays(kind, arrays, index) for kind in _STATE_PARTS))
                    for index in model.gmm_indices
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the DCGMM in {folder} is damaged ({error}): fit it again") from None
        return model

    def _initialise(self, seed: int) -> None:
        """Make the layers with fresh weights; each cGMM layer has a random stream of its own."""
        self.layers: list[keras.layers.Layer] = []
        self._annealing: list[AnnealingState] = []
        self._compiled: dict[int, Any] = {}
        shape: tuple = (*self.input_shape, None)
        for index, symbolic in enumerate(self.notation, start=1):
            layer = self._make(symbolic, index, seed)
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
            self.layers.append(layer)

    def _make(self, layer: notation.Layer, index: int, seed: int) -> keras.layers.Layer:
        match layer:
            case notation.Folding(kernel, stride):
                return layers.Folding(kernel, stride)
            case notation.MaxPooling(kernel, stride):
                return layers.MaxPooling(kernel, stride)
            case notation.GMM(components):
                self._annealing.append(annealing.initial_state(components, self.recipe))
                return layers.GMM(
                    components,
                    independent=self.recipe.independent[self.gmm_indices.index(index)],
                    mu_init=self.recipe.mu_init,
                    max_precision=self.recipe.max_precision,
                    seed=(seed, _CENTROIDS, index),
                )
        raise ValueError(
            f"layer {index} of {notation.write(self.notation)} is a classifier, which this version "
            "cannot train: leave it out"
        )

    def _gmms(self) -> list[layers.GMM]:
        return [self.layers[index - 1] for index in self.gmm_indices]

    def _states(self) -> tuple[LayerState, ...]:
        return tuple(
            LayerState(layer.parameters, AnnealingState(*map(ops.convert_to_tensor, controller)))
            for layer, controller in zip(self._gmms(), self._annealing, strict=True)
        )

    def _assign(self, states: Sequence[LayerState]) -> None:
        for layer, state in zip(self._gmms(), states, strict=True):
            layer.parameters = state.parameters
        self._annealing = [AnnealingState(*map(np.asarray, state.annealing)) for state in states]

    def _forward(self, images: np.ndarray, layer: int) -> Any:
        if layer not in self._compiled:
            self._compiled[layer] = inference.forward_pass(self.layers, layer)
        states = self._states()[: self.gmm_indices.index(layer) + 1]
        return inference.in_batches(self._compiled[layer], states, images)

    def _check_finite(self, losses: list, when: str) -> None:
        for index, loss in zip(self.gmm_indices, losses, strict=True):
            if loss is not None and not np.isfinite(loss):
                raise DivergenceError(
                    f"the loss of layer {index} is {loss} {when}: "
                    "lower learning_rate or raise min_precision"
                )


_CENTROIDS = 0  # which of a seed's random streams; training.batches draws from another
_STATE_PARTS = (Parameters, AnnealingState)


def _finite(parameters: Parameters) -> float:
    """0 if every parameter is finite, else NaN."""
    return 0.0 if all(np.isfinite(values).all() for values in parameters) else math.nan


def _from_arrays(kind: type, arrays: dict[str, np.ndarray], index: int) -> Any:
    return kind(*(arrays[f"L{index}/{name}"] for name in kind._fields))
