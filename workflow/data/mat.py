"""The cropped digits of SVHN: a MATLAB file of images `X` and labels `y`.

Format: Y. Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning",
NIPS workshop 2011, <http://ufldl.stanford.edu/housenumbers>, "Format 2: Cropped Digits".

Some damaged bytes crash SciPy's reader and the process with it, so read only files whose digest
matches the table: `originals.obtain` refuses all others.
"""

import io

import numpy as np
import scipy.io
from numpy.typing import NDArray

SHAPE = (32, 32, 3)
MAX_IMAGES = (1 << 30) // (32 * 32 * 3)  # 1 GiB; nearly five times the larger published file
ZERO = 10  # the label of the digit 0
_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_NUMBERS = {*_INTEGERS, "single", "double"}  # MATLAB's names


def decode(content: bytes, *, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Decode images and labels from the content of a `.mat` file.

    Args:
        content: of the whole file, MATLAB 4 to 7.2, with its digest checked.
        name: of the file, for error messages.

    Returns:
        images uint8 [n, 32, 32, 3] and labels uint8 [n] from 0 to 9.

    Raises:
        ValueError: the file is damaged or of another format, lacks the arrays, or has labels out
            of range.
    """
    _check_header(content, name)
    try:
        arrays = scipy.io.loadmat(io.BytesIO(content), variable_names=("X", "y"))
    except Exception as error:  # SciPy documents none: damaged bytes may raise anything
        raise _damaged(name, error) from error
    images = arrays["X"].transpose(3, 0, 1, 2)  # [32, 32, 3, n] -> [n, 32, 32, 3]
    labels = arrays["y"][:, 0]
    if invalid := sorted({*np.unique(labels).tolist()} - {*range(1, ZERO + 1)}):
        raise ValueError(f"{name} has the label {invalid[0]!r}, those of SVHN are 1 to {ZERO}")
    digits = np.where(labels == ZERO, 0, labels).astype(np.uint8)
    return np.ascontiguousarray(images), digits


def _check_header(content: bytes, name: str) -> None:
    """Refuse a file without X and y of the right shapes before reading anything large."""
    try:
        variables = scipy.io.whosmat(io.BytesIO(content))
    except NotImplementedError:
        raise ValueError(
            f"{name} is a file of MATLAB 7.3 (HDF5), but must be one of MATLAB 4 to 7.2, as "
            "published; MATLAB's save(..., '-v7') writes one"
        ) from None
    except Exception as error:  # as above
        raise _damaged(name, error) from error
    # Both arrays must be there, with matching shapes and types.
    headers = {key: (kind, shape) for key, shape, kind in variables}
    if not {"X", "y"} <= set(headers):
        keys = ", ".join(map(repr, headers)) or "nothing"
        raise ValueError(f"{name} holds {keys}, but must hold the arrays 'X' and 'y' of SVHN")
    (kind, shape), (label_kind, label_shape) = headers["X"], headers["y"]
    n = shape[3] if len(shape) == 4 else 0
    if kind != "uint8" or shape != (*SHAPE, n) or not 1 <= n <= MAX_IMAGES:
        raise ValueError(
            f"{name}: X is {kind} {shape}, but must be uint8 {(*SHAPE, 'n')} with n from 1 to "
            f"{MAX_IMAGES}"
        )
    if label_shape != (n, 1) or label_kind not in _NUMBERS:
        raise ValueError(
            f"{name}: y is {label_kind} {label_shape}, but must be numbers {(n, 1)}, one label per "
            "image"
        )


def _damaged(name: str, error: Exception) -> ValueError:
    reason = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
    return ValueError(f"{name} is damaged or no file of MATLAB: {reason}")
