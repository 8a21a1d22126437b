"""Files of arrays, `.npz`: written whole, and read even if damaged or made by whomever."""

from pathlib import Path

import numpy as np

from workflow.evaluation import files

NAMES = "names"  # the first array: the names of all others, since a damaged index may lose some


def write(path: Path | str, arrays: dict[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write arrays under their names, atomically."""
    save = np.savez_compressed if compressed else np.savez
    with files.replacing(path) as file:
        save(file, **{NAMES: np.array(list(arrays), str)}, **arrays)


def read(path: Path | str) -> dict[str, np.ndarray]:
    """All arrays of a file, which need not be written by `write`.

    Every array has a checksum, so none is read that was altered. Nothing in a file is executed: an
    array of objects, which NumPy would have to unpickle, is an error like any other.

    Raises:
        ValueError: if the file is damaged, or is none of arrays.
        OSError: if it cannot be read at all.
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            named = arrays.pop(NAMES, list(arrays))
            if lost := {*map(str, named)} - {*arrays}:
                raise ValueError(f"it lacks {', '.join(sorted(lost))}")
            return arrays
        except Exception as error:  # damaged bytes raise whatever they lead to
            raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> ValueError:
    """One line that names the file and what was found in it."""
    reason = f"{error}".partition("\n")[0].rstrip(".") or type(error).__name__
    return ValueError(f"{path} is damaged ({reason}); remove it and run again")
