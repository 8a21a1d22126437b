"""The network of a DGCSPN, from the layers of libspn-keras."""

from __future__ import annotations

import math

import numpy as np

from baselines.dgcspn.library import Globals, ShiftedProduct, spn, tf
from baselines.dgcspn.settings import Settings

CONCENTRATION = 0.1  # of the Dirichlet distribution that initial weights come from
FLOOR = 1e-10  # of a sum's weights, after every step


class Network:
    """Leaves, products and sums over standardised images.

    Leaf -> dropout -> product -> sum -> ... -> product -> dropout -> root. The lowest product has
    a channel for each of the K^4 choices of one component in each of its four pixels; the others
    join equal channels of four cells. Sums mix the channels of one cell, with weights of their
    own at every cell. Inputs of dropped leaves count as unknown; the other log-densities are
    scaled by 1 / (1 - dropout), as Keras' dropout does.

    Args:
        settings: of the model.
        locations: the leaves' initial locations, [1, H, W, K, C].
        seed: of the initial weights and of dropout; None makes equal weights, to be overwritten.
    """

    def __init__(self, settings: Settings, locations: np.ndarray, seed: int | None) -> None:
        self._globals = Globals(seed)
        with self._globals():
            self._build(settings, locations, seed)

    def _build(self, settings: Settings, locations: np.ndarray, seed: int | None) -> None:
        keras, layers = tf.keras.layers, spn.layers
        start = tf.keras.initializers.Ones()
        if seed is not None:
            start = spn.initializers.Dirichlet(alpha=CONCENTRATION)
        em = {
            "sum_op": spn.SumOpEMBackprop(),
            "accumulator_initializer": start,
            "linear_accumulator_constraint": spn.constraints.GreaterEqualEpsilon(FLOOR),
        }
        self.leaf = layers.NormalLeaf(
            num_components=settings.components,
            location_initializer=tf.keras.initializers.Constant(locations),
            use_accumulators=True,
        )
        self.products = [
            (layers.Conv2DProduct if dilation == 1 else ShiftedProduct)(
                strides=[1, 1],
                dilations=[dilation, dilation],
                kernel_size=[2, 2],
                padding="final" if dilation == settings.dilations[-1] else "full",
                depthwise=dilation > 1,
            )
            for dilation in settings.dilations
        ]
        self.sums = [
            layers.Local2DSum(num_sums=settings.sums, **em) for _ in range(settings.levels - 1)
        ]
        children = math.prod(settings.grids[-1]) * settings.sums
        self.flat = keras.Reshape((1, 1, children))
        self.root = layers.RootSum(return_weighted_child_logits=False, **em)
        between = [layer for pair in zip(self.products, self.sums, strict=False) for layer in pair]
        self.model = spn.models.SequentialSumProductNetwork(
            [
                keras.InputLayer(settings.input_shape),
                self.leaf,
                keras.Dropout(settings.dropout, seed=seed),
                *between,
                self.products[-1],
                layers.LogDropout(settings.dropout, seed=seed, axis_at_least_one=[1, 2, 3]),
                self.flat,
                self.root,
            ]
        )
        self.model.compile(
            loss=spn.losses.NegativeLogLikelihood(),
            optimizer=spn.optimizers.OnlineExpectationMaximization(learning_rate=settings.step),
            metrics=[spn.metrics.LogLikelihood()],
        )
        self._names = list(settings.shapes)
        image = tf.TensorSpec((None, *settings.input_shape), tf.float32)
        mask = tf.TensorSpec((None, *settings.input_shape), tf.bool)
        self._compiled = tf.function(self._upward, input_signature=(image, mask))

    def upward(self, z: np.ndarray, known: np.ndarray) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """What `_upward` gives."""
        with self._globals():
            return self._compiled(z, known)

    def _upward(self, z: tf.Tensor, known: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Log-densities of the known pixels [n], and what every sum got, lowest first, root last.

        An unknown pixel is integrated out: its log-density is 0.
        """
        distance = z[..., None, :] - self.leaf.get_modes()  # [n, H, W, K, C]
        densities = -0.5 * (tf.square(distance) + math.log(2 * math.pi))
        x = tf.reduce_sum(tf.where(known[..., None, :], densities, 0.0), axis=-1)
        seen = []
        for product, mix in zip(self.products, self.sums, strict=False):
            seen.append(product(x))
            x = mix(seen[-1])
        seen.append(self.products[-1](x))
        return self.root(self.flat(seen[-1]))[:, 0], seen

    def learn(self, z: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
        """One step of online EM.

        Returns:
            The loss, which the images' weights enter, and the mean log-density, which they do not.
        """
        # The library takes the second element of its data as the images' weights.
        with self._globals():
            result = self.model.train_on_batch(z, weight, return_dict=True)
        return float(result["loss"]), float(result["llh"])

    def plateau(self) -> tf.keras.callbacks.Callback:
        """What halves the step after two epochs in which the loss has not fallen by 0.1."""
        callback = tf.keras.callbacks.ReduceLROnPlateau(
            monitor="loss", factor=0.5, patience=2, min_delta=0.1
        )
        callback.set_model(self.model)
        callback.on_train_begin()
        return callback

    @property
    def step(self) -> float:
        """Of online EM, now."""
        return float(self.model.optimizer.learning_rate.numpy())

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The trainable arrays by the names of `Settings.shapes`."""
        values = [variable.numpy() for variable in self.model.trainable_weights]
        return dict(zip(self._names, values, strict=True))

    @arrays.setter
    def arrays(self, arrays: dict[str, np.ndarray]) -> None:
        for name, variable in zip(self._names, self.model.trainable_weights, strict=True):
            variable.assign(arrays[name])

    @property
    def locations(self) -> np.ndarray:
        """Of the leaves, [H, W, K, C]."""
        return self.leaf.get_modes().numpy()[0]
