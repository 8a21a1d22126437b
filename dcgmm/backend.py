"""The five things that Keras 3 does not say the same way for every backend.

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
        """Compile a whole loop of training steps; its matrix products go to oneDNN."""
        return tf.function(function, autograph=False)

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

    def compiled(function: Callable) -> Callable:
        """Compile a whole loop of training steps."""
        return jax.jit(function)

    def fused(function: Callable) -> Callable:
        """The function itself: XLA compiles the loop around it as a whole."""
        return function

    def matmul(a: Any, b: Any, *, transpose_b: bool = False) -> Any:
        """Batched matrix product a b or a b^T."""
        return jnp.matmul(a, jnp.swapaxes(b, -1, -2) if transpose_b else b)

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
