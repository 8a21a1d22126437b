"""libspn-keras 0.6.0 on TensorFlow 2.21: what must happen before it is imported, and after.

It was written for Keras 2, which tf-keras carries on; `tf.keras` must mean that one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator

if importlib.util.find_spec("tf_keras") is None:  # without it, TensorFlow asks for itself for ever
    raise ModuleNotFoundError("DGCSPN needs Keras 2: install tf-keras")

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when tf.keras is first used
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from tensorflow.python.eager import context

if not tf.keras.layers.Layer.__module__.startswith("tf_keras"):
    raise ImportError(
        "DGCSPN needs Keras 2, but tf.keras is already Keras 3 in this process: set "
        "TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, or use a process of its own"
    )

# Its optimizer has the base class that Keras moved to `legacy` in 2.11.
_base = tf.keras.optimizers.Optimizer
tf.keras.optimizers.Optimizer = tf.keras.optimizers.legacy.Optimizer
try:
    import libspn_keras as spn
finally:
    tf.keras.optimizers.Optimizer = _base

__all__ = ["Globals", "ShiftedProduct", "spn", "tf"]


class Globals:
    """TensorFlow's and Keras' global state as a network needs it, apart from the caller's.

    The library's layers take their types from it and their random numbers from its seed, which no
    argument replaces.

    Args:
        seed: of the network; None where nothing is random.
    """

    def __init__(self, seed: int | None) -> None:
        before = _random_state()
        if seed is not None:
            tf.random.set_seed(seed)
        self._random = _random_state()
        _set_random_state(before)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Make it hold for a while, then put back what was there."""
        random, settings = _random_state(), _settings()
        _set_random_state(self._random)
        _set("float32", "channels_last", 1e-7, None, False)
        try:
            yield
        finally:
            self._random = _random_state()
            _set_random_state(random)
            _set(*settings)


def _settings() -> tuple:
    backend = tf.keras.backend
    policy = tf.keras.mixed_precision.global_policy()
    followed = policy.name == backend.floatx()  # as it does until a policy is set
    return (
        backend.floatx(),
        backend.image_data_format(),
        backend.epsilon(),
        None if followed else policy,
        tf.config.functions_run_eagerly(),
    )


def _set(floatx: str, data_format: str, epsilon: float, policy: object, eagerly: bool) -> None:
    tf.keras.backend.set_floatx(floatx)
    tf.keras.backend.set_image_data_format(data_format)
    tf.keras.backend.set_epsilon(epsilon)
    tf.keras.mixed_precision.set_global_policy(policy)
    tf.config.run_functions_eagerly(eagerly)


def _random_state() -> tuple:
    state = context.context()
    return state._seed, getattr(state, "_rng", None)  # the second is there once a seed is


def _set_random_state(random: tuple) -> None:
    state = context.context()
    state._seed, state._rng = random


class ShiftedProduct(spn.layers.Conv2DProduct):
    """The library's depthwise 2x2 product as a sum of shifted copies: same numbers, in less time.

    The library convolves each channel with a kernel of ones; two additions do the same, and a step
    of training takes a third less.
    """

    def _call_depthwise(self, x: tf.Tensor) -> tf.Tensor:
        left, right, top, bottom = self._pad_sizes()
        d = self.dilations[0]

        @tf.custom_gradient
        def product(x):
            def grad(dy):
                # A child is in the product at its own cell and d cells before it.
                return _add_corners(dy, d, d - top, d - bottom, d - left, d - right)

            return _add_corners(x, d, top, bottom, left, right), grad

        return product(x)


def _add_corners(x, d: int, top: int, bottom: int, left: int, right: int) -> tf.Tensor:
    """y[i, j] = x[i, j] + x[i + d, j] + x[i, j + d] + x[i + d, j + d], on x padded by zeros."""
    x = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]])
    rows, columns = x.shape[1] - d, x.shape[2] - d
    x = tf.slice(x, [0, 0, 0, 0], [-1, rows, -1, -1]) + tf.slice(x, [0, d, 0, 0], [-1] * 4)
    return tf.slice(x, [0, 0, 0, 0], [-1, -1, columns, -1]) + tf.slice(x, [0, 0, d, 0], [-1] * 4)
