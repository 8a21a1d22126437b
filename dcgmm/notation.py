"""The paper's layer notation (Tables V and VI) and what follows from it alone: shapes and counts.

An instance is written bottom to top, `F(8,2)-P(2,2)-G(49)-C(10)`: folding with an 8x8 kernel and
stride 2, 2x2 max-pooling, a cGMM layer of 49 components, a linear classifier for 10 classes.
This module is symbolic: it imports neither Keras nor NumPy.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

Shape = tuple[int, int, int]  # height, width, channels


@dataclass(frozen=True)
class Folding:
    """F(f, stride): half-convolution, a remapping of f x f patches to channels (Sec. III-E)."""

    kernel: int
    stride: int
    symbol: ClassVar[str] = "F"

    def output_shape(self, shape: Shape) -> Shape:
        """Shape after folding without padding (Table VI)."""
        height, width, channels = shape
        if self.kernel > min(height, width):
            raise ValueError(
                f"{self} does not fit its input of {height}x{width}: "
                f"the kernel may be at most {min(height, width)}"
            )
        return (
            (height - self.kernel) // self.stride + 1,
            (width - self.kernel) // self.stride + 1,
            self.kernel**2 * channels,
        )

    def __str__(self) -> str:
        return _written(self)


@dataclass(frozen=True)
class MaxPooling:
    """P(f, stride): max-pooling (Sec. III-D).

    Table VI prints no rounding; instance G only exists with the ceiling that the authors'
    release uses, so the last window may reach over the edge.
    """

    kernel: int
    stride: int
    symbol: ClassVar[str] = "P"

    def output_shape(self, shape: Shape) -> Shape:
        """Shape after pooling, `1 + ceil((size - f) / stride)` a side."""
        height, width, channels = shape
        return _pooled(height, self), _pooled(width, self), channels

    def __str__(self) -> str:
        return _written(self)


@dataclass(frozen=True)
class GMM:
    """G(K): convolutional Gaussian mixture of K components (Sec. III-C)."""

    components: int
    symbol: ClassVar[str] = "G"

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the responsibilities."""
        return shape[0], shape[1], self.components

    def __str__(self) -> str:
        return _written(self)


@dataclass(frozen=True)
class Classifier:
    """C(S): linear softmax classifier for S classes (Sec. III-F)."""

    classes: int
    symbol: ClassVar[str] = "C"

    def output_shape(self, shape: Shape) -> Shape:
        """One vector of class probabilities an image."""
        return 1, 1, self.classes

    def __str__(self) -> str:
        return _written(self)


Layer = Folding | MaxPooling | GMM | Classifier
LAYER_TYPES: dict[str, type[Layer]] = {
    kind.symbol: kind for kind in (Folding, MaxPooling, GMM, Classifier)
}
_ARGUMENTS = {"F": "(kernel,stride)", "P": "(kernel,stride)", "G": "(components)", "C": "(classes)"}
_TOKEN = re.compile(r"(?P<symbol>[A-Z])\s*\(\s*(?P<arguments>[0-9]+(?:\s*,\s*[0-9]+)*)\s*\)")


def parse(text: str) -> tuple[Layer, ...]:
    """Read a DCGMM instance from its notation; blanks between its parts are ignored.

    Raises:
        ValueError: at the position (counted from 1, blanks included) of the first bad token.
    """
    layers: list[Layer] = []
    position = 0
    for token in text.split("-"):
        start = position + len(token) - len(token.lstrip()) + 1
        layers.append(_parse_token(text, token.strip(), start))
        position += len(token) + 1
        if isinstance(layers[-1], Classifier) and position <= len(text):
            raise _error(text, start, token.strip(), "a classifier can only be the last layer")
    if not any(isinstance(layer, GMM) for layer in layers):
        raise ValueError(f"DCGMM notation {text!r} has no cGMM layer: add one, for example 'G(49)'")
    return tuple(layers)


def write(layers: Sequence[Layer]) -> str:
    """The inverse of `parse`."""
    return "-".join(map(str, layers))


def shapes(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """Output shape [H, W, C] of every layer for an image of `input_shape` (Table VI).

    Raises:
        ValueError: if a kernel does not fit its input, naming the layer by its index from 1.
    """
    result, shape = [], tuple(input_shape)
    for index, layer in enumerate(layers, start=1):
        try:
            shape = layer.output_shape(shape)
        except ValueError as error:
            raise ValueError(f"layer {index} of {write(layers)}: {error}") from None
        result.append(shape)
    return result


def gmm_indices(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Indices, from 1 as in the paper, of the cGMM layers."""
    return tuple(i for i, layer in enumerate(layers, start=1) if isinstance(layer, GMM))


def classifier_inputs(layers: Sequence[Layer], chosen: Sequence[int] = ()) -> tuple[int, ...]:
    """Indices of the cGMM layers that the classifier reads; () where there is no classifier.

    Args:
        layers: the instance.
        chosen: those indices; by default the cGMM layer directly below the classifier.

    Raises:
        ValueError: if there is nothing that could read them, or one is no cGMM layer, or stands
            twice; if none is chosen and the layer below the classifier is no cGMM layer; if a
            classifier is not the last layer.
    """
    gmms = gmm_indices(layers)
    chosen = tuple(chosen)
    if any(isinstance(layer, Classifier) for layer in layers[:-1]):
        raise ValueError(f"{write(layers)}: a classifier can only be the last layer")
    if not any(isinstance(layer, Classifier) for layer in layers[-1:]):
        if chosen:
            raise ValueError(
                f"classifier.inputs is {chosen}, but {write(layers)} has no classifier: "
                "leave it out, or add one, for example 'C(10)'"
            )
        return ()
    for index in chosen or (len(layers) - 1,):
        if not isinstance(index, int) or isinstance(index, bool) or index not in gmms:
            raise ValueError(
                f"the classifier of {write(layers)} reads layer {index}, which is no cGMM layer: "
                f"choose classifier.inputs from {', '.join(map(str, gmms))}"
            )
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"classifier.inputs is {chosen}, but must name a layer only once")
    return chosen or (len(layers) - 1,)


def count_parameters(
    layers: Sequence[Layer],
    input_shape: Shape,
    *,
    independent: Sequence[int] = (),
    inputs: Sequence[int] = (),
    convention: str = "centroids",
) -> int:
    """Number of parameters.

    Args:
        layers: the instance.
        input_shape: [H, W, C] of an image.
        independent: indices of the cGMM layers with parameters of their own at every position.
        inputs: indices of the cGMM layers that a classifier reads, see `classifier_inputs`.
        convention: `centroids` counts the entries of mu only, which reproduces every number of
            Table V; `all` adds precisions, weights and the classifier.
    """
    if convention not in ("centroids", "all"):
        raise ValueError(f"unknown convention {convention!r}: use 'centroids' or 'all'")
    total = 0
    sizes = [tuple(input_shape), *shapes(layers, input_shape)]
    for index in gmm_indices(layers):
        height, width, dimension = sizes[index - 1]
        positions = height * width if index in independent else 1
        each = dimension if convention == "centroids" else 2 * dimension + 1
        total += positions * layers[index - 1].components * each
    if convention == "all" and isinstance(layers[-1], Classifier):
        read = sum(math.prod(sizes[index]) for index in classifier_inputs(layers, inputs))
        total += layers[-1].classes * (read + 1)
    return total


def _parse_token(text: str, token: str, start: int) -> Layer:
    match = _TOKEN.fullmatch(token)
    if match is None:
        expected = ", ".join(symbol + arguments for symbol, arguments in _ARGUMENTS.items())
        raise _error(text, start, token, f"expected one of {expected}")
    symbol = match["symbol"]
    if symbol not in LAYER_TYPES:
        raise _error(text, start, token, "unknown layer type, expected one of F, P, G, C")
    numbers = [int(number) for number in match["arguments"].split(",")]
    if len(numbers) != _ARGUMENTS[symbol].count(",") + 1:
        raise _error(text, start, token, f"{symbol} is written {symbol}{_ARGUMENTS[symbol]}")
    if min(numbers) < 1:
        raise _error(text, start, token, "every number must be at least 1")
    if symbol == "G" and math.isqrt(numbers[0]) ** 2 != numbers[0]:
        root = math.isqrt(numbers[0])
        raise _error(
            text, start, token,
            "components lie on a square grid, so their number must be a perfect square, "
            f"such as {root**2} or {(root + 1) ** 2}",
        )  # fmt: skip
    return LAYER_TYPES[symbol](*numbers)


def _error(text: str, position: int, token: str, problem: str) -> ValueError:
    return ValueError(f"DCGMM notation {text!r}, position {position} ({token!r}): {problem}")


def _pooled(size: int, layer: MaxPooling) -> int:
    windows = 1 + max(0, math.ceil((size - layer.kernel) / layer.stride))
    return min(windows, 1 + (size - 1) // layer.stride)  # none begins outside


def _written(layer: Layer) -> str:
    return f"{layer.symbol}({','.join(map(str, astuple(layer)))})"
