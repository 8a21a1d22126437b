"""Scores that someone else computed, as an entry of the score bank.

A file of scores is an `.npz` with an array for each test set, named as in
`workflow/data/test_sets.tsv`: [n], or [seeds, n], in the order of the set's images, a higher score
for a more likely inlier. `results/data/sets/` has the images.
"""

from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz
from workflow.data import masks, test_sets
from workflow.outliers.score_bank import Entry, Images, Key

METHOD = "external"
LAYER = "top"


def entry(name: str, content: dict[str, Any], images: Images) -> Entry:
    """Read a file of scores; an entry without scores says why it has none.

    Args:
        name: of the model.
        content: its `scores`, `origin`, `classes` and `density`, as in the configuration.
        images: of the dataset's sets.
    """
    reasons, scores = {}, {}
    try:
        scores = read(Path(content["scores"]), images)
    except (ValueError, OSError) as error:
        reasons = {"0": f"failed: {error}"}
    seeds = tuple(range(len(next(iter(scores.values()), [0]))))
    metadata = {
        "method": METHOD,
        "grid_point": name,
        "title": name,
        "variant": METHOD,
        "settings": {"origin": content["origin"]},
        "dataset": images.dataset["name"],
        "classes": content["classes"],
        "density": content["density"],
        "published_evidence": masks.ALL,
        "protocols": [],
        "digests": {set_name: each["digest"] for set_name, each in images.sets.items()},
        "reasons": reasons,
    }
    return Entry(metadata, seeds, scores)


def read(path: Path, images: Images) -> dict[Key, np.ndarray]:
    """Read the scores of every set in a file, [seeds, n] each.

    Raises:
        ValueError: for a file without scores of the test images, of an unknown set, of other
            numbers of images or seeds, or with NaN; names file, array and mend.
        OSError: if it cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; put the file of scores there")
    arrays = npz.read_arrays(path)
    if test_sets.OWN_IMAGES not in arrays:
        raise ValueError(f"{path} lacks the array 'test', scores of the dataset's test images")
    scores = {}
    for name, values in arrays.items():
        n = len(images.labels[name]) if name in images.labels else 0
        if not n:
            raise ValueError(f"{path}: {name!r} is no test set of this run; remove the array")
        rows = np.atleast_2d(values)
        if values.dtype.kind not in "fiu" or rows.ndim != 2 or rows.shape[1] != n:
            raise ValueError(
                f"{path}: {name!r} is {values.dtype} {values.shape}, it must be numbers ({n},) or "
                f"(seeds, {n}), one for every image of the set"
            )
        if count := int(np.isnan(rows).sum()):
            raise ValueError(
                f"{path}: {name!r} holds {count} NaN; score these images or leave it out"
            )
        scores[name, masks.ALL, LAYER] = rows
    if len({len(rows) for rows in scores.values()}) > 1:
        counts = ", ".join(f"{name} {len(rows)}" for (name, *_), rows in scores.items())
        raise ValueError(f"{path} has different numbers of seeds: {counts}; give each set the same")
    return scores
