"""The judge: the CNN of Table VII, trained on real images to classify drawn ones.

Table VII names no padding. It is `valid` here, the default of the library that the paper used, and
the only one under which the VAE's decoder in the next table fits. `same` would also work, at one
and a half times the cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import layers

from workflow.common import npz, places

BATCH_SIZE = 100
CHANNELS, NEURONS, DROPOUT = 64, 350, 0.1
SMALLEST = 24  # pixels a side, below which the three poolings leave nothing
PATIENCE = 200  # steps after which training must have begun to learn, and at least an epoch
_AT_ONCE = 200  # images per prediction batch, so that their activations stay in the caches


@dataclass
class Attempt:
    """History of a training at one learning rate, one entry per epoch.

    Attributes:
        learning_rate: of Adam.
        loss: mean cross-entropy of the training images, in nats.
        accuracy: of the training images, dropout on.
        collapsed: how training collapsed; empty if it did not.
    """

    learning_rate: float
    loss: list[float | None] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    collapsed: str = ""


class Judge:
    """The CNN of Table VII, returning logits instead of its softmax.

    Args:
        input_shape: (H, W, C) of an image.
        classes: their number; labels run from 0.
        seed: of the initial weights and of dropout.

    Raises:
        ValueError: for images too small for the network.
    """

    def __init__(self, input_shape: tuple[int, int, int], classes: int, seed: int = 0) -> None:
        if min(input_shape[:2]) < SMALLEST:
            raise ValueError(
                f"images are {input_shape[0]}x{input_shape[1]}, the judge (Table VII) needs at "
                f"least {SMALLEST} pixels a side"
            )
        self.input_shape, self.classes = tuple(input_shape), classes
        self.network = _network(self.input_shape, classes, seed)
        features = self.network.get_layer("features").output
        self._both = keras.Model(self.network.inputs, [self.network.outputs[0], features])

    def fit(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        learning_rate: float,
        epochs: int,
        seed: int,
        report: Callable[[str], None] = print,
    ) -> Attempt:
        """Train by Adam on the cross-entropy, from the current weights.

        Training stops when it has collapsed: the loss is not finite, or the training accuracy is
        below twice that of guessing after `PATIENCE` steps or the last epoch. Dead ReLUs do not
        recover.

        Args:
            images: [n, H, W, C] in [0, 1].
            labels: integers [n].
            learning_rate: of Adam.
            epochs: passes over the images, each in a new order.
            seed: of these orders.
            report: receives a line about every epoch.
        """
        # On a CPU, TensorFlow's kernels are 1.5 times as fast as XLA's (measured); JAX needs XLA.
        self.network.compile(
            keras.optimizers.Adam(learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=keras.backend.backend() == "jax",
        )
        attempt = Attempt(learning_rate)
        order = np.random.default_rng(seed)
        for epoch in range(epochs):
            # One epoch, in an order that the seed alone determines.
            permutation = order.permutation(len(images))
            epoch_fit = self.network.fit(
                images[permutation], labels[permutation], BATCH_SIZE, verbose=0, shuffle=False
            )
            loss, accuracy = (epoch_fit.history[name][0] for name in ("loss", "accuracy"))
            attempt.loss.append(loss if math.isfinite(loss) else None)
            attempt.accuracy.append(accuracy)
            report(
                f"learning rate {learning_rate:g}, epoch {epoch + 1} of {epochs}: loss {loss:.4f}, "
                f"training accuracy {accuracy:.2%}"
            )
            # Stop at a collapse.
            past_patience = epoch > 0 and (epoch + 1) * len(images) >= PATIENCE * BATCH_SIZE
            if not math.isfinite(loss):
                attempt.collapsed = f"the loss is {loss} in epoch {epoch + 1}"
            elif accuracy < 2 / self.classes and (past_patience or epoch + 1 == epochs):
                attempt.collapsed = f"training accuracy is {accuracy:.2%} in epoch {epoch + 1}"
            if attempt.collapsed:
                break
        return attempt

    def look(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict classes and features of images, in one pass.

        Args:
            images: [n, H, W, C] in [0, 1].

        Returns:
            Classes, integers [n], and features, the activations of the last layer but one,
            float32 [n, 350].
        """
        logits, features = self._both.predict(images, batch_size=_AT_ONCE, verbose=0)
        return logits.argmax(1), features

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Fraction of the images that are assigned to their class."""
        return float((self.look(images)[0] == labels).mean())

    @property
    def arrays(self) -> npz.Arrays:
        """The weights as `<layer>/kernel` and `<layer>/bias`."""
        return {_name(weight): np.asarray(weight) for weight in self.network.weights}

    def load(self, path: Path) -> None:
        """Load the weights of a judge.

        Raises:
            ValueError: if the file is missing or damaged, or belongs to another network or to
                another judge than its path says.
        """
        weights = [weight for layer in self.network.layers for weight in layer.trainable_weights]
        try:
            identity, arrays = npz.read(path)
            places.check(path, identity)
            for weight in weights:
                weight.assign(arrays[_name(weight)])
        except Exception as error:  # damaged bytes may raise anything
            raise ValueError(f"{path} holds no such judge ({error}): train it again") from None


def train(
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    seed: int,
    epochs: int,
    learning_rates: Sequence[float],
    report: Callable[[str], None] = print,
) -> tuple[Judge, Attempt, list[Attempt]]:
    """Train a judge at each learning rate and return the one with the highest training accuracy.

    A judge is an instrument: unless it classifies real images well (the paper trains by Adam at
    0.01), its verdict on samples means little. Test images have no part in the choice.

    Args:
        images: [n, H, W, C] in [0, 1].
        labels: integers [n], from 0.
        classes: their number.
        seed: of weights, dropout and order, the same for every attempt.
        epochs: passes over the images.
        learning_rates: of Adam, at least one.
        report: receives a line about every epoch and collapse.

    Returns:
        The judge, its attempt, and all attempts; if all have collapsed, the last judge.
    """
    trained: list[tuple[Judge, Attempt]] = []
    for rate in learning_rates:
        judge = Judge(images.shape[1:], classes, seed)
        how = {"learning_rate": rate, "epochs": epochs, "seed": seed, "report": report}
        trained.append((judge, judge.fit(images, labels, **how)))
        if trained[-1][1].collapsed:
            report(f"collapsed: {trained[-1][1].collapsed}")
    sound = [(judge, attempt) for judge, attempt in trained if not attempt.collapsed]
    best, attempt = max(sound or trained[-1:], key=lambda pair: pair[1].accuracy[-1])
    return best, attempt, [attempt for _, attempt in trained]


def _network(input_shape: tuple[int, int, int], classes: int, seed: int) -> keras.Model:
    """Build the network of Table VII; every initializer and dropout has its own seed."""
    seeds = iter(np.random.SeedSequence(seed).generate_state(16) % 2**31)

    def dropout() -> layers.Layer:
        return layers.Dropout(DROPOUT, seed=int(next(seeds)))

    def initializer() -> keras.Initializer:
        return keras.initializers.GlorotUniform(int(next(seeds)))

    def convolution(name: str) -> layers.Layer:
        return layers.Conv2D(
            CHANNELS, 3, activation="relu", kernel_initializer=initializer(), name=name
        )

    def dense(n: int, name: str, activation: str | None = "relu") -> layers.Layer:
        return layers.Dense(n, activation=activation, kernel_initializer=initializer(), name=name)

    return keras.Sequential(
        [
            keras.Input(input_shape),
            dropout(),
            convolution("convolution1"),
            convolution("convolution2"),
            layers.MaxPooling2D(2),
            convolution("convolution3"),
            layers.MaxPooling2D(2),
            convolution("convolution4"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            dense(NEURONS, "dense1"),
            dropout(),
            dense(NEURONS, "dense2"),
            dense(NEURONS, "features"),
            dense(classes, "logits", activation=None),
        ]
    )


def _name(weight: keras.Variable) -> str:
    """Name a weight `<layer>/kernel`; Keras' path may begin with the name of the network."""
    return "/".join(weight.path.split("/")[-2:])
