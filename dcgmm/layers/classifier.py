"""C(S): the linear classifier (Sec. III-F)."""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from dcgmm import backend


class Parameters(NamedTuple):
    """A classifier's parameters.

    Attributes:
        weights: [S, D].
        bias: [S].
    """

    weights: Any
    bias: Any


class Classifier(keras.layers.Layer):
    """A softmax over S linear functions of the D activities below, all positions in a row.

    Forward, P(s | a) = softmax_s(W a + b). Backward, the paper's approximate inversion of that,
    W^T (t - b) of log-probabilities t, shifted for every image so that its smallest entry is 0:
    the softmax leaves a constant open, and what a cGMM layer receives must not be negative.

    Args:
        classes: S.
        seed: of the initial weights, normal with standard deviation 1/sqrt(D), cut off at two.

    Input shape: [D, N]. Output shape: [S, N].
    """

    def __init__(self, classes: int, *, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if classes < 1:
            raise ValueError(f"classes must be at least 1, but is {classes}")
        self.classes = classes
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        """Make weights and bias."""
        dimension = input_shape[0]
        start = _truncated_normal(np.random.default_rng(self.seed), (self.classes, dimension))
        start = (start / math.sqrt(dimension)).astype("float32")
        self.weight = self.add_weight(
            name="weights",
            shape=start.shape,
            initializer=lambda *_, **__: ops.convert_to_tensor(start),
        )
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")
        self.built = True

    def call(self, x: Any) -> Any:
        """Class probabilities: [D, N] -> [S, N]."""
        return ops.exp(log_probabilities(logits(self.parameters, x)))

    def backward(self, t: Any) -> Any:
        """Log-probabilities of classes to the activities' scale: [S, N] -> [D, N], minimum 0."""
        weights, bias = self.parameters
        below = ops.matmul(ops.transpose(weights), t - ops.expand_dims(bias, 1))
        return below - ops.min(below, axis=0, keepdims=True)

    @property
    def parameters(self) -> Parameters:
        """The current values of the layer's weights."""
        return Parameters(ops.convert_to_tensor(self.weight), ops.convert_to_tensor(self.bias))

    @parameters.setter
    def parameters(self, values: Parameters) -> None:
        self.weight.assign(values.weights)
        self.bias.assign(values.bias)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape of the class probabilities."""
        return (self.classes, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "classes": self.classes, "seed": self.seed}


def logits(parameters: Parameters, x: Any) -> Any:
    """W a + b: [D, N] -> [S, N]."""
    return backend.matmul(parameters.weights, x) + ops.expand_dims(parameters.bias, 1)


def log_probabilities(logits: Any) -> Any:
    """A log-softmax over classes, [S, N] -> [S, N]."""
    shifted = logits - ops.max(logits, axis=0, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=0, keepdims=True))


def cross_entropy(logits: Any, labels: Any) -> tuple[Any, Any, Any]:
    """Mean cross-entropy of classes `labels` [N], its gradient, and the share that is right.

    With p the probabilities and y the labels one-hot, dE/dlogits = (p - y) / N, [S, N].
    """
    classes, count = logits.shape[0], labels.shape[0]
    wanted = ops.equal(ops.expand_dims(ops.arange(classes, dtype="int32"), 1), labels)
    wanted = ops.cast(wanted, logits.dtype)  # [S, N]
    log_p = log_probabilities(logits)
    right = ops.equal(ops.cast(ops.argmax(logits, axis=0), "int32"), labels)
    return (
        -ops.sum(wanted * log_p) / count,
        (ops.exp(log_p) - wanted) / count,
        ops.mean(ops.cast(right, logits.dtype)),
    )


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Standard normal numbers, drawn again where they lie beyond 2."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(beyond.sum())
    return values
