"""Check what a caller gives; what does not fit is refused in one sentence."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

# NumPy's own, whatever a caller has set: an underflow is no error here.
numpy_defaults = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


def as_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Convert images to contiguous float32 [n, H, W, C], without a copy where they already are.

    Raises:
        ValueError: for another rank or shape, no images, values outside [0, 1], or bytes,
            uint8, of 0 and 1 alone.
    """
    return _as_floats(_as_array(images, shape))


def as_evidence(
    images: Any, known: Any, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Convert images as `as_images` does, unknown pixels black, and broadcast the mask.

    Unknown pixels may hold anything, NaN included.

    Args:
        images: [n, H, W, C].
        known: boolean, broadcastable to the images.
        shape: (H, W, C).

    Raises:
        ValueError: as `as_images` for what is known, and as `as_mask`.
    """
    images = _as_array(images, shape)
    mask = as_mask(known, images.shape)
    return _as_floats(np.where(mask, images, images.dtype.type(0))), mask


def as_mask(known: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Broadcast a mask of known pixels to boolean [n, H, W, C], without a copy.

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


def as_shape(shape: Any) -> tuple[int, int, int]:
    """Check the shape (H, W, C) of an image.

    Raises:
        ValueError: for anything but three whole numbers of at least 1.
    """
    shape = tuple(shape)
    if len(shape) != 3:
        raise ValueError(f"input_shape must be (H, W, C), but is {shape}")
    height, width, channels = (as_count("every side of input_shape", side) for side in shape)
    return height, width, channels


def as_weights(weights: Any, n: int) -> np.ndarray:
    """Convert the weights of n training images to float32 [n].

    Raises:
        ValueError: for another number of them, or any that is negative or not finite.
    """
    weights = np.asarray(weights, dtype="float32")
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight must have one number an image, [{n}], but is {weights.shape}"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample_weight must hold finite numbers of at least 0")
    return weights


def batches(n: int, size: int) -> list[slice]:
    """Slices of n images in batches of a size; the last one may be smaller."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def as_count(name: str, value: Any, least: int = 1) -> int:
    """Check a whole number of at least `least`.

    Raises:
        ValueError: naming the setting and the value it has.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, but is {value!r}")
    return int(value)


def as_seed(seed: Any) -> int:
    """Check a seed; every library takes this range.

    Raises:
        ValueError: for anything but an integer from 0 to 2**32 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}, but must be an integer from 0 to 2**32 - 1")
    return int(seed)


def _as_array(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Check that images are numbers of the right shape; their type stays."""
    try:
        images = np.asarray(images)
        if images.dtype.kind == "O":
            images = images.astype("float32")
    except (TypeError, ValueError) as error:
        raise ValueError(f"images are not an array of numbers ({error})") from None
    if images.dtype.kind not in "biuf":
        raise ValueError(f"images are not an array of numbers (could not convert {images.dtype})")
    if images.ndim != 4 or images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images have shape {images.shape}, but this model was built for [n, H, W, C] with "
            f"(H, W, C) = {tuple(shape)}"
        )
    if len(images) == 0:
        raise ValueError("there are no images: the class selection is empty")
    return images


def _as_floats(images: np.ndarray) -> np.ndarray:
    """Convert images to float32, checked to lie in [0, 1]."""
    if images.dtype == np.uint8 and images.max() == 1:
        raise ValueError(
            "images are bytes of 0 and 1 alone, and 255 would be white: give them as float32"
        )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # judged below
        images = np.ascontiguousarray(images, dtype="float32")
        low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # so written, NaN is refused too
        raise ValueError(
            f"pixels lie in [{low:g}, {high:g}], but must lie in [0, 1]: divide bytes by 255"
        )
    return images
