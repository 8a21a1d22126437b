"""PD-SPN: a sum-product network over the rectangles of Poon and Domingos."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from baselines.einet.method import SumProductNetwork
from baselines.einet.region_graph import RegionGraph, poon_domingos


class PDSPN(SumProductNetwork):
    """Poon-Domingos sum-product network.

    >>> model = PDSPN(delta=7, components=10)
    >>> history = model.fit(images, seed=0)

    Args:
        delta: distance of the cuts in pixels; must divide the image.
        axes: along which to cut; the paper's strips need axis 1 (between columns) alone.
        settings: see `baselines.einet.method.Settings` and `SumProductNetwork`.

    Raises:
        ValueError: for settings out of range or a delta that does not divide the image.

    Reference: Poon and Domingos 2011, "Sum-product networks: a new deep architecture".
    """

    name = "pdspn"

    def __init__(self, delta: int = 7, axes: Iterable[int] = (1,), **settings: Any) -> None:
        self.structure = {"delta": delta, "axes": list(axes)}
        super().__init__(**settings)

    def region_graph(self, seed: int) -> RegionGraph:
        """Rectangles on the grid; nothing is random."""
        return poon_domingos(self.input_shape[:2], **self.structure)
