"""Printed digits and letters in MNIST's size and place, from the DejaVu fonts in Matplotlib.

Each image is one glyph, drawn large, turned, sheared and stretched at random, reduced to a box of
20x20 pixels and moved so that its centre of mass lies in the middle, as MNIST's digits were:
Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998, section III.A.

Random numbers are raw words of PCG64, which every version of NumPy reproduces; the pixels also
depend on the FreeType in Pillow.
"""

import string
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from workflow.data.test_sets import MAX_IMAGES

SIZE = 28  # pixels of an image
BOX = 20  # pixels of the longer side of a glyph
SEED = 0
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
)
_GREEK = "".join(map(chr, [*range(0x391, 0x3A2), *range(0x3A3, 0x3AA)]))  # Α to Ω; 0x3A2 is free
_CYRILLIC = "".join(map(chr, range(0x410, 0x430)))  # А to Я
# The label of an image is its glyph's index here: 0 to 9 are the digits.
GLYPHS = (
    string.digits
    + string.ascii_uppercase
    + string.ascii_lowercase
    + _GREEK
    + _GREEK.lower()
    + _CYRILLIC
    + _CYRILLIC.lower()
)
ANGLE = 15  # degrees, at most, to either side
SHEAR = 0.2  # columns per row, at most, to either side
STRETCH = 1.2  # of width against height, at most, or its inverse
_POINTS = 96  # font size of the large drawing
_CANVAS = 240  # pixels of its side
_WORDS = 4  # random words for one image


def make(n: int = MAX_IMAGES) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw n images, glyph after glyph in every font in turn.

    Returns:
        uint8 [n, 28, 28, 1], light on black, and the labels int64 [n].
    """
    words = np.random.PCG64(SEED).random_raw(n * _WORDS).reshape(n, _WORDS)
    uniform = 2 * (words >> np.uint64(11)) * 2.0**-53 - 1  # [n, 4] in [-1, 1)
    fonts = _fonts()
    labels = np.arange(n) % len(GLYPHS)
    images = [
        _image(GLYPHS[label], fonts[int(font)], angle, shear, stretch)
        for label, (font, angle, shear, stretch) in zip(
            labels,
            np.c_[(uniform[:, 0] + 1) / 2 * len(fonts), uniform[:, 1:]],
            strict=True,
        )
    ]
    return np.stack(images)[..., None], labels.astype(np.int64)


def _fonts() -> list[ImageFont.FreeTypeFont]:
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    return [
        ImageFont.truetype(folder / f"{name}.ttf", _POINTS, layout_engine=ImageFont.Layout.BASIC)
        for name in FONTS
    ]


def _image(
    glyph: str, font: ImageFont.FreeTypeFont, angle: float, shear: float, stretch: float
) -> NDArray[np.uint8]:
    """Draw one glyph, uint8 [28, 28]; the last three arguments are from -1 to 1."""
    large = Image.new("L", (_CANVAS, _CANVAS))
    middle = _CANVAS / 2
    ImageDraw.Draw(large).text((middle, middle), glyph, 255, font, anchor="mm")
    # The inverse map takes a place of the result, relative to the middle, to one of the drawing.
    turn = np.deg2rad(ANGLE * angle)
    wide = STRETCH**stretch
    forward = (
        np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        @ np.array([[1, SHEAR * shear], [0, 1]])
        @ np.diag([wide, 1 / wide])
    )
    (a, b), (d, e) = np.linalg.inv(forward)
    shift = [middle - (row @ [middle, middle]) for row in np.array([[a, b], [d, e]])]
    mapped = large.transform(
        large.size,
        Image.Transform.AFFINE,
        (a, b, shift[0], d, e, shift[1]),
        Image.Resampling.BICUBIC,
    )
    # Reduce the smallest box around the glyph, which keeps its proportions.
    cut = mapped.crop(mapped.getbbox())
    scale = BOX / max(cut.size)
    width, height = (max(1, round(side * scale)) for side in cut.size)
    small = np.asarray(cut.resize((width, height), Image.Resampling.BILINEAR))
    # Move the centre of mass to the middle, as far as the glyph stays within the image.
    image = np.zeros((SIZE, SIZE), np.uint8)
    top, left = (_offset(small.sum(axis=1 - axis, dtype=np.int64)) for axis in (0, 1))
    image[top : top + height, left : left + width] = small
    return image


def _offset(mass: NDArray[np.int64]) -> int:
    """First row or column of a glyph with this mass in each, for the centre to be in the middle."""
    centre = np.average(np.arange(len(mass)), weights=mass)
    return int(np.clip(np.rint((SIZE - 1) / 2 - centre), 0, SIZE - len(mass)))
