"""Saving and loading: a folder with `model.json` and `arrays.npz`; nothing in it is executed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1


def write(
    folder: str | os.PathLike, description: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write both files beside `folder`, then put them in its place."""
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


def read(folder: str | os.PathLike, method: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` wrote, if it was written by this method.

    Raises:
        ValueError: naming the file that is missing, damaged, of another format or method.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / "model.json").read_text("utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise ValueError(f"{folder} holds no model: {error.filename} is missing") from None
    except Exception as error:  # damaged bytes raise whatever they lead to
        reason = f"{error}".partition("\n")[0] or type(error).__name__
        raise ValueError(f"the model in {folder} is damaged ({reason}): fit it again") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"{folder}/model.json is not of format {FORMAT}: fit the model again")
    if description.get("method") != method:
        raise ValueError(f"{folder} holds a {description.get('method')} model, not {method}")
    return description, arrays


@contextlib.contextmanager
def restoring(folder: str | os.PathLike) -> Iterator[None]:
    """Turn what unfit content raises, where a model is made of it, into one sentence.

    Raises:
        ValueError: naming the folder and what is damaged.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"the model in {folder} is damaged ({error}): fit it again") from None


def check_shapes(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse arrays that are not those of a model.

    Raises:
        KeyError: for one that is missing.
        ValueError: for one of another shape.
    """
    for name, shape in shapes.items():
        if arrays[name].shape != tuple(shape):
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {tuple(shape)}")
