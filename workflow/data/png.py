"""Images through Pillow: read PNG files, change their size, measure their compressed size.

Sizes depend on the compression library in Pillow, which `compressor` names.
"""

import io

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, features

LEVEL = 9  # of zlib; filters are libpng's adaptive ones, as Pillow chooses them
MAX_FILE = 1 << 24  # bytes of one PNG file
_MODES = {1: "L", 3: "RGB"}  # channels -> Pillow's mode
_CHANNELS = {"1": 1, "L": 1, "RGB": 3}  # modes that are read
_RESAMPLING = Image.Resampling.BICUBIC


def compressor() -> str:
    """Name what makes the PNG files, with versions and settings."""
    library = "zlib-ng" if features.check("zlib_ng") else "zlib"
    version = features.version("zlib_ng") or features.version("zlib")
    return f"PNG by Pillow {PIL.__version__}, {library} {version}, level {LEVEL}"


def compressed_bits(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Measure the size of each image as a PNG file.

    Args:
        images: uint8 [n, H, W, C], of 1 or 3 channels.

    Returns:
        int64 [n], bits of the whole file; 456 of them are the same in every file.
    """
    return np.array([8 * len(encode(image)) for image in images], np.int64)


def encode(image: NDArray[np.uint8]) -> bytes:
    """Encode an image, uint8 [H, W, C], as a PNG file."""
    file = io.BytesIO()
    _pillow(image).save(file, "PNG", optimize=False, compress_level=LEVEL)
    return file.getvalue()


def decode(content: bytes, *, shape: tuple[int, int, int], name: str) -> NDArray[np.uint8]:
    """Decode a PNG file of a known size.

    Args:
        content: of the whole file.
        shape: (H, W, C) that it must have; nothing larger is unpacked.
        name: of the file, for error messages.

    Returns:
        uint8 [H, W, C].

    Raises:
        ValueError: it is damaged, no PNG, or of another size or number of channels.
    """
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            size, mode = image.size, image.mode
            if (size, _CHANNELS.get(mode)) == (shape[1::-1], shape[2]):
                return np.asarray(image.convert(_MODES[shape[2]])).reshape(shape)
    except Exception as error:  # Pillow documents none: damaged bytes may raise anything
        raise ValueError(f"{name} is damaged or no PNG file") from error
    found = f"{_CHANNELS[mode]} channel(s)" if mode in _CHANNELS else f"the pixels '{mode}'"
    raise ValueError(
        f"{name} has {size[1]}x{size[0]} pixels and {found}, it must have {shape[0]}x{shape[1]} "
        f"and {shape[2]} channel(s) of 8 bits"
    )


def grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn colour images, uint8 [n, H, W, 3], into grey ones by ITU-R 601, uint8 [n, H, W, 1]."""
    return np.stack([np.asarray(_pillow(image).convert("L")) for image in images])[..., None]


def resized(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Reduce or enlarge images by bicubic interpolation, without aliasing.

    Args:
        images: uint8 [n, h, w, C].
        height: of the result.
        width: of the result.

    Returns:
        uint8 [n, height, width, C].
    """
    new = [np.asarray(_pillow(image).resize((width, height), _RESAMPLING)) for image in images]
    return np.stack(new).reshape(len(images), height, width, images.shape[3])


def _pillow(image: NDArray[np.uint8]) -> Image.Image:
    """The image, uint8 [H, W, C], as Pillow's."""
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
