"""Images made from a dataset's own test images, and images of one grey level.

Everything but the blur is integer arithmetic, and the order of shuffled pixels comes from raw words
of PCG64, which every version of NumPy reproduces.
"""

from collections.abc import Callable

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

SIGMA = 1.0  # pixels, of the blur
SEED = 0  # of the order of shuffled pixels
LEVELS = 256

Images = NDArray[np.uint8]


def inverted(images: Images) -> Images:
    """Replace every byte x by 255 - x; uint8 [n, H, W, C]."""
    return 255 - images


def half_contrast(images: Images) -> Images:
    """Halve the deviation of every byte x from its image's mean m: (x + m) / 2, rounded half up.

    Args:
        images: uint8 [n, H, W, C].

    Returns:
        uint8 [n, H, W, C]; m is over the pixels and channels of an image.
    """
    size = np.int64(images[0].size)
    total = images.sum(axis=(1, 2, 3), dtype=np.int64, keepdims=True)  # [n, 1, 1, 1]
    return ((images * size + total + size) // (2 * size)).astype(np.uint8)


def blurred(images: Images) -> Images:
    """Convolve with a Gaussian of sigma `SIGMA`, with the pixels at the edges repeated beyond them.

    Args:
        images: uint8 [n, H, W, C].

    Returns:
        uint8 [n, H, W, C], rounded.
    """
    smooth = scipy.ndimage.gaussian_filter(
        images.astype(np.float64), SIGMA, axes=(1, 2), mode="nearest"
    )
    return np.rint(smooth).astype(np.uint8)


def shuffled(images: Images) -> Images:
    """Put the pixels in another order, the same for all images; channels stay together.

    Args:
        images: uint8 [n, H, W, C].

    Returns:
        uint8 [n, H, W, C].
    """
    n, height, width, channels = images.shape
    order = np.argsort(np.random.PCG64(SEED).random_raw(height * width), kind="stable")
    return images.reshape(n, height * width, channels)[:, order].reshape(images.shape)


def constant(shape: tuple[int, int, int]) -> tuple[Images, NDArray[np.int64]]:
    """Make one image for each grey level.

    Args:
        shape: (H, W, C) of an image.

    Returns:
        uint8 [256, H, W, C] and int64 [256]; the label is the level.
    """
    levels = np.arange(LEVELS)
    return np.broadcast_to(
        levels.astype(np.uint8)[:, None, None, None], (LEVELS, *shape)
    ).copy(), levels.astype(np.int64)


# Sets made of the dataset's own test images.
OF_TEST_IMAGES: dict[str, Callable[[Images], Images]] = {
    "inverted": inverted,
    "contrast": half_contrast,
    "blurred": blurred,
    "shuffled": shuffled,
}
