"""In-painting (Sec. III-J): what the top cGMM layer makes of an incomplete image, sampled down.

Forward to the top cGMM layer; its responsibilities are the control signal of the way down; of what
is drawn, the unknown pixels complete the image. Two ways to go forward without them:

- `black`, the paper's: unknown pixels enter as 0, as if they had been seen to be black.
- `marginal`: they are integrated out. In the lowest cGMM layer, whose covariances are diagonal,
  they drop out of the sum over dimensions: position by position, component k's log-score is

      log pi_k + sum over known d of [log s_kd - 1/2 log(2 pi) - 1/2 s_kd^2 (x_d - mu_kd)^2],

  the logarithm of pi_k times the marginal density; at a position with nothing known the
  responsibilities are the weights pi. A number that pooling has made below the lowest cGMM layer
  counts as known if all of its window is. Higher layers see these responsibilities as they see any:
  they are densities of responsibilities, not of pixels, and so have no pixel to integrate out. For
  an instance with a single cGMM layer this is exact: drawn with `noise=1` and `keep=0`, the
  unknown pixels follow the mixture's conditional distribution.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dcgmm import backend
from dcgmm.inference import BATCH
from dcgmm.layers import GMM
from dcgmm.layers import gmm as mixture
from dcgmm.layers.gmm import Parameters
from dcgmm.stack import layer_features, transforms_below_each

METHODS = ("black", "marginal")


def marginal_forward(layers: Sequence[keras.layers.Layer]) -> Callable:
    """Compile `forward(states, x [H, W, C, N], known [H, W, C, N]) -> responsibilities`.

    Args:
        layers: those of the model up to its top cGMM layer, whose responsibilities are returned.
    """
    gmms = [layer for layer in layers if isinstance(layer, GMM)]
    (lowest, *higher), (transforms, *below) = gmms, transforms_below_each(layers)

    def forward(states: tuple, x: Any, known: Any) -> Any:
        x, unknown = x * known, 1 - known
        for transform in transforms:
            x, unknown = transform.call(x), transform.call(unknown)
        seen = (lowest.flatten(x), 1 - lowest.flatten(unknown))
        gamma = _activities(lowest, marginal_log_scores(states[0].parameters, *seen))
        for layer, between, state in zip(higher, below, states[1:], strict=True):
            scores = mixture.log_scores(state.parameters, layer_features(gamma, between, layer))
            gamma = _activities(layer, scores)
        return gamma

    return backend.compiled(forward)


def marginal_log_scores(parameters: Parameters, x: Any, known: Any) -> Any:
    """Log-densities of the known channels, weights included, in nats: [P, D, N] -> [P, K, N].

    Args:
        parameters: of the layer.
        x: its input; unknown channels hold any finite number.
        known: [P, D, N], 1 where a channel is known and 0 elsewhere.
    """
    mu, root_precision, logits = parameters
    precision = ops.square(root_precision)
    log_2pi = math.log(2 * math.pi)
    constant = ops.log(root_precision) - 0.5 * log_2pi - 0.5 * precision * ops.square(mu)
    matrix = ops.concatenate([-0.5 * precision, precision * mu, constant], axis=2)  # [Q, K, 3D]
    features = ops.concatenate([known * ops.square(x), known * x, known], axis=1)
    return backend.matmul(matrix, features) + mixture.log_weights(logits)[:, :, None]


def controls(forward: Callable, states: tuple, images: np.ndarray, known: np.ndarray) -> Iterator:
    """Yield control signals of the top cGMM layer by `marginal_forward`, [H, W, K, BATCH].

    Args:
        forward: from `marginal_forward`.
        states: of the cGMM layers.
        images: float32 [n, H, W, C].
        known: boolean [n, H, W, C].
    """
    for begin in range(0, len(images), BATCH):
        part = slice(begin, begin + BATCH)
        batch = (images[part], known[part].astype("float32"))
        padding = ((0, BATCH - len(batch[0])),) + ((0, 0),) * 3
        turned = (np.pad(x, padding).transpose(1, 2, 3, 0) for x in batch)
        yield forward(states, *map(ops.convert_to_tensor, turned))


def _activities(layer: GMM, scores: Any) -> Any:
    gamma = mixture.responsibilities(scores)
    return ops.reshape(gamma, (*layer.size, layer.components, -1))
