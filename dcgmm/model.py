"""DCGMM: a stack of layers with scikit-learn's vocabulary for mixtures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from dcgmm import (
    checks,
    classification,
    fitting,
    inference,
    layers,
    notation,
    persistence,
    summary,
)
from dcgmm.errors import DivergenceError
from dcgmm.generative import Generative
from dcgmm.network import Architecture, Network
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

    Attributes:
        network: the layers with their weights, see `dcgmm.network`.
        notation, recipe, input_shape, sampling: as given, with one entry a layer.
        gmm_indices: indices, from 1, of the cGMM layers.

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
        kind = Architecture.checked(layers, recipe, input_shape)
        super().__init__(Network(kind), sampling or Sampling())
        self.notation, self.gmm_indices = kind.notation, kind.gmm_indices
        self.recipe, self.input_shape = kind.recipe, kind.input_shape

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
        measurements: int | Sequence[float] = 50,
        validation_scores: bool = False,
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
            validation: other images [m, H, W, C] to measure on as training goes on, which changes
                no parameter.
            measurements: at least how many, at equal distances, the last one at the end; or when,
                as fractions of the run, such as `(0.1, 0.5, 1)`.
            validation_scores: whether to keep the score of every validation image.

        Returns:
            `layers`, the indices of the cGMM layers, and for every epoch and cGMM layer `loss`,
            the mean training loss (None while the layer waits), and `radius`, of the smoothing.
            With a classifier, for every epoch also its `cross_entropy` and `accuracy`. With
            `validation`, for every measurement `val_step`, the number of steps made, and of every
            cGMM layer `val_radius` and `val_loss` (Eq. 8, nats); with `validation_scores` also
            `val_score`, float32 [cGMM layers, m], as by `score_layers`.

        Raises:
            ValueError: for images of the wrong shape or range, or fewer than a batch; for labels
                that are no classes.
            DivergenceError: as soon as a loss is not finite.
        """
        (outcome,) = fitting.fit(
            [self.network],
            images,
            labels,
            seeds=[checks.as_seed(seed)],
            progress=progress,
            layerwise=layerwise,
            validation=validation,
            measurements=measurements,
            validation_scores=validation_scores,
        )
        if isinstance(outcome, DivergenceError):
            raise outcome
        return outcome

    @checks.numpy_defaults
    def score_layers(self, images: Any) -> dict[int, np.ndarray]:
        """Score of every image under every cGMM layer, `{layer: [n]}` (see `score_samples`)."""
        images = checks.as_images(images, self.input_shape)
        scores = inference.layer_scores(self.network.forward(images, self.gmm_indices[-1]))
        return dict(zip(self.gmm_indices, scores, strict=True))

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
        return np.concatenate([scores[-1] for scores, _ in self.network.forward(images, layer)])

    @checks.numpy_defaults
    def responsibilities(self, images: Any, layer: int | None = None) -> np.ndarray:
        """Posterior probabilities of a cGMM layer's components, [n, H, W, K] (Eq. 7)."""
        layer = checks.as_layer(layer, self.gmm_indices)
        images = checks.as_images(images, self.input_shape)
        return self.network.responsibilities(images, layer)

    @checks.numpy_defaults
    def predict_proba(self, images: Any) -> np.ndarray:
        """Probabilities of the classes by the classifier layer, float32 [n, S]."""
        images = checks.as_images(images, self.input_shape)
        classification.require_fitted(self.classifier, self.fitted)
        classify = self.network.once(
            "classes", lambda: classification.forward_pass(self.layers, self.recipe)
        )
        highest = self.gmm_indices.index(max(self.recipe.classifier.inputs))
        states = (*self.network.states()[: highest + 1], self.classifier.parameters)
        batches = inference.in_batches(classify, states, images)
        return np.concatenate([shares.T for _, shares in batches])

    def predict(self, images: Any) -> np.ndarray:
        """The most probable class of every image, integers [n]."""
        return self.predict_proba(images).argmax(axis=1)

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """The layers, bottom to top; `fit` makes new ones."""
        return self.network.layers

    @property
    def classifier(self) -> layers.Classifier | None:
        """The classifier layer, if there is one."""
        return self.network.classifier

    @property
    def fitted(self) -> bool:
        """Whether the model has been trained."""
        return self.network.fitted

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
        persistence.write(folder, description, self.network.arrays())

    @classmethod
    def load(cls, folder: str | os.PathLike) -> DCGMM:
        """Read a model that `save` wrote; scores come out equal to the bit.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder)
        with persistence.restoring(folder):
            recipe = Recipe().updated(**description["recipe"])
            kind = Architecture.checked(description["layers"], recipe, description["input_shape"])
            sampling = Sampling().updated(**description["sampling"]).for_layers(kind.notation)
            fitted = bool(description["fitted"])
        model = cls(kind.notation, kind.recipe, kind.input_shape, sampling)
        shapes = {name: array.shape for name, array in model.network.arrays().items()}
        with persistence.restoring(folder):
            persistence.check_shapes(arrays, shapes)
        model.network.restore(arrays)
        model.network.fitted = fitted
        return model
