"""Check what a caller gives; what does not fit is refused in one sentence."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

# NumPy's own, whatever a caller has set: an underflow is no error here.
numpy_defaults = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


def as_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Convert images to contiguous float32 [n, H, W, C], without a copy where they already are.

    Bytes (uint8) are divided by 255.

    Raises:
        ValueError: for another rank or shape, no images, values that are not finite or lie
            outside [0, 1] (precisions are bounded for that range), or bytes of 0 and 1 alone.
    """
    return _as_floats(_as_array(images, shape))


def as_training_images(images: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Keep bytes, which take a quarter of the memory; convert all else as `as_images` does.

    Raises:
        ValueError: as there.
    """
    images = _as_array(images, shape)
    if images.dtype != np.uint8:
        return _as_floats(images)
    _refuse_ambiguous(images)
    return np.ascontiguousarray(images)


def as_evidence(
    images: Any, known: Any, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Convert images as `as_images` does, unknown pixels black, and broadcast the mask.

    Unknown pixels may hold anything, NaN included.

    Args:
        images: [n, H, W, C].
        known: boolean, broadcastable to the images.
        shape: [H, W, C].

    Raises:
        ValueError: as `as_images` for what is known, and as `as_mask`.
    """
    images = _as_array(images, shape)
    mask = as_mask(known, images.shape)
    return _as_floats(np.where(mask, images, images.dtype.type(0))), mask


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
    return images


def _as_floats(images: np.ndarray) -> np.ndarray:
    """Convert images to float32, checked to lie in [0, 1]."""
    _refuse_ambiguous(images)
    if images.dtype == np.uint8:
        return np.divide(np.ascontiguousarray(images), 255, dtype="float32")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # judged below
        images = np.ascontiguousarray(images, dtype="float32")
        low, high = images.min(), images.max()
    if not np.isfinite([low, high]).all():
        raise ValueError("images hold values that are not finite: clean the data first")
    if low < 0 or high > 1:
        raise ValueError(
            f"pixels lie in [{low:g}, {high:g}], but must lie in [0, 1]: divide bytes by 255"
        )
    return images


def _refuse_ambiguous(images: np.ndarray) -> None:
    if images.dtype == np.uint8 and images.max() == 1:
        raise ValueError(
            "images are bytes of 0 and 1 alone, and 255 would be white: give them as float32"
        )


def as_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Check the shape [H, W, C] of an image.

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
    """Check a seed; every library takes this range.

    Raises:
        ValueError: for anything but an integer from 0 to 2**32 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}, but must be an integer from 0 to 2**32 - 1")
    return int(seed)


def as_layer(layer: int | None, gmm_indices: tuple[int, ...]) -> int:
    """Check the index of a cGMM layer, counted from 1 as in the paper; None is the top one.

    Raises:
        ValueError: if that layer is not a cGMM layer.
    """
    if layer is None:
        return gmm_indices[-1]
    if isinstance(layer, bool | float) or layer not in gmm_indices:
        raise ValueError(
            f"layer {layer} is not a cGMM layer; those of this instance are "
            f"{', '.join(map(str, gmm_indices))}"
        )
    return layer


def as_count(name: str, value: Any) -> int:
    """Check a whole number of at least 1.

    Raises:
        ValueError: naming the setting and the value it has.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} is {value!r}, but must be a whole number from 1")
    return int(value)


def as_measurements(value: Any) -> int | tuple[float, ...]:
    """Check at which points of a run to measure: how many, or fractions of it, made to rise.

    Raises:
        ValueError: for what is neither.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return as_count("measurements", value)
    fractions = list(value)
    wrong = [f for f in fractions if not isinstance(f, Real) or not 0 < f <= 1]
    if wrong or not fractions:
        given = f"measurements hold {wrong[0]!r}" if wrong else "measurements are empty"
        raise ValueError(f"{given}, but must be a count or fractions of the run, above 0 up to 1")
    return tuple(sorted(map(float, fractions)))


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


def as_control(top: Any, n: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Check a control signal for the top cGMM layer, float32 [n, H, W, K].

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
