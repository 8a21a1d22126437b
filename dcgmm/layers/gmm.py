"""G(K): the convolutional Gaussian mixture layer (Sec. III-C)."""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from dcgmm import annealing, backend


class Parameters(NamedTuple):
    """A layer's parameters; Q is 1 where positions share them, else the number of positions.

    Attributes:
        mu: [Q, K, D], centroids.
        root_precision: [Q, K, D], square roots s of the diagonal precisions.
        logits: [Q, K], from which a softmax over all entries makes the weights pi.
    """

    mu: Any
    root_precision: Any
    logits: Any


class GMM(keras.layers.Layer):
    """A mixture of K Gaussians with diagonal covariance at every position.

    With D channels in and precisions s^2, the log-score of component k at one position is

        q_k(x) = log pi_k + sum_d log s_kd - 1/2 sum_d s_kd^2 (x_d - mu_kd)^2

    (the logarithm of Eq. 2 without the constant of `log_constant`). Forward, the layer hands the
    responsibilities softmax_k(q) upwards (Eq. 7); what it maximises is the mean over positions of
    max_k q_k (Eq. 8), the q smoothed over neighbouring components while annealing lasts.

    The weights pi are normalised over all entries of `logits`. Where every position has its own,
    they sum to 1 over components and positions together, as in the release, which shifts every
    log-score of the layer by the same constant.

    Args:
        components: K, a perfect square.
        independent: whether every position has parameters of its own.
        mu_init: centroids start uniform in [-mu_init, mu_init].
        max_precision: precisions start here and do not exceed it.
        seed: of the initial centroids.

    Input shape: [H, W, D, N]. Output shape: [H, W, K, N].

    Reference: Gepperth 2022, Sec. III-C; Gepperth and Pfuelb 2021 (max-component SGD).
    """

    def __init__(
        self,
        components: int,
        *,
        independent: bool = False,
        mu_init: float = 0.1,
        max_precision: float = 20.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        annealing.torus_distances(components)  # refuses a K that is no square
        if max_precision <= 0:
            raise ValueError(f"max_precision must be above 0, but is {max_precision}")
        self.components = components
        self.independent = independent
        self.mu_init = mu_init
        self.max_precision = max_precision
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        """Make mu, root_precision and logits."""
        height, width, dimension = input_shape[:3]
        self.positions = height * width
        self.size = (height, width)
        self.dimension = dimension
        sets = self.positions if self.independent else 1
        start = np.random.default_rng(self.seed).uniform(
            -self.mu_init, self.mu_init, (sets, self.components, dimension)
        )
        self.mu = self._add("mu", start)
        self.root_precision = self._add(
            "root_precision", np.full_like(start, math.sqrt(self.max_precision))
        )
        self.logits = self._add("logits", np.full(start.shape[:2], 1 / self.components))
        self.built = True

    def call(self, x: Any) -> Any:
        """Responsibilities: [H, W, D, N] -> [H, W, K, N]."""
        return ops.reshape(responsibilities(self.log_scores(x)), (*self.size, self.components, -1))

    def log_scores(self, x: Any) -> Any:
        """Log-scores q of every component: [H, W, D, N] -> [H*W, K, N]."""
        return log_scores(self.parameters, features(self.flatten(x)))

    def flatten(self, x: Any) -> Any:
        """[H, W, D, N] -> [H*W, D, N]."""
        return ops.reshape(x, (self.positions, self.dimension, -1))

    @property
    def parameters(self) -> Parameters:
        """The current values of the layer's weights."""
        return Parameters(
            *(ops.convert_to_tensor(w) for w in (self.mu, self.root_precision, self.logits))
        )

    @parameters.setter
    def parameters(self, values: Parameters) -> None:
        self.mu.assign(values.mu)
        self.root_precision.assign(values.root_precision)
        self.logits.assign(values.logits)

    @property
    def precision(self) -> Any:
        """Diagonal precisions, [Q, K, D]."""
        return ops.square(self.root_precision)

    @property
    def log_constant(self) -> float:
        """-(D/2) log(2 pi), which makes a log-score a log-density in nats."""
        return -0.5 * self.dimension * math.log(2 * math.pi)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape of the responsibilities."""
        return (*input_shape[:2], self.components, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        names = ("components", "independent", "mu_init", "max_precision", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _add(self, name: str, value: np.ndarray) -> Any:
        value = value.astype("float32")
        return self.add_weight(
            name=name, shape=value.shape, initializer=lambda *_, **__: ops.convert_to_tensor(value)
        )


def features(x: Any) -> Any:
    """Squares and values, [P, D, N] -> [P, 2D, N]: a log-score is linear in them."""
    return ops.concatenate([ops.square(x), x], axis=1)


def projection(parameters: Parameters) -> tuple[Any, Any]:
    """Matrix [Q, K, 2D] and offset [Q, K, 1] that take features to log-scores.

    -1/2 s^2 (x - mu)^2 = (-s^2/2) x^2 + (s^2 mu) x - 1/2 s^2 mu^2: no [N, P, K, D] tensor.
    """
    mu, root_precision, logits = parameters
    precision = ops.square(root_precision)
    halves = ops.stack([-0.5 * precision, precision * mu], axis=2)
    offset = (
        log_weights(logits)
        + ops.sum(ops.log(ops.prod(_strands(root_precision, 1.0), axis=2)), axis=2)
        - 0.5 * ops.sum(ops.sum(_strands(ops.square(root_precision * mu), 0.0), axis=2), axis=2)
    )
    return ops.reshape(halves, (*mu.shape[:2], -1)), ops.expand_dims(offset, 2)


def log_weights(logits: Any) -> Any:
    """Log pi, [Q, K]: a log-softmax over all entries together."""
    return logits - ops.logsumexp(logits)


def log_scores(parameters: Parameters, features: Any) -> Any:
    """q, Sec. III-C: [P, 2D, N] -> [P, K, N]."""
    matrix, offset = projection(parameters)
    return backend.matmul(matrix, features) + offset


def responsibilities(scores: Any) -> Any:
    """Eqs. 4 and 7: posterior probabilities of the components, [P, K, N] -> [P, K, N].

    A softmax, spelt out because `ops.softmax` transposes for any axis but the last.
    """
    shares = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
    return shares / ops.sum(shares, axis=1, keepdims=True)


def max_component(scores: Any) -> Any:
    """Eq. 8 without its constant: mean over positions of the best score, [P, K, N] -> [N]."""
    return ops.mean(ops.max(scores, axis=1), axis=0)


def winners(scores: Any) -> Any:
    """Gradient of the best score: 1 at the winner, shared on a tie, [P, K, N] -> [P, K, N]."""
    best = ops.cast(ops.equal(scores, ops.max(scores, axis=1, keepdims=True)), scores.dtype)
    return best / ops.sum(best, axis=1, keepdims=True)


def gradients(parameters: Parameters, moments: Any, counts: Any) -> Parameters:
    """Gradient of Eq. 8 in closed form, each position's gradient undiminished.

    With w the weight that a score carries in the loss and means over what shares the parameters,

        dL/dmu = E[w s^2 (x - mu)],  dL/ds = E[w (1/s - s (x - mu)^2)],  dL/dlogits = E[w] - pi.

    Independent positions are not divided by their number: each learns at the full rate.

    Args:
        parameters: of the layer.
        moments: [Q, K, 2D], means of w x^2 and of w x.
        counts: [Q, K], means of w.
    """
    mu, root_precision, logits = parameters
    dimension = mu.shape[2]
    second, first = moments[:, :, :dimension], moments[:, :, dimension:]
    zeroth = ops.expand_dims(counts, 2)
    deviation = second - 2 * mu * first + ops.square(mu) * zeroth
    return Parameters(
        mu=ops.square(root_precision) * (first - mu * zeroth),
        root_precision=zeroth / root_precision - root_precision * deviation,
        logits=counts - logits.shape[0] * ops.exp(log_weights(logits)),
    )


def _strands(x: Any, neutral: float, count: int = 8) -> Any:
    """Split the last axis, [Q, K, D] -> [Q, K, count, D / count], filled up with `neutral`.

    Reducing over the strands first runs along contiguous memory; one long chain of additions,
    whose order XLA keeps, does not. A product of eight root precisions, at least 1e-2 and of
    order 1, stays within float32 and saves seven logarithms of eight.
    """
    missing = -x.shape[2] % count
    x = ops.pad(x, ((0, 0), (0, 0), (0, missing)), constant_values=neutral)
    return ops.reshape(x, (*x.shape[:2], count, -1))
