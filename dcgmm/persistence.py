"""Saving and loading: a folder with `model.json` and `arrays.npz`; nothing in it is executed."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1


def as_arrays(parts: dict[int, tuple]) -> dict[str, np.ndarray]:
    """Arrays `L<layer>/<name>` of what every layer holds, one or several named tuples."""
    return {
        f"L{index}/{name}": np.asarray(value)
        for index, named in parts.items()
        for part in named
        for name, value in part._asdict().items()
    }


def part(like: Any, arrays: dict[str, np.ndarray], index: int) -> Any:
    """A named tuple of layer `index`, the inverse of `as_arrays`; `like` is one of its shape.

    Raises:
        ValueError: if an array has another shape.
    """
    for name, value in like._asdict().items():
        shape, expected = arrays[f"L{index}/{name}"].shape, tuple(value.shape)
        if shape != expected:
            raise ValueError(f"L{index}/{name} has shape {shape} instead of {expected}")
    return type(like)(*(arrays[f"L{index}/{name}"] for name in like._fields))


def write(folder: str | os.PathLike, description: dict[str, Any], arrays: dict) -> None:
    """Write both files beside `folder`, then move them there in one step."""
    folder = Path(folder)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    text = json.dumps({"format": FORMAT, **description}, indent=2)
    try:
        (part / "model.json").write_text(text + "\n", "utf-8")
        np.savez(part / "arrays.npz", **arrays)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read(folder: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` wrote.

    Raises:
        ValueError: naming the file that is missing, damaged or of another format.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / "model.json").read_text("utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise ValueError(f"{folder} holds no DCGMM: {error.filename} is missing") from None
    except Exception as error:  # damaged bytes raise whatever they lead to
        reason = f"{error}".partition("\n")[0] or type(error).__name__
        raise ValueError(f"the DCGMM in {folder} is damaged ({reason}): fit it again") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"{folder}/model.json is not of format {FORMAT}: fit the model again")
    return description, arrays
