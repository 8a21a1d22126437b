"""The few operations that Keras 3 does not offer alike on every backend.

Everything else in this package is `keras.ops`. TensorFlow is the default; `KERAS_BACKEND=jax`
selects JAX.
"""

from collections.abc import Callable
from typing import Any

import keras

SUPPORTED = ("tensorflow", "jax")

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def compiled(function: Callable) -> Callable:
        """Compile a whole loop of training steps; its matrix products go to oneDNN.

        Where TensorFlow is told to run functions eagerly, sums are rounded in another order.
        """
        return tf.function(function, autograph=False)

    def side_by_side(function: Callable) -> Callable:
        """Compile `function(model, *shared)` into `[function(model, *shared) for model in models]`.

        One after the other: neither a CPU's oneDNN nor TensorFlow's one stream on a GPU gains by a
        further axis.
        """
        one = compiled(function)
        return lambda models, *shared: [one(model, *shared) for model in models]

    def everywhere(condition: Any) -> Any:
        """Whether a condition holds for all models that `side_by_side` runs at once."""
        return condition

    def fused(function: Callable) -> Callable:
        """Compile a piece of element-wise work into one pass over its operands.

        On a CPU, XLA fuses element-wise work best and oneDNN multiplies matrices best, so pieces
        marked `fused` must hold no large matrix product.
        """
        return tf.function(function, autograph=False, jit_compile=True)

    def matmul(a: Any, b: Any, *, transpose_b: bool = False) -> Any:
        """Batched matrix product a b or a b^T, the transpose not being written to memory.

        Do not broadcast a batch axis together with `transpose_b`: oneDNN of TensorFlow 2.21
        crashes.
        """
        return tf.matmul(a, b, transpose_b=transpose_b)

    def repeat(count: Any, step: Callable, carry: Any) -> Any:
        """`carry = step(i, carry)` for i below `count`, one step at a time.

        `keras.ops.fori_loop` lets ten iterations overlap, which here saves no time and costs
        400 MB of batches prepared ahead.
        """
        return tf.while_loop(
            lambda i, _: i < count,
            lambda i, carry: (i + 1, step(i, carry)),
            (tf.constant(0), carry),
            parallel_iterations=1,
        )[1]

    def value_and_gradient(function: Callable, x: Any) -> tuple[Any, Any]:
        """`function(x)` and the gradient of its sum."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return value, tape.gradient(value, x)

elif keras.backend.backend() == "jax":
    import jax
    import jax.numpy as jnp

    _LANES = "lanes"  # the axis of the models that `side_by_side` runs

    def compiled(function: Callable) -> Callable:
        """Compile a whole loop of training steps."""
        return jax.jit(function)

    def side_by_side(function: Callable) -> Callable:
        """Compile `function(model, *shared)` into `[function(model, *shared) for model in models]`.

        All at once, along an axis of their own: a small model leaves most of a GPU idle.
        """

        def run(models: Any, *shared: Any) -> list:
            stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *models)
            axes = (0, *(None for _ in shared))
            result = jax.vmap(function, in_axes=axes, axis_name=_LANES)(stacked, *shared)
            return [jax.tree.map(lambda part, i=i: part[i], result) for i in range(len(models))]

        return jax.jit(run)

    def everywhere(condition: Any) -> Any:
        """Whether a condition holds for all models that `side_by_side` runs at once.

        What branches on it stays a branch; on a condition that differs, both sides are computed.
        """
        return jax.lax.pmin(condition.astype("int32"), _LANES) > 0

    def fused(function: Callable) -> Callable:
        """The function itself: XLA compiles the loop around it as a whole."""
        return function

    def matmul(a: Any, b: Any, *, transpose_b: bool = False) -> Any:
        """Batched matrix product a b or a b^T, in float32 where a GPU would take less."""
        return jnp.matmul(a, jnp.swapaxes(b, -1, -2) if transpose_b else b, precision="highest")

    def repeat(count: Any, step: Callable, carry: Any) -> Any:
        """`carry = step(i, carry)` for i below `count`."""
        return jax.lax.fori_loop(0, count, step, carry)

    def value_and_gradient(function: Callable, x: Any) -> tuple[Any, Any]:
        """`function(x)` and the gradient of its sum."""
        value, pull_back = jax.vjp(function, x)
        return value, pull_back(jnp.ones_like(value))[0]

else:
    raise ImportError(
        f"dcgmm does not run on the Keras backend {keras.backend.backend()!r}: "
        f"set KERAS_BACKEND to one of {', '.join(SUPPORTED)}"
    )
