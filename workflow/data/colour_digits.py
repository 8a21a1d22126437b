"""Colour images in the manner of SVHN, made of MNIST: what stands in where SVHN cannot be had.

As in SVHN, a digit of one colour lies before a ground of another that changes gradually, and parts
of its neighbours of the same colour show at the sides. It is far easier than SVHN: one handwriting,
one size, no blur and no noise. Results on it are results on it alone.

Everything is integer arithmetic on the raw words of PCG64, which are the same in every version of
NumPy, as the distributions of its generators need not be (NEP 19): the bytes are always the same.
"""

import numpy as np
from numpy.typing import NDArray

SIZE = 32
BATCH = 4096  # images at a time, which bounds the memory
DISTANCE = (16, 21)  # columns from a digit to its neighbour, upper end excluded, as in all ranges
DARK, LIGHT = (32, 88), (152, 232)  # brightness of the digit and of its ground, or the reverse
TINT = (-32, 33)  # what each channel of either departs from that
SLOPE = (-20, 21)  # how far each channel of the ground changes from the middle to an edge
_WORDS = 21  # random words for one image


def make(digits: NDArray[np.uint8], *, seed: int) -> NDArray[np.uint8]:
    """One colour image of each digit.

    Args:
        digits: uint8 [n, 28, 28], white on black.
        seed: of the random words; image i depends on its own words and on the digits alone.

    Returns:
        uint8 [n, 32, 32, 3].
    """
    words = np.random.PCG64(seed).random_raw(len(digits) * _WORDS).reshape(-1, _WORDS)
    made = np.empty((len(digits), SIZE, SIZE, 3), np.uint8)
    for start in range(0, len(digits), BATCH):
        batch = slice(start, start + BATCH)
        strokes = _with_neighbours(digits, digits[batch], words[batch, :6])
        made[batch] = _paint(strokes, words[batch, 6:])
    return made


def _with_neighbours(
    digits: NDArray[np.uint8], own: NDArray[np.uint8], words: NDArray[np.uint64]
) -> NDArray[np.uint8]:
    """Digits in the middle [m, 32, 32], and on either side a part of another in 3 of 4 images."""
    margin = (SIZE - own.shape[2]) // 2
    strokes = np.pad(own, ((0, 0), (margin, margin), (margin, margin)))
    for side, three in ((-1, words[:, :3]), (1, words[:, 3:])):
        other = digits[_between(three[:, 0], 0, len(digits))]
        shift = margin + side * _between(three[:, 1], *DISTANCE)[:, None]
        columns = np.arange(SIZE) - shift  # [m, 32], of the other digit
        seen = (columns >= 0) & (columns < other.shape[2]) & (_between(three[:, 2:], 0, 4) > 0)
        columns = np.where(seen, columns, 0)[:, None]  # [m, 1, 32]
        part = np.take_along_axis(other, columns, axis=2) * seen[:, None]  # [m, 28, 32]
        inner = strokes[:, margin : SIZE - margin]
        np.maximum(inner, part, out=inner)
    return strokes


def _paint(strokes: NDArray[np.uint8], words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Strokes [m, 32, 32] in one colour before a ground of another, uint8 [m, 32, 32, 3]."""
    dark = _between(words[:, 0:1], *DARK) + _between(words[:, 1:4], *TINT)  # [m, 3]
    light = _between(words[:, 4:5], *LIGHT) + _between(words[:, 5:8], *TINT)
    is_dark = _between(words[:, 8:9], 0, 2) == 1  # [m, 1], the digit
    digit, ground = np.where(is_dark, dark, light), np.where(is_dark, light, dark)
    ramp = 2 * np.arange(SIZE, dtype=np.int32) - (SIZE - 1)  # -31 to 31
    down, right = _between(words[:, 9:12], *SLOPE), _between(words[:, 12:15], *SLOPE)
    change = down[:, None, None] * ramp[:, None, None] + right[:, None, None] * ramp[:, None]
    ground = np.clip(ground[:, None, None] + change // (SIZE - 1), 0, 255)  # [m, 32, 32, 3]
    cover = strokes[..., None].astype(np.int32)
    mixed = ground * (255 - cover) + np.clip(digit, 0, 255)[:, None, None] * cover
    return ((mixed + 127) // 255).astype(np.uint8)


def _between(words: NDArray[np.uint64], low: int, high: int) -> NDArray[np.int32]:
    """Integers from `low` to `high` - 1 by the upper 32 bits of each word."""
    scaled = (words >> np.uint64(32)) * np.uint64(high - low) >> np.uint64(32)
    return low + scaled.astype(np.int32)
