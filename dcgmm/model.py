"""DCGMM: a stack of layers with scikit-learn's vocabulary for mixtures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from dcgmm import (
    annealing,
    checks,
    classification,
    inference,
    layers,
    learning,
    notation,
    persistence,
    stack,
    summary,
    together,
    training,
)
from dcgmm.annealing import AnnealingState
from dcgmm.errors import DivergenceError
from dcgmm.generative import Generative
from dcgmm.learning import LayerState
from dcgmm.recipes import Recipe, instance
from dcgmm.sampling_recipe import Sampling


class DCGMM(Generative):
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
        sampling: how to draw images from it.

    Raises:
        ValueError: for notation that does not parse or layers that do not fit the image.
    """

    capabilities = frozenset({"score", "sample", "inpaint"})

    def __init__(
        self,
        layers: str | Sequence[notation.Layer],
        recipe: Recipe | None = None,
        input_shape: tuple[int, int, int] = (28, 28, 1),
        sampling: Sampling | None = None,
    ) -> None:
        self._describe(layers, recipe, input_shape, sampling)
        self._initialise(seed=0)

    def _describe(
        self,
        layers: str | Sequence[notation.Layer],
        recipe: Recipe | None,
        input_shape: Sequence[int],
        sampling: Sampling | None,
    ) -> None:
        """Take over the constructor's arguments; no layer is made yet."""
        self.notation = notation.parse(layers) if isinstance(layers, str) else tuple(layers)
        self.gmm_indices = notation.gmm_indices(self.notation)
        if not self.gmm_indices:
            raise ValueError("layers hold no cGMM layer: add one, for example notation.GMM(49)")
        self.recipe = (recipe or Recipe()).for_layers(self.notation)
        self.input_shape = checks.as_shape(input_shape)
        notation.shapes(self.notation, self.input_shape)  # refuses a kernel that does not fit
        self.sampling = (sampling or Sampling()).for_layers(self.notation)

    @classmethod
    def from_instance(
        cls,
        name: str,
        recipe: str = "paper",
        input_shape: tuple[int, int, int] | None = None,
        **changes: Any,
    ) -> DCGMM:
        """An instance of Table V under a published recipe, `changes` made to its settings.

        `input_shape` is by default that of the images which the instance is for.
        """
        published = instance(name, recipe)
        trained = published.recipe.updated(**changes)
        shape = input_shape or published.input_shape
        return cls(published.layers, trained, shape, published.sampling)

    def fit(
        self,
        images: Any,
        labels: Any = None,
        *,
        seed: int = 0,
        progress: bool = False,
        layerwise: bool = False,
        validation: Any = None,
        measurements: int = 50,
    ) -> dict[str, list]:
        """Train from scratch by SGD, all layers in one pass (Sec. III-G).

        Args:
            images: [n, H, W, C] in [0, 1]; or bytes, uint8, which here as everywhere stand for
                themselves over 255, and take a quarter of the memory.
            labels: integers [n] from 0, if and only if the last layer is a classifier.
            seed: of initial centroids and of the order of images, from 0 to 2**32 - 1. On a CPU
                the same seed gives the same bits.
            progress: whether to show a bar, if standard error is a terminal.
            layerwise: train one cGMM layer after the other instead, each for all epochs and
                without a delay while those below it rest (Sec. V-A compares the two).
            validation: other images [m, H, W, C] to measure losses on as training goes on.
            measurements: at least how many, at equal distances, the last one at the end.

        Returns:
            `layers`, the indices of the cGMM layers, and for every epoch and cGMM layer `loss`,
            the mean training loss (None while the layer waits), and `radius`, of the smoothing.
            With a classifier, for every epoch also its `cross_entropy` and `accuracy`. With
            `validation`, for every measurement `val_step`, the number of steps made, and
            `val_loss`, of every cGMM layer (Eq. 8, nats).

        Raises:
            ValueError: for images of the wrong shape or range, or fewer than a batch; for labels
                that are no classes.
            DivergenceError: as soon as a loss is not finite.
        """
        (outcome,) = together.fit_together(
            [self],
            images,
            labels,
            seeds=[seed],
            progress=progress,
            layerwise=layerwise,
            validation=validation,
            measurements=measurements,
        )
        if isinstance(outcome, DivergenceError):
            raise outcome
        return outcome

    def start(self, seed: int) -> tuple:
        """Fresh weights: what training starts from (`together.fit_together`)."""
        self._initialise(seed)
        return (*self._states(), *([self.classifier.parameters] if self.classifier else []))

    def finish(self, states: tuple) -> None:
        """Take over what training from `start` has ended with."""
        if self.classifier:
            *states, self.classifier.parameters = states
        self._assign(states)
        self.fitted = True

    @checks.numpy_defaults
    def score_layers(self, images: Any) -> dict[int, np.ndarray]:
        """Score of every image under every cGMM layer, `{layer: [n]}` (see `score_samples`)."""
        images = checks.as_images(images, self.input_shape)
        batches = [scores for scores, _ in self._forward(images, self.gmm_indices[-1])]
        columns = map(np.concatenate, zip(*batches, strict=True))
        return dict(zip(self.gmm_indices, columns, strict=True))

    @checks.numpy_defaults
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

    @checks.numpy_defaults
    def responsibilities(self, images: Any, layer: int | None = None) -> np.ndarray:
        """Posterior probabilities of a cGMM layer's components, [n, H, W, K] (Eq. 7)."""
        layer = checks.as_layer(layer, self.gmm_indices)
        images = checks.as_images(images, self.input_shape)
        gammas = [gamma.transpose(3, 0, 1, 2) for _, gamma in self._forward(images, layer)]
        return np.concatenate(gammas)

    @checks.numpy_defaults
    def predict_proba(self, images: Any) -> np.ndarray:
        """Probabilities of the classes by the classifier layer, float32 [n, S]."""
        images = checks.as_images(images, self.input_shape)
        classification.require_fitted(self.classifier, self.fitted)
        classify = self._once(
            "classes", lambda: classification.forward_pass(self.layers, self.recipe)
        )
        top = self.gmm_indices.index(max(self.recipe.classifier.inputs))
        states = (*self._states()[: top + 1], self.classifier.parameters)
        batches = inference.in_batches(classify, states, images)
        return np.concatenate([shares.T for _, shares in batches])

    def predict(self, images: Any) -> np.ndarray:
        """The most probable class of every image, integers [n]."""
        return self.predict_proba(images).argmax(axis=1)

    @checks.numpy_defaults
    def control_signal(self, classes: Any, confidence: float = 0.95) -> np.ndarray:
        """What `sample` takes as `top` for images of given classes [n], see `classification`."""
        return classification.control_signal(self.layers, self.recipe, classes, confidence)

    @property
    def classifier(self) -> layers.Classifier | None:
        """The classifier layer, if there is one."""
        return self.layers[-1] if isinstance(self.layers[-1], layers.Classifier) else None

    @property
    def n_parameters(self) -> int:
        """Trainable numbers: centroids, precisions and weights, and the classifier's."""
        return self.count_parameters("all")

    def count_parameters(self, convention: str = "centroids") -> int:
        """Parameters by Table V's convention (`centroids`) or in full (`all`)."""
        return summary.count_parameters(self.notation, self.recipe, self.input_shape, convention)

    def summary(self) -> str:
        """Layers, output shapes (Table VI) and both parameter counts, as text."""
        return summary.text(self.notation, self.recipe, self.input_shape)

    def save(self, folder: str | os.PathLike) -> None:
        """Write the model to a folder, replacing a model that is there and no other file.

        Raises:
            FileExistsError: if the folder holds something else instead.
        """
        description = {
            "layers": notation.write(self.notation),
            "input_shape": self.input_shape,
            "recipe": asdict(self.recipe),
            "sampling": asdict(self.sampling),
            "fitted": self.fitted,
        }
        persistence.write(folder, description, persistence.as_arrays(self._parts()))

    @classmethod
    def load(cls, folder: str | os.PathLike) -> DCGMM:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder)
        model = cls.__new__(cls)
        with persistence.restoring(folder):
            model._describe(
                description["layers"],
                Recipe().updated(**description["recipe"]),
                description["input_shape"],
                Sampling().updated(**description["sampling"]),
            )
            fitted = bool(description["fitted"])
        model._initialise(seed=0)
        parts = model._parts()
        shapes = {name: like.shape for name, like in persistence.as_arrays(parts).items()}
        with persistence.restoring(folder):
            persistence.check_shapes(arrays, shapes)
        model._assign(
            [
                LayerState(*(persistence.part(like, arrays, index) for like in parts[index]))
                for index in model.gmm_indices
            ]
        )
        if head := model.classifier:
            head.parameters = persistence.part(head.parameters, arrays, len(model.layers))
        model.fitted = fitted
        return model

    def _initialise(self, seed: int) -> None:
        """Make the layers with fresh weights."""
        self.fitted = False
        self.layers = stack.build(self.notation, self.recipe, self.input_shape, seed)
        self._annealing: list[AnnealingState] = [
            annealing.initial_state(layer.components, self.recipe) for layer in self._gmms()
        ]
        self._compiled = _compiled(self.notation, self.recipe, self.input_shape)

    def _gmms(self) -> list[layers.GMM]:
        return [self.layers[index - 1] for index in self.gmm_indices]

    def _states(self) -> tuple[LayerState, ...]:
        return tuple(
            LayerState(layer.parameters, AnnealingState(*map(ops.convert_to_tensor, controller)))
            for layer, controller in zip(self._gmms(), self._annealing, strict=True)
        )

    def _parts(self) -> dict[int, tuple]:
        """What is saved of every layer that has something, by its index."""
        parts: dict[int, tuple] = dict(zip(self.gmm_indices, self._states(), strict=True))
        if self.classifier:
            parts[len(self.layers)] = (self.classifier.parameters,)
        return parts

    def _assign(self, states: Sequence[LayerState]) -> None:
        for layer, state in zip(self._gmms(), states, strict=True):
            layer.parameters = state.parameters
        self._annealing = [AnnealingState(*map(np.asarray, state.annealing)) for state in states]

    def training_loop(self, recipe: Recipe, steps: int) -> Any:
        """The compiled `learning.training_loop` of this kind of model."""
        loop = lambda: learning.training_loop(self.layers, recipe, self.input_shape, steps)  # noqa: E731
        return self._once(("training", recipe, steps), loop)

    def monitor(self, images: Any, measurements: int) -> training.Monitor | None:
        """What measures losses on other images as training goes on; nothing without them."""
        if images is None:
            return None
        images = checks.as_images(images, self.input_shape)

        top, count = self.gmm_indices[-1], len(self.gmm_indices)
        measure = lambda states: inference.losses(self._forward(images, top, states[:count]))  # noqa: E731
        return training.Monitor(measure, checks.as_count("measurements", measurements))

    def _forward(self, images: np.ndarray, layer: int, states: tuple | None = None) -> Any:
        forward = self._once(layer, lambda: inference.forward_pass(self.layers, layer))
        if states is None:
            states = self._states()[: self.gmm_indices.index(layer) + 1]
        return inference.in_batches(forward, states, images)


@lru_cache(maxsize=8)
def _compiled(layers: tuple, recipe: Recipe, input_shape: tuple) -> dict[Any, Any]:
    """What has been compiled for an architecture: all its models share it, as it holds no state."""
    return {}
