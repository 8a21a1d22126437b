"""The network written out: one node at a time, from its definition alone."""

import math
from functools import cache

import numpy as np


def log_density(settings, arrays, z, known):
    """Log-density of one standardised image [H, W, C] whose unknown values are integrated out."""
    height, width, channels = settings.input_shape
    locations = (arrays["numerators"] / arrays["denominators"])[0]
    levels, base = settings.levels, settings.components

    def leaf(row, column, component):
        return sum(
            -0.5 * (z[row, column, c] - locations[row, column, component, c]) ** 2
            - 0.5 * math.log(2 * math.pi)
            for c in range(channels)
            if known[row, column, c]
        )

    @cache
    def product(level, row, column, channel):
        """A product's coordinates are the pixel that its window ends at; it may lie outside."""
        d = 2**level
        total = 0.0
        for corner, (dr, dc) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            r, c = row - d * (1 - dr), column - d * (1 - dc)
            if level == 0:
                if 0 <= r < height and 0 <= c < width:
                    total += leaf(r, c, channel // base**corner % base)
            # A cell below sees pixels r - d + 1 to r: none, if they all lie outside.
            elif 0 <= r < height + d - 1 and 0 <= c < width + d - 1:
                total += mix(level - 1, r, c, channel)
        return total

    @cache
    def mix(level, row, column, channel):
        weights = arrays[f"sum{level}"][row, column, :, channel].astype(float)
        children = [product(level, row, column, k) for k in range(len(weights))]
        return _log_mean(weights, children)

    side = 2 ** (levels - 1)
    # The top cells begin where the last window still ends on the image's last pixel.
    children = [
        product(levels - 1, row + height - 1, column + width - 1, k)
        for row in range(side)
        for column in range(side)
        for k in range(settings.sums)
    ]
    return _log_mean(arrays["root"].ravel().astype(float), children)


def _log_mean(weights, logs):
    return float(np.log(np.dot(weights / weights.sum(), np.exp(logs))))
