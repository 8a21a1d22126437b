"""What every method accepts as images and masks, and one sentence for what it does not."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Images as contiguous float32 [n, H, W, C], without a copy where they already are.

    Raises:
        ValueError: for another rank or shape, no images, or values outside [0, 1].
    """
    images = np.ascontiguousarray(images, dtype="float32")
    if images.ndim != 4 or images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images have shape {images.shape}, but this model was built for [n, H, W, C] with "
            f"(H, W, C) = {tuple(shape)}"
        )
    if len(images) == 0:
        raise ValueError("there are no images: the class selection is empty")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # so written, NaN is refused too
        raise ValueError(
            f"pixels lie in [{low:g}, {high:g}], but must lie in [0, 1]: divide bytes by 255"
        )
    return images


def as_mask(known: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of known pixels as boolean [n, H, W, C], broadcast without a copy.

    Raises:
        ValueError: if it is not boolean or does not broadcast to the images' shape.
    """
    known = np.asarray(known)
    if known.dtype != np.bool_:
        raise ValueError(f"the mask of known pixels must be boolean, but is {known.dtype}")
    try:
        return np.broadcast_to(known, shape)
    except ValueError:
        raise ValueError(
            f"the mask of known pixels has shape {known.shape}, which does not broadcast to "
            f"the images' {tuple(shape)}: give [H, W, 1] or [n, H, W, 1]"
        ) from None


def as_count(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least `least`.

    Raises:
        ValueError: naming the setting and the value it has.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, but is {value!r}")
    return int(value)
