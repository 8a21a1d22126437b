"""The sums of one layer of a region graph, and which rows of the layers below they use."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class SumLayer:
    """n regions of p partitions; products are numbered partition by partition, [p * n].

    Attributes:
        left: numbers of first children, [p * n].
        right: numbers of second children, [p * n].
        start: number of the first region.
        weights: [p * n, K_out, K * K], summing to 1 over the last axis.
        mixing: [n, K_out, p], summing to 1 over the last axis; None if p = 1.
    """

    left: Tensor
    right: Tensor
    start: int
    weights: Tensor
    mixing: Tensor | None

    def __post_init__(self) -> None:
        self.left_rows, self.right_rows = Rows(self.left), Rows(self.right)
        self.partitions = 1 if self.mixing is None else self.mixing.shape[2]

    @property
    def regions(self) -> slice:
        """Numbers of this layer's regions."""
        return slice(self.start, self.start + len(self.weights) // self.partitions)


class Rows:
    """Row numbers; those at equal distances become slices, which need no copy."""

    def __init__(self, numbers: Tensor) -> None:
        steps = numbers.diff()
        step = int(steps[0]) if len(steps) else 1
        self.regular = step > 0 and bool((steps == step).all())
        self.numbers, self.first, self.step = numbers, int(numbers[0]), step

    def of(self, part: slice) -> slice | Tensor:
        """An index for a part of the rows."""
        if not self.regular:
            return self.numbers[part]
        start = self.first + part.start * self.step
        last = self.first + (part.stop - 1) * self.step
        return slice(start, last + 1, self.step)
