"""Sets made of a dataset's own images: what each does, recomputed in another way."""

import hashlib
import io
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from workflow.data import made_up, png

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3]))
IMAGES = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape))
SOME = np.random.default_rng(0).integers(0, 256, (5, 9, 7, 3), dtype=np.uint8)


@given(IMAGES)
def test_inverting_twice_changes_nothing(images):
    inverse = made_up.inverted(images)
    assert inverse.dtype == np.uint8
    assert (images.astype(int) + inverse == 255).all()
    np.testing.assert_array_equal(made_up.inverted(inverse), images)


@given(IMAGES)
def test_contrast_is_halved_about_each_images_mean(images):
    halved = made_up.half_contrast(images)
    assert (halved.dtype, halved.shape) == (np.uint8, images.shape)
    for image, result in zip(images, halved, strict=True):
        mean = Fraction(int(image.astype(int).sum()), image.size)
        expected = [int((int(x) + mean) / 2 + Fraction(1, 2)) for x in image.ravel()]
        assert result.ravel().tolist() == expected


def test_blur_is_a_gaussian_of_one_pixel():
    kernel = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    kernel = np.outer(kernel, kernel) / kernel.sum() ** 2  # [9, 9]
    height, width = SOME.shape[1:3]
    padded = np.pad(SOME.astype(float), ((0, 0), (4, 4), (4, 4), (0, 0)), mode="edge")
    expected = sum(
        kernel[i, j] * padded[:, i : i + height, j : j + width] for i in range(9) for j in range(9)
    )
    assert np.abs(made_up.blurred(SOME) - expected).max() <= 0.5 + 1e-9
    assert made_up.blurred(SOME).dtype == np.uint8


def test_shuffling_moves_all_images_pixels_alike():
    n, height, width, channels = SOME.shape
    places = np.arange(height * width, dtype=np.uint8).reshape(1, height, width, 1)
    order = made_up.shuffled(places).ravel()
    assert sorted(order) == list(range(height * width))
    assert (order != np.arange(height * width)).mean() > 0.9
    expected = SOME.reshape(n, -1, channels)[:, order].reshape(SOME.shape)
    np.testing.assert_array_equal(made_up.shuffled(SOME), expected)


@pytest.mark.parametrize("shape", [(28, 28, 1), (3, 2, 3)])
def test_there_is_one_constant_image_for_each_level(shape):
    images, labels = made_up.constant(shape)
    assert (images.shape, images.dtype, labels.dtype) == ((256, *shape), np.uint8, np.int64)
    assert labels.tolist() == list(range(256))
    assert (images == labels[:, None, None, None]).all()


def test_no_image_given_is_changed():
    before = hashlib.sha256(SOME).hexdigest()
    for make in made_up.OF_TEST_IMAGES.values():
        make(SOME)
    assert hashlib.sha256(SOME).hexdigest() == before


# PNG files, sizes and greys.


@given(IMAGES)
@settings(max_examples=50)
def test_compressed_bits_are_those_of_a_png_file_of_the_image(images):
    bits = png.compressed_bits(images)
    assert (bits.dtype, bits.shape) == (np.int64, images.shape[:1])
    for image, size in zip(images, bits, strict=True):
        content = png.encode(image)
        assert size == 8 * len(content)
        np.testing.assert_array_equal(png.decode(content, shape=image.shape, name="a"), image)
        # All but the compressed pixels takes 456 bits: signature, header, end, chunk frames.
        data = content[content.index(b"IDAT") + 4 : -16]
        assert size - 8 * len(data) == 456
        height, width, channels = image.shape
        assert len(zlib.decompress(data)) == height * (1 + width * channels)


def test_simpler_images_are_smaller():
    noise = np.random.default_rng(0).integers(0, 256, (1, 28, 28, 1), dtype=np.uint8)
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8)[:, None, None], (1, 28, 28, 1))
    flat = np.full((1, 28, 28, 1), 128, np.uint8)
    sizes = [int(png.compressed_bits(x)[0]) for x in (flat, ramp, noise)]
    assert sizes == sorted(sizes) and sizes[2] > 784 * 8


def test_the_compressor_is_named():
    assert "Pillow" in png.compressor() and "level 9" in png.compressor()


@given(arrays(np.uint8, (2, 3, 4, 3)))
def test_grey_is_the_luma_of_itu_r_601(images):
    r, g, b = np.moveaxis(images.astype(float), 3, 0)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    assert np.abs(png.grey(images)[..., 0] - luma).max() <= 0.51


@given(st.integers(0, 255), st.integers(1, 40), st.integers(1, 40))
def test_resizing_keeps_a_constant(level, height, width):
    images = np.full((2, 9, 8, 1), level, np.uint8)
    result = png.resized(images, height, width)
    assert result.shape == (2, height, width, 1)
    assert (result == level).all()


def test_resizing_keeps_the_sides():
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[0, :16, :, 0] = images[0, :, 16:, 1] = 200
    result = png.resized(images, 28, 28)[0]
    assert (result[:12, :, 0] > 150).all() and (result[16:, :, 0] < 50).all()
    assert (result[:, 16:, 1] > 150).all() and (result[:, :12, 1] < 50).all()
    assert abs(result.mean() - images.mean()) < 1


def picture(mode, size=(4, 3), format="PNG"):
    file = io.BytesIO()
    Image.new(mode, size).save(file, format)
    return file.getvalue()


BOMB = struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
BOMB = b"\x89PNG\r\n\x1a\n" + BOMB + struct.pack(">I", zlib.crc32(BOMB[4:]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged or no PNG file"),
        (b"no picture", "is damaged or no PNG file"),
        (picture("L", format="BMP"), "is damaged or no PNG file"),
        (picture("L")[:-30], "is damaged or no PNG file"),
        (BOMB, "is damaged or no PNG file"),
        (picture("L", (3, 4)), "has 4x3 pixels and 1 channel.s., it must have 3x4"),
        (picture("RGB"), "has 3x4 pixels and 3 channel"),
        (picture("I;16"), "has 3x4 pixels and the pixels 'I;16'"),
        (
            picture("RGBA"),
            "has 3x4 pixels and the pixels 'RGBA', it must have 3x4 and 1 channel.s. of 8 bits",
        ),
        (picture("P"), "has 3x4 pixels and the pixels 'P'"),
    ],
    ids=["empty", "text", "bmp", "cut", "bomb", "turned", "colour", "16 bits", "alpha", "palette"],
)
def test_other_pictures_are_refused(content, message):
    with pytest.raises(ValueError, match=rf"^a/b\.png {message}") as caught:
        png.decode(content, shape=(3, 4, 1), name="a/b.png")
    assert "\n" not in str(caught.value)


def test_two_levels_are_read_as_black_and_white():
    file = io.BytesIO()
    Image.fromarray(np.eye(3, dtype=bool)).save(file, "PNG")
    image = png.decode(file.getvalue(), shape=(3, 3, 1), name="a")
    np.testing.assert_array_equal(image[..., 0], 255 * np.eye(3))


VALID = png.encode(SOME[0, ..., :1])


@given(st.integers(0, len(VALID) - 1), st.binary(max_size=3), st.booleans())
@settings(max_examples=300)
def test_a_damaged_png_is_refused_or_read_at_its_size(place, other, cut):
    content = VALID[:place] + other + (b"" if cut else VALID[place + len(other) :])
    try:
        image = png.decode(content, shape=(9, 7, 1), name="a.png")
    except ValueError as error:
        assert str(error).startswith("a.png ")
    else:
        assert image.shape == (9, 7, 1)
