"""Pixels that a score is of; the others are integrated out.

The authors' release scores the lower half of an image by RAT-SPN and PD-SPN: the mask that its
demonstration of in-painting sets is still there when outliers are scored.
"""

import numpy as np

ALL = "all"
NAMES = (ALL, "bottom_half")


def mask(name: str, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Known pixels, bool [H, W, 1]; None if it is all of them.

    Args:
        name: one of `NAMES`.
        shape: (H, W, C) of an image; the bottom half starts in row H // 2.

    Raises:
        ValueError: for another name.
    """
    if name == ALL:
        return None
    if name != "bottom_half":
        raise ValueError(f"unknown evidence {name!r}; choose from {', '.join(NAMES)}")
    height, width, _ = shape
    known = np.zeros((height, width, 1), bool)
    known[height // 2 :] = True
    return known


def left_half(shape: tuple[int, int, int]) -> np.ndarray:
    """Known pixels where the right half is to be in-painted (Fig. 8), bool [H, W, 1]."""
    height, width, _ = shape
    known = np.zeros((height, width, 1), bool)
    known[:, : width // 2] = True
    return known
