"""What the model accepts as images, and one sentence for what it does not."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np


def as_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Images as contiguous float32 [n, H, W, C], without a copy where they already are.

    Bytes, uint8, stand for themselves over 255.

    Raises:
        ValueError: for another rank or shape, no images, values that are not finite or lie
            outside [0, 1] (precisions are bounded for that range), or bytes of 0 and 1 alone.
    """
    if _are_bytes(images):
        return np.divide(as_training_images(images, shape), 255, dtype="float32")
    try:
        images = np.ascontiguousarray(images, dtype="float32")
    except (TypeError, ValueError) as error:
        raise ValueError(f"images are no array of numbers ({error})") from None
    _check_shape(images, shape)
    low, high = images.min(), images.max()
    if not np.isfinite([low, high]).all():
        raise ValueError("images hold values that are not finite: clean the data first")
    if low < 0 or high > 1:
        raise ValueError(
            f"pixels lie in [{low:g}, {high:g}], but must lie in [0, 1]: divide bytes by 255"
        )
    return images


def as_training_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Bytes as they are, which take a quarter of the memory; all else as `as_images` has it.

    Raises:
        ValueError: as there.
    """
    if not _are_bytes(images):
        return as_images(images, shape)
    images = np.ascontiguousarray(images)
    _check_shape(images, shape)
    if images.max() <= 1:
        raise ValueError(
            "images are bytes of 0 and 1 alone, and 255 would be white: give them as float32"
        )
    return images


def _are_bytes(images: Any) -> bool:
    return getattr(images, "dtype", None) == np.uint8


def _check_shape(images: np.ndarray, shape: tuple[int, int, int]) -> None:
    if images.ndim != 4:
        raise ValueError(
            f"images have {images.ndim} axes {images.shape}, but must have 4: [n, H, W, C]"
        )
    if images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images are {images.shape[1:]}, but this model was built for {tuple(shape)}"
        )
    if len(images) == 0:
        raise ValueError("there are no images: the class selection is empty")


def as_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """The shape [H, W, C] of an image.

    Raises:
        ValueError: for anything but three integers from 1.
    """
    shape = tuple(shape)
    if len(shape) != 3 or not all(isinstance(size, Integral) and size >= 1 for size in shape):
        raise ValueError(
            f"input_shape is {shape}, but must be height, width and channels, such as (28, 28, 1)"
        )
    return tuple(int(size) for size in shape)


def as_seed(seed: Any) -> int:
    """A seed of NumPy's generators.

    Raises:
        ValueError: for anything but an integer from 0.
    """
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed is {seed!r}, but must be an integer from 0")
    return int(seed)


def as_layer(layer: int | None, gmm_indices: tuple[int, ...]) -> int:
    """The index of a cGMM layer as the paper counts, from 1; None is the top one.

    Raises:
        ValueError: if that layer is no cGMM layer.
    """
    if layer is None:
        return gmm_indices[-1]
    if isinstance(layer, bool | float) or layer not in gmm_indices:
        raise ValueError(
            f"layer {layer} is no cGMM layer; those of this instance are "
            f"{', '.join(map(str, gmm_indices))}"
        )
    return layer


def as_count(name: str, value: Any) -> int:
    """A whole number from 1.

    Raises:
        ValueError: naming the setting and the value it has.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} is {value!r}, but must be a whole number from 1")
    return int(value)


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


def as_control(top: Any, n: int, shape: tuple[int, int, int]) -> np.ndarray:
    """A control signal for the top cGMM layer as float32 [n, H, W, K].

    Raises:
        ValueError: for another shape, or numbers that are not finite.
    """
    top = np.asarray(top, "float32")
    if top.shape != (n, *shape):
        raise ValueError(
            f"top has shape {top.shape}, but a control signal for {n} images and the top cGMM "
            f"layer has {(n, *shape)}: [n, H, W, K]"
        )
    if not np.isfinite(top).all():
        raise ValueError("top holds values that are not finite: give finite ones")
    return top
