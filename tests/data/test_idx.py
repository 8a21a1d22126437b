"""The idx format: round trip, and every damaged file refused in a sentence that names it."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workflow.data import idx

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
VALID = idx.encode(IMAGES)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6)))
def test_round_trip(array):
    decoded = idx.decode(idx.encode(array), ndim=array.ndim, name="a")
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, array)


def test_encode_is_the_published_format():
    assert idx.encode(np.array([7, 2], dtype=np.uint8)) == bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 2])


@given(st.binary(max_size=64), st.integers(1, 4))
def test_garbage_is_only_ever_a_value_error(data, ndim):
    try:
        idx.decode(data, ndim=ndim, name="garbage")
    except ValueError as error:
        assert "garbage" in str(error)


@given(st.integers(0, len(VALID) - 1), st.integers(0, 255))
def test_one_changed_byte_decodes_or_is_a_value_error(place, value):
    data = VALID[:place] + bytes([value]) + VALID[place + 1 :]
    try:
        assert idx.decode(data, ndim=3, name="a").size == IMAGES.size
    except ValueError:
        assert place < 16  # only the header can be wrong


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with"),
        (b"\x1f\x8b\x08\x00", "begins with"),
        (b"\x00\x00\x0d" + VALID[3:], "unsigned bytes"),  # a file of floats
        (b"\x00\x00\x08\x01" + VALID[4:], "begins with"),  # labels where images belong
        (VALID[:10], "header"),
        (VALID[:-1], "23 bytes"),
        (VALID + b"\x00", "25 bytes"),
        (b"\x00\x00\x08\x03" + struct.pack(">3I", 0, 28, 28), "no items"),
        (b"\x00\x00\x08\x03" + struct.pack(">3I", 10**4, 10**4, 10**4) + bytes(16), "16 bytes"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "0 bytes"),
    ],
)
def test_refusals_say_what_is_wrong(data, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        idx.decode(data, ndim=3, name="train.gz")
    assert str(caught.value).startswith("train.gz ")


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2)), np.zeros((0, 3), np.uint8), np.uint8(1), np.zeros((1,) * 5, np.uint8)],
)
def test_encode_refuses_what_decode_would(array):
    with pytest.raises(ValueError, match="idx files here hold"):
        idx.encode(np.asarray(array))


@pytest.mark.parametrize("name", ["a.gz", "a"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_reads_gzipped_and_plain_whatever_the_name(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(VALID))
    np.testing.assert_array_equal(idx.read(path, ndim=3), IMAGES)


def damaged_streams():
    """A gzip stream cut short, with a wrong checksum, with bytes after it, and not one at all."""
    whole = gzip.compress(VALID)
    middle = len(whole) // 2
    yield whole[:middle]
    yield whole[:-6] + b"\x00\x00" + whole[-4:]
    yield whole + b"trailing"
    yield whole[:12] + b"\xff\xff\xff" + whole[15:]
    yield b"\x1f\x8b"
    yield b"\x1f\x8b" + b"\xff" * 20


@pytest.mark.parametrize("data", list(damaged_streams()))
def test_damaged_gzip_is_a_value_error(tmp_path, data):
    path = tmp_path / "images.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"images\.gz is not a complete gzip file"):
        idx.read_content(path)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1 << 22)))
    with pytest.raises(ValueError, match="more than the 1000 bytes"):
        idx.read_content(path, limit=1000)
    assert len(idx.read_content(path, limit=1 << 22)) == 1 << 22


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_no_more_is_unpacked_than_the_header_has(tmp_path, pack):
    path = tmp_path / "images.gz"
    path.write_bytes(pack(VALID + bytes(1 << 26)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"images\.gz holds more than the 40 bytes that its idx"):
        idx.read_content(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


def test_several_members_are_one_content(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(VALID[:20]) + gzip.compress(VALID[20:]))
    np.testing.assert_array_equal(idx.read(path, ndim=3), IMAGES)
    path.write_bytes(2 * gzip.compress(VALID))
    with pytest.raises(ValueError, match="holds more than the 40 bytes"):
        idx.read(path, ndim=3)


@pytest.mark.parametrize("sides", [(2**31, 2**31, 1), (2**32 - 1,) * 3, (0, 28, 28)])
def test_a_headers_claim_reserves_nothing(tmp_path, sides):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(b"\x00\x00\x08\x03" + struct.pack(">3I", *sides)))
    with pytest.raises(ValueError, match=r"images\.gz .*(no items|has 0 bytes after)"):
        idx.read(path, ndim=3)
