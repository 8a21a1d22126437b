"""Draws from the root down: one child at every sum, all four at every product.

The library draws a child at every sum of the network, whether or not its parents chose it; this
visits the chosen ones alone and draws from the same distribution in a fraction of the time.
"""

from __future__ import annotations

import numpy as np

from baselines.dgcspn.settings import Settings


def draw_components(
    settings: Settings,
    weights: list[np.ndarray],
    seen: list[np.ndarray] | None,
    n: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """The component of every pixel, [n, H, W].

    Args:
        settings: of the network.
        weights: of the sums, lowest first, root last, as `Settings.shapes` has them; a sum's
            weights need not add up to 1.
        seen: the log-densities that the sums got from the evidence, in the same order, so that
            children are drawn from the posterior; None without evidence.
        n: images.
        generator: of the draws.
    """
    image = np.arange(n)
    chances = np.broadcast_to(weights[-1].reshape(1, -1), (n, weights[-1].size))
    if seen is not None:
        chances = chances * _relative(seen[-1].reshape(n, -1))
    cell = _choose(chances, generator)
    row, column, channel = np.unravel_index(cell, (*settings.grids[-1], settings.sums))
    for level in reversed(range(settings.levels)):
        below = settings.grids[level - 1] if level else settings.input_shape[:2]
        image, row, column, corner, channel = _children(
            image, row, column, channel, settings, level, below
        )
        if level:
            chances = weights[level - 1][row, column, :, channel]  # [m, children]
            if seen is not None:
                chances = chances * _relative(seen[level - 1][image, row, column])
            channel = _choose(chances, generator)
    # The lowest product numbers its channels so that corner k has component channel // K^k mod K.
    components = np.full((n, *settings.input_shape[:2]), -1)
    base = settings.components
    components[image, row, column] = channel // base**corner % base
    return components


def _children(image, row, column, channel, settings: Settings, level: int, below):
    """The four children of every product, without those in the padding, which hold no pixel."""
    d = settings.dilations[level]
    top = level == settings.levels - 1
    pad = [2 * d - side if top else d for side in below]
    corner = np.arange(4)
    rows = row[:, None] + corner // 2 * d - pad[0]
    columns = column[:, None] + corner % 2 * d - pad[1]
    parent, corner = np.nonzero(
        (rows >= 0) & (rows < below[0]) & (columns >= 0) & (columns < below[1])
    )
    return image[parent], rows[parent, corner], columns[parent, corner], corner, channel[parent]


def _relative(log_densities: np.ndarray) -> np.ndarray:
    return np.exp(log_densities - log_densities.max(-1, keepdims=True))


def _choose(chances: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """An index of every row [m], with probabilities proportional to its entries."""
    cumulated = np.cumsum(chances, axis=-1, dtype="float64")
    threshold = generator.random((len(chances), 1)) * cumulated[:, -1:]
    return (cumulated <= threshold).sum(-1)
