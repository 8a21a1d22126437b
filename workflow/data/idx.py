"""The idx format of MNIST and its relatives: arrays of unsigned bytes, plain or gzipped.

An idx file is four bytes of magic (zero, zero, a type code, the number of dimensions), each
dimension as a big-endian 32-bit integer, then the items in C order. Format: Y. LeCun, C. Cortes,
C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08
MAX_DIMENSIONS = 4
MAX_CONTENT = 1 << 30  # bytes; twenty times the largest file of the benchmark
_GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20  # bytes read at a time


def decode(data: bytes, *, ndim: int, name: str) -> NDArray[np.uint8]:
    """Decode an idx array of exactly `ndim` dimensions from its uncompressed content.

    The result is a read-only view on `data`; nothing is copied.

    Args:
        data: the whole file, uncompressed.
        ndim: expected number of dimensions, 1 for labels and 3 for images.
        name: of the data, for error messages.

    Returns:
        uint8 array of the shape in the header.

    Raises:
        ValueError: the magic, type or number of dimensions is wrong, there are no items, or bytes
            are missing or left over.
    """
    magic = struct.pack(">HBB", 0, UNSIGNED_BYTE, ndim)
    if data[:4] != magic:
        raise ValueError(
            f"{name} begins with the bytes '{data[:4].hex(' ')}', "
            f"an idx file of unsigned bytes in {ndim} dimension(s) begins with '{magic.hex(' ')}'"
        )
    start = 4 + 4 * ndim
    if len(data) < start:
        raise ValueError(f"{name} ends within its idx header: {len(data)} of {start} bytes")
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    if 0 in shape:
        raise ValueError(f"{name} holds no items: its idx header gives the shape {shape}")
    # Compared before reshaping, so that no header claims more than the body holds.
    if len(data) - start != math.prod(shape):
        raise ValueError(
            f"{name} has {len(data) - start} bytes after its idx header, "
            f"the shape {shape} needs {math.prod(shape)}"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def encode(array: NDArray[np.uint8]) -> bytes:
    """Encode an array as uncompressed idx; the inverse of `decode`.

    Raises:
        ValueError: the array is not uint8, is empty, or has not 1 to 4 dimensions.
    """
    if array.dtype != np.uint8:
        raise ValueError(f"idx files here hold uint8, the array is {array.dtype}")
    if not 1 <= array.ndim <= MAX_DIMENSIONS or array.size == 0:
        raise ValueError(
            f"idx files here hold 1 to {MAX_DIMENSIONS} dimensions and at least one item, "
            f"the array has the shape {array.shape}"
        )
    header = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def read_content(path: Path, *, limit: int = MAX_CONTENT) -> bytes:
    """Read the uncompressed content of a plain or gzipped file; see `unpack`.

    Raises:
        ValueError: as `unpack`.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return unpack(file, name=str(path), limit=limit)


def unpack(file: IO[bytes], *, name: str, limit: int = MAX_CONTENT) -> bytes:
    """Read the uncompressed content of an open file, gzipped or plain by its first bytes.

    The name is not trusted: some browsers unpack a download and keep its `.gz`. Neither is the
    length: an idx file is read no further than its header says, whatever else would unpack.

    Args:
        file: buffered, as of `open` or of an archive's member.
        name: of the file, for error messages.
        limit: most bytes of content to accept, against a file that never stops unpacking.

    Raises:
        ValueError: the gzip stream is damaged or truncated, or the content exceeds `limit` or what
            its idx header says.
    """
    is_gzipped = file.peek(2).startswith(_GZIP_MAGIC)
    stream = gzip.GzipFile(fileobj=file) if is_gzipped else file
    content, allowed = bytearray(), None
    try:
        # In pieces: one read of `limit` bytes would allocate them all beforehand.
        while piece := stream.read(_PIECE):
            content += piece
            if allowed is None:
                claimed_size = _claimed_size(content)
                origin, allowed = "allowed", limit
                if claimed_size is not None and claimed_size < limit:
                    origin, allowed = "that its idx header has", claimed_size
            if len(content) > allowed:
                raise ValueError(f"{name} holds more than the {allowed} bytes {origin}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{name} is not a complete gzip file: {error}") from error
    return bytes(content)


def _claimed_size(content: bytes | bytearray) -> int | None:
    """Size of the whole file in bytes by its idx header; None without such a header."""
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        return None
    ndim = content[3]
    start = 4 + 4 * ndim
    if not 1 <= ndim <= MAX_DIMENSIONS or len(content) < start:
        return None
    return start + math.prod(struct.unpack_from(f">{ndim}I", content, 4))


def read(path: Path, *, ndim: int) -> NDArray[np.uint8]:
    """Read a plain or gzipped idx file; see `decode` and `read_content`."""
    return decode(read_content(path), ndim=ndim, name=str(path))
