"""Table VIII: the layers of the VAE, their sizes and their parameters, without a library.

Padding is `valid` throughout: only so does the decoder end at 32x32 (4-7-11-24-28-30-32). The
encoder (32-30-14-6-3) then flattens to 3 * 3 * 512 = 4,608 numbers, where the table prints 4,096,
which no square of 512 channels has.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SIDE = 32  # pixels, of the images that the network reads and makes
SEED_SIDE, SEED_CHANNELS = 4, 128  # of the decoder's first feature map


class Convolution(NamedTuple):
    """A row of the table: a convolution or a transposed one, `valid`, with ReLU."""

    channels: int
    kernel: int
    stride: int

    def shrunk(self, side: int) -> int:
        """Output side of the convolution."""
        return (side - self.kernel) // self.stride + 1

    def grown(self, side: int) -> int:
        """Output side of the transposed convolution."""
        return (side - 1) * self.stride + self.kernel


ENCODER = (
    Convolution(64, 3, 1),
    Convolution(128, 3, 2),
    Convolution(256, 3, 2),
    Convolution(512, 2, 2),
)
DECODER = (
    Convolution(1024, 4, 1),
    Convolution(512, 5, 1),
    Convolution(256, 4, 2),
    Convolution(128, 5, 1),
    Convolution(128, 3, 1),
)
OUTPUT = Convolution(3, 3, 1)  # as many channels as the image has; linear, giving logits


def scaled(channels: int, width: float) -> int:
    """Channels at a fraction of the table's."""
    return max(1, round(width * channels))


def encoder(width: float) -> list[Convolution]:
    """The encoder's convolutions at a fraction of the table's channels."""
    return [layer._replace(channels=scaled(layer.channels, width)) for layer in ENCODER]


def decoder(width: float, channels: int) -> list[Convolution]:
    """The decoder's transposed convolutions, the last one making an image of `channels`."""
    hidden = [layer._replace(channels=scaled(layer.channels, width)) for layer in DECODER]
    return [*hidden, OUTPUT._replace(channels=channels)]


def maps(width: float, channels: int) -> dict[str, list[tuple[int, int, int]]]:
    """Feature maps [h, w, c] that the layers of `encoder` and `decoder` make, the input first."""
    read = [(SIDE, SIDE, channels)]
    for layer in encoder(width):
        side = layer.shrunk(read[-1][0])
        read.append((side, side, layer.channels))
    made = [(SEED_SIDE, SEED_SIDE, scaled(SEED_CHANNELS, width))]
    for layer in decoder(width, channels):
        side = layer.grown(made[-1][0])
        made.append((side, side, layer.channels))
    return {"encoder": read, "decoder": made}


def array_shapes(width: float, channels: int, latent: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the trainable arrays, layer by layer, a kernel before its bias.

    Kernels are [h, w, in, out], those of transposed convolutions [h, w, out, in].
    """
    sizes = maps(width, channels)
    flat, seed = math.prod(sizes["encoder"][-1]), math.prod(sizes["decoder"][0])
    shapes: dict[str, tuple[int, ...]] = {}

    def add(name: str, kernel: tuple[int, ...], units: int) -> None:
        shapes[f"{name}_kernel"], shapes[f"{name}_bias"] = kernel, (units,)

    for i, (layer, below) in enumerate(zip(encoder(width), sizes["encoder"], strict=False), 1):
        kernel = (layer.kernel, layer.kernel, below[2], layer.channels)
        add(f"encoder{i}", kernel, layer.channels)
    add("posterior", (flat, 2 * latent), 2 * latent)
    add("seed", (latent, seed), seed)
    for i, (layer, below) in enumerate(
        zip(decoder(width, channels), sizes["decoder"], strict=False), 1
    ):
        kernel = (layer.kernel, layer.kernel, layer.channels, below[2])
        add(f"decoder{i}", kernel, layer.channels)
    return shapes
