"""The network of Table VIII in Keras."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import keras
import numpy as np
from keras import layers, ops

from baselines.vae import table8
from baselines.vae.settings import Settings

# XLA on a CPU takes 8 seconds more to compile a step and then twice as long for it; with JAX there
# is nothing else.
_JIT = keras.backend.backend() != "tensorflow"

# `reset` draws the weights; Keras' own would take a number from Python's global generator.
_BLANK = {"kernel_initializer": "zeros"}


@contextlib.contextmanager
def keras_defaults() -> Iterator[None]:
    """Keras' own settings for as long as it lasts, whatever a caller has chosen for all layers."""
    config = keras.config
    before = config.floatx(), config.image_data_format(), config.epsilon(), config.dtype_policy()
    _set("float32", "channels_last", 1e-7, "float32")
    with _compiled():
        try:
            yield
        finally:
            _set(*before)


def _set(floatx: str, data_format: str, epsilon: float, policy: object) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_image_data_format(data_format)
    keras.config.set_epsilon(epsilon)
    keras.config.set_dtype_policy(policy)


@contextlib.contextmanager
def _compiled() -> Iterator[None]:
    """Functions compiled as a whole, whose last digits differ from those of single operations."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


class Network:
    """Encoder and decoder, the loss between them, and Adam.

    The encoder reads an image in the middle of a black one of 32x32 pixels, and of the 32x32
    pixels that the decoder makes, the middle is the image's: nothing else enters the loss.

    Attributes:
        encoder: images [n, H, W, C] -> mean and log-variance of the code's posterior, [n, latent].
        decoder: codes [n, latent] -> logits of the pixels, [n, H, W, C].
        likelihood: images, codes -> log-likelihood of the images, [n].
        trainer: images, standard normal noise [n, latent] -> the loss's two terms, [n] each.
    """

    @keras_defaults()
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        image = keras.Input(settings.input_shape, name="image")
        code = keras.Input((settings.latent,), name="code")
        noise = keras.Input((settings.latent,), name="noise")
        self.encoder = keras.Model(image, _encode(image, settings))
        self.decoder = keras.Model(code, _decode(code, settings))
        self.likelihood = keras.Model(
            [image, code], -ops.sum(_cross_entropy(image, self.decoder(code)), axis=(1, 2, 3))
        )
        mean, log_variance = self.encoder(image)
        drawn = mean + ops.exp(0.5 * log_variance) * noise
        terms = {
            "reconstruction": -self.likelihood([image, drawn]),
            "divergence": kl_divergence(mean, log_variance),
        }
        self.trainer = keras.Model([image, noise], terms)
        self.trainer.compile(
            optimizer=keras.optimizers.Adam(settings.learning_rate),
            loss=dict.fromkeys(terms, _mean_of_output),
            loss_weights={"reconstruction": 1.0, "divergence": settings.beta},
            jit_compile=_JIT,
        )
        self.trainer.optimizer.build(self._variables)

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.encoder.trainable_variables, *self.decoder.trainable_variables]

    @keras_defaults()
    def reset(self, seed: int) -> None:
        """Start anew, without compiling anew: fresh weights, and Adam without a past."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self._variables))
        for variable, variable_seed in zip(self._variables, seeds, strict=True):
            start = keras.initializers.Zeros()  # biases
            if len(variable.shape) > 1:
                # Keras' default, Glorot's, is for tanh: with it, most small fits ignore the code.
                start = keras.initializers.HeUniform(int(variable_seed) % 2**31)
            variable.assign(start(variable.shape))
        optimizer = self.trainer.optimizer
        for variable in optimizer.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        optimizer.learning_rate = self.settings.learning_rate

    def start_epoch(self) -> None:
        """Forget the images that `learn` has averaged over."""
        self.trainer.reset_metrics()

    @keras_defaults()
    def learn(self, images: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
        """One step of Adam.

        Returns:
            The negative log-likelihood and the Kullback-Leibler divergence, in nats an image,
            averaged over all images since `start_epoch`, each taken before the step that used it.
        """
        unused = np.zeros(len(images), "float32")  # Keras wants a target for every loss
        targets = dict.fromkeys(("reconstruction", "divergence"), unused)
        means = self.trainer.train_on_batch([images, noise], targets, return_dict=True)
        return float(means["reconstruction_loss"]), float(means["divergence_loss"])

    @keras_defaults()
    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log-variance of the code's posterior, [n, latent] each."""
        return self.encoder.predict_on_batch(images)

    @keras_defaults()
    def log_likelihood(self, images: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Log-likelihood of every image given its code, [n]."""
        return self.likelihood.predict_on_batch([images, codes])

    @keras_defaults()
    def pixel_means(self, codes: np.ndarray) -> np.ndarray:
        """Probability of every pixel given the code, float32 [n, H, W, C]."""
        return ops.convert_to_numpy(ops.sigmoid(self.decoder.predict_on_batch(codes)))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The trainable arrays by the names of `Settings.shapes`."""
        values = [np.array(variable.numpy()) for variable in self._variables]
        return dict(zip(self.settings.shapes, values, strict=True))

    @arrays.setter
    def arrays(self, arrays: dict[str, np.ndarray]) -> None:
        for name, variable in zip(self.settings.shapes, self._variables, strict=True):
            variable.assign(arrays[name])


def kl_divergence(mean, log_variance):
    """Of diagonal Gaussians [n, latent] from the standard one, in nats, [n]."""
    terms = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def _encode(image, settings: Settings) -> tuple:
    top, left, bottom, right = settings.margins
    x = layers.ZeroPadding2D(((top, bottom), (left, right)))(image)
    for layer in table8.encoder(settings.width):
        x = layers.Conv2D(layer.channels, layer.kernel, layer.stride, activation="relu", **_BLANK)(
            x
        )
    both = layers.Dense(2 * settings.latent, **_BLANK)(layers.Flatten()(x))
    return tuple(ops.split(both, 2, axis=-1))


def _decode(code, settings: Settings):
    channels = settings.input_shape[2]
    *hidden, output = table8.decoder(settings.width, channels)
    seed = table8.maps(settings.width, channels)["decoder"][0]
    x = layers.Dense(math.prod(seed), activation="relu", **_BLANK)(code)
    x = layers.Reshape(seed)(x)
    for layer in hidden:
        x = layers.Conv2DTranspose(
            layer.channels, layer.kernel, layer.stride, activation="relu", **_BLANK
        )(x)
    x = layers.Conv2DTranspose(output.channels, output.kernel, output.stride, **_BLANK)(x)
    top, left, bottom, right = settings.margins
    return layers.Cropping2D(((top, bottom), (left, right)))(x)


def _cross_entropy(image, logits):
    return ops.binary_crossentropy(image, logits, from_logits=True)


def _mean_of_output(_, output):
    return ops.mean(output)
