"""A DCGMM straight from the equations: slow, plain, in double precision, by automatic gradients.

It shares no line with `dcgmm` but the recipe it is told to follow. Activities are [N, H, W, C],
as in the paper; equation numbers are the paper's.
"""

import contextlib
import functools
import math
import re

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()
if BACKEND == "jax":
    import jax
else:
    import tensorflow as tf


@contextlib.contextmanager
def double_precision():
    """Whatever is computed inside is float64, on either backend."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with jax.enable_x64(True) if BACKEND == "jax" else contextlib.nullcontext():
            yield
    finally:
        keras.config.set_floatx(before)


@contextlib.contextmanager
def eagerly():
    """Whatever is computed inside is not compiled first, where that saves time: on TensorFlow."""
    if BACKEND == "jax":
        yield
        return
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def value_and_gradients(function, parameters, *constants):
    """A scalar function's value and its gradients by the backend's autodiff, all in float64."""
    with double_precision():
        parameters, constants = (
            [ops.convert_to_tensor(np.asarray(value, "float64")) for value in values]
            for values in (parameters, constants)
        )
        if BACKEND == "jax":
            value, gradients = _jax_value_and_gradients(function)(*parameters, *constants)
        else:
            with tf.GradientTape() as tape:
                for parameter in parameters:
                    tape.watch(parameter)
                value = function(*parameters, *constants)
            gradients = tape.gradient(value, parameters)
        return float(value), [np.asarray(gradient) for gradient in gradients]


@functools.cache
def _jax_value_and_gradients(function):
    return jax.jit(jax.value_and_grad(function, (0, 1, 2)))


def fold(x, kernel, stride):
    """Eqs. 9-10, number by number."""
    n, height, width, channels = x.shape
    rows, columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
    result = np.full((n, rows, columns, kernel * kernel * channels), np.nan)
    for h in range(rows):
        for w in range(columns):
            for c in range(result.shape[3]):
                row = h * stride + (c // channels) // kernel
                column = w * stride + (c // channels) % kernel
                result[:, h, w, c] = x[:, row, column, c % channels]
    return result


def pool(x, kernel, stride):
    """The maximum of every window, cut off at the lower and right edge."""
    count, height, width, channels = x.shape
    rows, columns = (1 + max(0, math.ceil((n - kernel) / stride)) for n in (height, width))
    result = np.full((count, rows, columns, channels), np.nan)
    for h in range(rows):
        for w in range(columns):
            top, left = h * stride, w * stride
            window = x[:, top : top + kernel, left : left + kernel, :]
            result[:, h, w, :] = window.max(axis=(1, 2))
    return result


def squared_distances(components):
    """Between places on a torus: the shortest way to any of the nine copies around."""
    side = round(math.sqrt(components))
    result = np.full((components, components), np.inf)
    for i in range(components):
        for j in range(components):
            for rows_around in (-side, 0, side):
                for columns_around in (-side, 0, side):
                    down = i // side - j // side + rows_around
                    right = i % side - j % side + columns_around
                    result[i, j] = min(result[i, j], down**2 + right**2)
    return result


def mask(components, radius):
    """Weights of every component's neighbourhood, [K, K]."""
    weights = np.exp(-squared_distances(components) / (2 * radius**2))
    return weights / weights.sum(axis=1, keepdims=True)


def log_scores(mu, s, rho, x, xp=np):
    """Log pi_k N_k without the constant: x [N, P, D] -> [N, P, K]."""
    difference = x[:, :, None, :] - mu[None]  # [N, P, K, D]
    exponent = -0.5 * xp.sum((s[None] * difference) ** 2, axis=3)
    log_pi = rho - xp.log(xp.sum(xp.exp(rho)))
    return (log_pi + xp.sum(xp.log(s), axis=2))[None] + exponent


def smoothed(scores, smoothing, xp=np):
    """Every score averaged over its component's neighbourhood: [N, P, K] -> [N, P, K]."""
    return xp.sum(scores[:, :, None, :] * smoothing, axis=3)


def best(mu, s, rho, x, smoothing, xp=np):
    """Log max_k P_k of Eq. 8, but of smoothed scores: -> [N, P]."""
    constant = -0.5 * x.shape[2] * math.log(2 * math.pi)
    return xp.max(smoothed(log_scores(mu, s, rho, x, xp), smoothing, xp), axis=2) + constant


def mean_best(mu, s, rho, x, smoothing):
    """Eq. 8, averaged over images too, of tensors."""
    return ops.sum(best(mu, s, rho, x, smoothing, xp=ops)) / (x.shape[0] * x.shape[1])


class Controller:
    """Shrinks radius and learning rate where the mean loss of a window is as it was before."""

    def __init__(self, radius, rate, *, window=100, gamma=0.9, delta=0.05, floors=(0.01, 0.01)):
        self.radius, self.rate = radius, rate
        self.window, self.gamma, self.delta, self.floors = window, gamma, delta, floors
        self.losses, self.means, self.firings = [], [], []

    def add(self, loss):
        self.losses.append(loss)
        in_window = self.losses[len(self.means) * self.window :]
        if len(in_window) != self.window - 1:  # the last loss of a window is never used
            return
        self.means.append(sum(in_window) / len(in_window))
        if len(self.means) < 3:
            return
        first, last, mean = self.means[0], self.means[-2], self.means[-1]
        if last == first:
            return
        if -2 * self.delta < (mean - last) / (last - first) < self.delta:
            self.firings.append(len(self.losses))
            self.radius = max(self.gamma * self.radius, self.floors[0])
            self.rate = max(self.gamma * self.rate, self.floors[1])


class Mixture:
    """One cGMM layer and its training."""

    def __init__(self, components, parameters, independent, wait, recipe, radius):
        self.mu, self.s, self.rho = (np.asarray(p, "float64") for p in parameters)
        self.components, self.independent, self.wait = components, independent, wait
        self.recipe = recipe
        self.controller = Controller(
            0.25 * math.sqrt(2 * components) if radius is None else radius,
            recipe.learning_rate,
            window=recipe.annealing.window,
            gamma=recipe.annealing.factor,
            delta=recipe.annealing.tolerance,
            floors=(recipe.annealing.final_radius, recipe.final_learning_rate),
        )
        self.narrowest = np.inf  # the closest that two best scores have come

    @property
    def parameters(self):
        return self.mu, self.s, self.rho

    @property
    def smoothing(self):
        return mask(self.components, self.controller.radius)

    def forward(self, x):
        """Eq. 7: [N, H, W, D] -> [N, H, W, K]."""
        q = log_scores(*self.parameters, positions_in_a_row(x))
        gamma = np.exp(q - q.max(axis=2, keepdims=True))
        gamma /= gamma.sum(axis=2, keepdims=True)
        return gamma.reshape(*x.shape[:3], -1)

    def score(self, x):
        """Eq. 8 of every image: [N, H, W, D] -> [N]."""
        return best(*self.parameters, positions_in_a_row(x), self.smoothing).mean(axis=1)

    def train(self, x):
        """One step of gradient ascent on [N, H, W, D]; the loss before it."""
        x, smoothing = positions_in_a_row(x), self.smoothing
        second, first = np.sort(smoothed(log_scores(*self.parameters, x), smoothing))[:, :, -2:].T
        self.narrowest = min(self.narrowest, (first - second).min())

        loss, gradients = value_and_gradients(mean_best, self.parameters, x, smoothing)
        positions = x.shape[1] if self.independent else 1
        d_mu, d_s, d_rho = (self.controller.rate * positions * g for g in gradients)
        low, high = math.sqrt(self.recipe.min_precision), math.sqrt(self.recipe.max_precision)
        self.mu = self.mu + self.recipe.lambda_mu * d_mu
        self.s = np.clip(self.s + self.recipe.lambda_sigma * d_s, low, high)
        self.rho = self.rho + self.recipe.lambda_pi * d_rho
        self.controller.add(loss)
        return loss


def positions_in_a_row(x):
    """[N, H, W, D] -> [N, P, D]."""
    return x.reshape(len(x), -1, x.shape[3])


class Stack:
    """A DCGMM; `parameters` holds (mu, s, rho) of every cGMM layer, [Q, K, D] twice and [Q, K]."""

    def __init__(self, text, recipe, parameters, total_steps, radius=None):
        self.layers, self.mixtures, self.total_steps = [], [], total_steps
        for symbol, *numbers in re.findall(r"([FPG])\((\d+),?(\d*)\)", text):
            numbers = [int(number) for number in numbers if number]
            if symbol != "G":
                self.layers.append((fold if symbol == "F" else pool, numbers))
                continue
            m = len(self.mixtures)
            mixture = Mixture(
                numbers[0], parameters[m], recipe.independent[m], recipe.waits[m], recipe, radius
            )
            self.mixtures.append(mixture)
            self.layers.append((mixture, None))

    def step(self, x, iteration):
        """Train every layer that does not wait; losses, None where a layer waits."""
        losses, x = [], np.asarray(x, "float64")
        for layer, numbers in self.layers:
            if not isinstance(layer, Mixture):
                x = layer(x, *numbers)
                continue
            output = layer.forward(x)  # of the parameters before this step
            waits = iteration / (self.total_steps + 1) < layer.wait
            losses.append(None if waits else layer.train(x))
            x = output
        return losses

    def forward(self, x):
        """(scores [N], responsibilities [N, H, W, K]) of every cGMM layer."""
        results, x = [], np.asarray(x, "float64")
        for layer, numbers in self.layers:
            if isinstance(layer, Mixture):
                scores, x = layer.score(x), layer.forward(x)
                results.append((scores, x))
            else:
                x = layer(x, *numbers)
        return results
