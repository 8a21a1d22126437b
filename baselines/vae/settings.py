"""The settings of a VAE."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from baselines.checks import as_count
from baselines.vae.table8 import SIDE, array_shapes


@dataclass(frozen=True)
class Settings:
    """How a VAE is built, trained and scored.

    Latent numbers, learning rate and epochs are the paper's; batch size and beta, which it leaves
    out, are those of the authors' other VAE.

    Args:
        latent: numbers of the latent code.
        width: channels as a fraction of Table VIII's, rounded, at least one.
        epochs: passes over the images.
        batch_size: images a step; with fewer images, all of them.
        learning_rate: of Adam.
        beta: weight of the Kullback-Leibler divergence in the loss.
        draws: importance samples of the bound.
        input_shape: (H, W, C) of an image, at most 32 pixels a side.

    Raises:
        ValueError: naming the setting that is out of range.
    """

    latent: int = 64
    width: float = 1.0
    epochs: int = 100
    batch_size: int = 100
    learning_rate: float = 1e-4
    beta: float = 1.0
    draws: int = 10
    input_shape: tuple[int, int, int] = (28, 28, 1)

    def __post_init__(self) -> None:
        for name in ("latent", "epochs", "batch_size", "draws"):
            as_count(name, getattr(self, name))
        for name in ("width", "learning_rate", "beta"):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (number and 0 < value < math.inf):
                raise ValueError(f"{name} must be a number above 0, but is {value!r}")
        if max(self.input_shape[:2]) > SIDE:
            raise ValueError(
                f"Table VIII's network makes images of at most {SIDE}x{SIDE} pixels, but "
                f"input_shape is {self.input_shape}: make the images smaller"
            )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the trainable arrays, in the order in which the network holds them."""
        return array_shapes(self.width, self.input_shape[2], self.latent)

    @property
    def n_parameters(self) -> int:
        """Trainable numbers."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def margins(self) -> tuple[int, int, int, int]:
        """Pixels above, left of, below and right of an image in the middle of 32x32."""
        rows, columns = (SIDE - side for side in self.input_shape[:2])
        return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
