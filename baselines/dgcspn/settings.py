"""The settings of a DGCSPN and what follows from them alone: shapes and parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from baselines.checks import as_count

LOCATIONS = ("image", "global")


@dataclass(frozen=True)
class Settings:
    """How a DGCSPN is built and trained; the defaults are the released ones but for `locations`.

    Args:
        sums: S, sums a cell.
        components: K, normal distributions a pixel.
        levels: products; their dilations are 1, 2, 4, ... , 2^(levels - 1).
        epochs: passes over the images.
        batch_size: images a step; the last batch of an epoch may be smaller.
        step: eta of online EM at the start; it is halved when the loss stagnates.
        dropout: probability in training that a leaf's log-density or a child of the root is left
            out.
        locations: what the leaves' locations start from, quantiles of images standardised each by
            itself as the network sees them (`image`), or all together, as released (`global`).
        input_shape: [H, W, C] of an image.
    """

    sums: int = 16
    components: int = 4
    levels: int = 7
    epochs: int = 15
    batch_size: int = 128
    step: float = 0.01
    dropout: float = 0.1
    locations: str = "image"
    input_shape: tuple[int, int, int] = (28, 28, 1)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            as_count(name, getattr(self, name))
        for name in ("sums", "components", "levels"):  # a sum of one child is none
            as_count(name, getattr(self, name), least=2)
        if not (_is_number(self.step) and 0 < self.step <= 1):
            raise ValueError(f"step must lie in (0, 1], but is {self.step!r}")
        if not (_is_number(self.dropout) and 0 <= self.dropout < 1):
            raise ValueError(f"dropout must lie in [0, 1), but is {self.dropout!r}")
        if self.locations not in LOCATIONS:
            raise ValueError(
                f"locations must be one of {', '.join(LOCATIONS)}, but is {self.locations!r}"
            )
        # The top product joins cells that lie 2^(levels - 1) apart, and each of them sees a window
        # as wide: together they must see every pixel.
        side, reach = max(self.input_shape[:2]), 2 ** (self.levels - 1)
        if side - 1 > reach:
            raise ValueError(
                f"{self.levels} levels reach images of {reach + 1} pixels a side, but these have "
                f"{side}: levels must be at least {1 + math.ceil(math.log2(side - 1))}"
            )

    @property
    def dilations(self) -> list[int]:
        """Of the products, lowest first."""
        return [2**level for level in range(self.levels)]

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Cells of every product's output, lowest first: (H + 2^l - 1, W + 2^l - 1), the top 2^l.

        All products but the top one are padded on both sides by their dilation.
        """
        height, width, _ = self.input_shape
        grown = [(height + 2 * d - 1, width + 2 * d - 1) for d in self.dilations[:-1]]
        return [*grown, (self.dilations[-1], self.dilations[-1])]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the trainable arrays, in the order in which the network holds them.

        A local sum has [rows, columns, children, sums] weights; a leaf has the denominators and
        the numerators of its locations, [1, H, W, K, C].
        """
        height, width, channels = self.input_shape
        leaf = (1, height, width, self.components, channels)
        children = [self.components**4] + [self.sums] * (self.levels - 2)
        local = {
            f"sum{level}": (*grid, into, self.sums)
            for level, (grid, into) in enumerate(zip(self.grids[:-1], children, strict=True))
        }
        root = (1, 1, math.prod(self.grids[-1]) * self.sums, 1)
        return {"denominators": leaf, "numerators": leaf, **local, "root": root}

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; 7,560,576 for S = 16 on 28x28, as Table III says."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
