"""Region graphs: which sets of pixels are split into which two.

A region is a set of pixels, a partition splits it into two disjoint ones, and leaves are split no
further. Regions are numbered: leaves first, then layer by layer, so that children come before
parents; the root, the set of all pixels, is the last layer alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from baselines import persistence
from baselines.checks import as_count

_SAVED = "graph/"  # how the names of arrays begin that a structure is saved as


@dataclass(frozen=True)
class Layer:
    """n regions with p partitions each.

    Attributes:
        left: [p, n] numbers of the first child.
        right: [p, n] numbers of the second child.
    """

    left: np.ndarray
    right: np.ndarray


@dataclass(frozen=True)
class RegionGraph:
    """The structure of a circuit over an image of H x W pixels.

    Attributes:
        size: (H, W); pixels are numbered row by row.
        leaves: for each leaf, the numbers of its pixels.
        layers: bottom to top; the last one holds the root alone.
    """

    size: tuple[int, int]
    leaves: tuple[np.ndarray, ...]
    layers: tuple[Layer, ...]

    @property
    def n_regions(self) -> int:
        """Regions without the root."""
        return len(self.leaves) + sum(layer.left.shape[1] for layer in self.layers[:-1])

    @property
    def n_leaf_pixels(self) -> int:
        """Pixels summed over leaves: each one counts once a repetition."""
        return sum(len(leaf) for leaf in self.leaves)


def random_binary_trees(
    size: tuple[int, int], depth: int, repetitions: int, seed: int | Sequence[int] = 0
) -> RegionGraph:
    """Random balanced binary splits to a depth, `repetitions` of them under one shared root.

    Args:
        size: (H, W).
        depth: D, number of successive splits: every repetition has 2^D leaves.
        repetitions: R, the number of products that the root mixes.
        seed: of the splits.

    Raises:
        ValueError: if a leaf would be left without a pixel.

    Reference: Peharz et al. 2019, "Random sum-product networks" (RAT-SPN).
    """
    depth, repetitions = as_count("depth", depth), as_count("repetitions", repetitions)
    pixels = size[0] * size[1]
    deepest = pixels.bit_length() - 1
    if depth > deepest:
        raise ValueError(
            f"depth {depth} is too large for an image of {size[0]}x{size[1]}: its {pixels} pixels "
            f"can be halved at most {deepest} times"
        )
    if deepest == 0:
        raise ValueError("an image of one pixel cannot be split")
    bounds = [0, pixels]
    for _ in range(depth):
        middles = [(a + b) // 2 for a, b in pairwise(bounds)]
        bounds = sorted([*bounds, *middles])
    rng = np.random.default_rng(seed)
    leaves = []
    for _ in range(repetitions):
        leaves += np.split(rng.permutation(pixels), bounds[1:-1])
    return RegionGraph(size, tuple(np.sort(leaf) for leaf in leaves), _trees(depth, repetitions))


def _trees(depth: int, repetitions: int) -> tuple[Layer, ...]:
    """Layers of complete binary trees whose leaves are numbered from left to right."""
    layers, start = [], 0
    for level in reversed(range(depth)):
        children = start + np.arange(repetitions * 2 ** (level + 1))
        start += len(children)
        left, right = children[::2], children[1::2]
        shape = (-1, 1) if level == 0 else (1, -1)  # the root mixes, other regions do not
        layers.append(Layer(left.reshape(shape), right.reshape(shape)))
    return tuple(layers)


def poon_domingos(size: tuple[int, int], delta: int, axes: Iterable[int] = (0, 1)) -> RegionGraph:
    """All rectangles on a grid of lines `delta` apart, each split along every line inside it.

    28x28 pixels, delta 7 and axis 1 alone give 4 vertical strips as leaves, 3 + 2 inner regions
    and a root with 3 partitions.

    Args:
        size: (H, W).
        delta: distance of the lines in pixels.
        axes: along which to cut: 0 between rows, 1 between columns.

    Raises:
        ValueError: if delta does not divide the image, or leaves nothing to cut.

    Reference: Poon and Domingos 2011, "Sum-product networks: a new deep architecture".
    """
    delta, axes = as_count("delta", delta), sorted(set(axes))
    if not axes or not set(axes) <= {0, 1}:
        raise ValueError(f"axes must be 0 (between rows), 1 (between columns) or both, not {axes}")
    cells = [size[axis] // delta if axis in axes else 1 for axis in (0, 1)]
    for axis in axes:
        if size[axis] % delta:
            raise ValueError(
                f"delta {delta} does not divide the {size[axis]} pixels of axis {axis}"
            )
    if cells == [1, 1]:
        raise ValueError(f"delta {delta} leaves an image of {size[0]}x{size[1]} in one piece")
    rectangles = sorted(
        product(_intervals(cells[0]), _intervals(cells[1])),
        key=lambda r: (_area(r), len(_cuts(r)), r),
    )
    number = {rectangle: index for index, rectangle in enumerate(rectangles)}
    grid = np.arange(size[0] * size[1]).reshape(
        cells[0], size[0] // cells[0], cells[1], size[1] // cells[1]
    )
    leaves = tuple(grid[i, :, j, :].ravel() for i, j in product(range(cells[0]), range(cells[1])))
    layers: dict[tuple[int, int], list] = {}
    for rectangle in rectangles[len(leaves) :]:
        cuts = [(number[a], number[b]) for a, b in _cuts(rectangle)]
        layers.setdefault((_area(rectangle), len(cuts)), []).append(cuts)
    return RegionGraph(size, leaves, tuple(map(_layer, layers.values())))


def as_arrays(graph: RegionGraph) -> dict[str, np.ndarray]:
    """A structure as the arrays that are saved."""
    children = {
        f"{_SAVED}children{index}": np.stack([layer.left, layer.right])
        for index, layer in enumerate(graph.layers)
    }
    pixels, sizes = np.concatenate(graph.leaves), np.array([len(leaf) for leaf in graph.leaves])
    return {f"{_SAVED}pixels": pixels, f"{_SAVED}sizes": sizes, **children}


def is_part(name: str) -> bool:
    """Whether an array of this name is one of a saved structure."""
    return name.startswith(_SAVED)


def from_arrays(arrays: dict[str, np.ndarray], plan: RegionGraph) -> RegionGraph:
    """Restore what `as_arrays` has saved: the structure of `plan`, its pixels in another order.

    Raises:
        ValueError: if it is another one.
    """
    planned = as_arrays(plan)
    persistence.check_shapes(arrays, {name: array.shape for name, array in planned.items()})
    for name, array in planned.items():
        same = np.sort if name.endswith("pixels") else np.asarray
        if not np.array_equal(same(arrays[name]), same(array)):
            raise ValueError(f"{name} is not of this structure")
    pixels = arrays[f"{_SAVED}pixels"].astype(np.int64)
    ends = np.cumsum(planned[f"{_SAVED}sizes"])[:-1]
    return replace(plan, leaves=tuple(np.split(pixels, ends)))


def _intervals(n: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(n) for b in range(a + 1, n + 1)]


def _area(rectangle: tuple) -> int:
    (top, bottom), (left, right) = rectangle
    return (bottom - top) * (right - left)


def _cuts(rectangle: tuple) -> list[tuple[tuple, tuple]]:
    """The two halves for every grid line inside the rectangle."""
    rows, columns = rectangle
    across = [
        (((rows[0], c), columns), ((c, rows[1]), columns)) for c in range(rows[0] + 1, rows[1])
    ]
    along = [
        ((rows, (columns[0], c)), (rows, (c, columns[1])))
        for c in range(columns[0] + 1, columns[1])
    ]
    return across + along


def _layer(partitions: list[list[tuple[int, int]]]) -> Layer:
    children = np.array(partitions)  # [n, p, 2]
    return Layer(children[:, :, 0].T.copy(), children[:, :, 1].T.copy())
