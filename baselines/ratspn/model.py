"""RAT-SPN: a sum-product network over random balanced splits of all pixels."""

from __future__ import annotations

from typing import Any

from baselines.einet.method import SumProductNetwork, structure_seed
from baselines.einet.region_graph import RegionGraph, random_binary_trees


class RATSPN(SumProductNetwork):
    """Random and tensorised sum-product network.

    >>> model = RATSPN(depth=4, repetitions=10, components=10)
    >>> history = model.fit(images, seed=0)

    Args:
        depth: D, successive splits of the pixels.
        repetitions: R, independent splits that the root mixes.
        settings: see `baselines.einet.method.Settings` and `SumProductNetwork`.

    Raises:
        ValueError: for settings out of range or a depth too large for the image.

    Reference: Peharz et al. 2019, "Random sum-product networks".
    """

    name = "ratspn"

    def __init__(self, depth: int = 4, repetitions: int = 10, **settings: Any) -> None:
        self.structure = {"depth": depth, "repetitions": repetitions}
        super().__init__(**settings)

    def region_graph(self, seed: int) -> RegionGraph:
        """R random binary trees of depth D."""
        size = self.input_shape[:2]
        return random_binary_trees(size, **self.structure, seed=structure_seed(seed))
