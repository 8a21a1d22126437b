"""Masks of the evidence: pixels that a score is of; the others are integrated out.

The authors' release scores only the lower half of an image with RAT-SPN and PD-SPN: the mask set
by its in-painting demonstration is still in place when outliers are scored.
"""

import numpy as np

ALL = "all"
TITLES = {ALL: "whole image", "bottom_half": "bottom half", "top_half": "top half"}
NAMES = tuple(TITLES)


def mask(name: str, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Mask of the known pixels, bool [H, W, 1]; None for all.

    Args:
        name: one of `NAMES`.
        shape: (H, W, C) of an image; the top half has rows below H // 2, the bottom half the rest.

    Raises:
        ValueError: for an unknown name.
    """
    if name == ALL:
        return None
    if name not in NAMES:
        raise ValueError(f"unknown evidence {name!r}; choose from {', '.join(NAMES)}")
    height, width, _ = shape
    is_bottom = np.arange(height) >= height // 2
    rows = is_bottom if name == "bottom_half" else ~is_bottom
    return np.repeat(rows[:, None, None], width, axis=1)


def left_half(shape: tuple[int, int, int]) -> np.ndarray:
    """Mask of the left half, from which Fig. 8 in-paints the right one, bool [H, W, 1]."""
    height, width, _ = shape
    known_pixels = np.zeros((height, width, 1), bool)
    known_pixels[:, : width // 2] = True
    return known_pixels
