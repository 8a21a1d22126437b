"""Saved models that are changed behind the back of their packages."""

import json

import numpy as np

FILE = "model.npz"


def content(folder):
    """The description of a saved model and its arrays."""
    with np.load(folder / FILE, allow_pickle=False) as archive:
        arrays = dict(archive)
    return json.loads(arrays.pop("about").item()), arrays


def rewrite(folder, about, arrays, save=np.savez):
    """Write a description, or a text in its place, and arrays."""
    text = about if isinstance(about, str) else json.dumps(about)
    save(folder / FILE, about=np.array(text), **arrays)


def describe(folder, **changes):
    """Change the description."""
    about, arrays = content(folder)
    rewrite(folder, about | changes, arrays)


def replace(folder, **changes):
    """Change arrays; None removes one."""
    about, arrays = content(folder)
    kept = {name: value for name, value in (arrays | changes).items() if value is not None}
    rewrite(folder, about, kept)
