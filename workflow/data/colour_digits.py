"""Colour images like SVHN's, made from MNIST: a stand-in where SVHN is unavailable.

As in SVHN, a digit of one colour lies before a ground of another that changes gradually, and parts
of its neighbours of the same colour show at the sides. The task is far easier than SVHN: one
handwriting, one size, no blur and no noise, so results on it say nothing of SVHN.

Everything is integer arithmetic on raw words of PCG64, which every version of NumPy reproduces,
while the distributions of its generators may change (NEP 19): the bytes are always the same.
"""

import numpy as np
from numpy.typing import NDArray

SIZE = 32
BATCH = 4096  # images at a time, which bounds the memory
DISTANCE = (16, 21)  # columns from a digit to its neighbour, upper end excluded, as in all ranges
DARK, LIGHT = (32, 88), (152, 232)  # brightness of the digit and of its ground, or the reverse
TINT = (-32, 33)  # deviation of each channel of either from that
SLOPE = (-20, 21)  # change of each channel of the ground from the middle to an edge
_WORDS = 21  # random words for one image


def make(digits: NDArray[np.uint8], *, seed: int) -> NDArray[np.uint8]:
    """Paint one colour image for each digit.

    Args:
        digits: uint8 [n, 28, 28], white on black.
        seed: of the random words; image i depends only on its own words and the digits.

    Returns:
        uint8 [n, 32, 32, 3].
    """
    words = np.random.PCG64(seed).random_raw(len(digits) * _WORDS).reshape(-1, _WORDS)
    images = np.empty((len(digits), SIZE, SIZE, 3), np.uint8)
    for start in range(0, len(digits), BATCH):
        batch = slice(start, start + BATCH)
        strokes = _with_neighbours(digits, digits[batch], words[batch, :6])
        images[batch] = _paint(strokes, words[batch, 6:])
    return images


def _with_neighbours(
    digits: NDArray[np.uint8], centred: NDArray[np.uint8], words: NDArray[np.uint64]
) -> NDArray[np.uint8]:
    """Centre digits [m, 32, 32]; each side shows part of another digit in 3 of 4 images."""
    margin = (SIZE - centred.shape[2]) // 2
    strokes = np.pad(centred, ((0, 0), (margin, margin), (margin, margin)))
    for side, side_words in ((-1, words[:, :3]), (1, words[:, 3:])):
        neighbour = digits[_between(side_words[:, 0], 0, len(digits))]
        shift = margin + side * _between(side_words[:, 1], *DISTANCE)[:, None]
        columns = np.arange(SIZE) - shift  # [m, 32], of the neighbour
        visible = (
            (columns >= 0)
            & (columns < neighbour.shape[2])
            & (_between(side_words[:, 2:], 0, 4) > 0)
        )
        columns = np.where(visible, columns, 0)[:, None]  # [m, 1, 32]
        part = np.take_along_axis(neighbour, columns, axis=2) * visible[:, None]  # [m, 28, 32]
        inner = strokes[:, margin : SIZE - margin]
        np.maximum(inner, part, out=inner)
    return strokes


def _paint(strokes: NDArray[np.uint8], words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Paint strokes [m, 32, 32] in one colour on a ground of another, uint8 [m, 32, 32, 3]."""
    # One dark and one light colour; a coin decides which is the digit's.
    dark = _between(words[:, 0:1], *DARK) + _between(words[:, 1:4], *TINT)  # [m, 3]
    light = _between(words[:, 4:5], *LIGHT) + _between(words[:, 5:8], *TINT)
    is_dark = _between(words[:, 8:9], 0, 2) == 1  # [m, 1], the digit
    digit, ground = np.where(is_dark, dark, light), np.where(is_dark, light, dark)
    # The ground changes linearly down and to the right.
    ramp = 2 * np.arange(SIZE, dtype=np.int32) - (SIZE - 1)  # -31 to 31
    down, right = _between(words[:, 9:12], *SLOPE), _between(words[:, 12:15], *SLOPE)
    change = down[:, None, None] * ramp[:, None, None] + right[:, None, None] * ramp[:, None]
    ground = np.clip(ground[:, None, None] + change // (SIZE - 1), 0, 255)  # [m, 32, 32, 3]
    # Blend by the strokes' coverage, rounding to the nearest integer.
    cover = strokes[..., None].astype(np.int32)
    mixed = ground * (255 - cover) + np.clip(digit, 0, 255)[:, None, None] * cover
    return ((mixed + 127) // 255).astype(np.uint8)


def _between(words: NDArray[np.uint64], low: int, high: int) -> NDArray[np.int32]:
    """Map the upper 32 bits of each word to an integer from `low` to `high` - 1."""
    scaled = (words >> np.uint64(32)) * np.uint64(high - low) >> np.uint64(32)
    return low + scaled.astype(np.int32)
