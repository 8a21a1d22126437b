"""The score bank: scores of many fits, from which every measure of detection is computed.

    <bank>/sets/<dataset>.npz                                  what is known of the images
    <bank>/<method>/<grid point>/<dataset>/<classes>.npz       scores, a row a seed

`docs/score-bank.md` describes the files for those who read them without the suite.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import npz
from workflow.data import test_sets
from workflow.data.test_sets import TestSet
from workflow.fit import records, scores
from workflow.plan import catalogue

SCHEMA = 1
SETS = "sets"  # folder of what is known of the images
EXTREMES = 8  # pictures kept of the most and of the least likely images of a set, per entry
KINDS = ("labels", "compressed_bits", "kept", "pictures")  # of arrays of a set
Key = tuple[str, str, str]
"""Test set, evidence and layer."""


@dataclass(frozen=True, eq=False)
class Images:
    """What is known of the images of a dataset's test sets, in their order.

    Attributes:
        dataset: its name, `full` or `subset`, and its digest.
        labels: set -> int64 [n].
        compressed_bits: set -> int64 [n].
        sets: set -> `digest` of its images, `title`, and the `reason` why it has none, or "".
        kept: set -> indices of the images whose pictures are kept, int64 [k], ascending.
        pictures: set -> these images, uint8 [k, H, W, C].
    """

    dataset: dict[str, str]
    labels: dict[str, np.ndarray]
    compressed_bits: dict[str, np.ndarray]
    sets: dict[str, dict[str, str]]
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    pictures: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Entry:
    """Scores of one grid point, fitted to some classes of a dataset with several seeds.

    Attributes:
        metadata: `method`, `grid_point`, `title`, `variant`, `settings`, `dataset`, `classes`;
            `density`, whether scores are log-densities of pixels; `published_evidence`, the pixels
            that the method's release scores; `protocols` under which the point was chosen;
            `digests` of the sets; and `reasons`, seed -> why the fit has no scores.
        seeds: of the rows, ascending.
        scores: set, evidence and layer, bottom to top -> float32 [seeds, n]; NaN in a row without.
    """

    metadata: dict[str, Any]
    seeds: tuple[int, ...]
    scores: dict[Key, np.ndarray]

    @property
    def place(self) -> str:
        """Path in the bank."""
        keys = ("method", "grid_point", "dataset", "classes")
        return "/".join(self.metadata[key] for key in keys) + ".npz"

    def layers(self, evidence: str) -> list[str]:
        """Layers of an evidence, bottom to top."""
        own = test_sets.OWN_IMAGES
        return [layer for name, of, layer in self.scores if (name, of) == (own, evidence)]

    @property
    def evidence(self) -> list[str]:
        """Pixels that scores are of, as `all`."""
        return list(dict.fromkeys(of for _, of, _ in self.scores))


def of_sets(sets: Sequence[TestSet], digest: str) -> Images:
    """Collect what is known of the images of a dataset's sets; `digest` is the dataset's."""
    first = sets[0]
    return Images(
        {"name": first.dataset, "source": first.source, "sha256": digest},
        {each.name: each.labels for each in sets},
        {each.name: each.compressed_bits for each in sets},
        {
            each.name: {"digest": each.digest, "title": each.title, "reason": each.reason}
            for each in sets
        },
    )


def of_fits(folders: Sequence[Path], images: Images, protocols: Sequence[str] = ()) -> Entry:
    """Collect the scores of the fits of a grid point.

    Args:
        folders: one per seed.
        images: of the dataset's sets.
        protocols: under which the point was chosen.

    Raises:
        ValueError: for a damaged or foreign file, or scores of other images than those of the sets.
    """
    fits = {folder: records.read(folder / "fit.json") for folder in folders}
    fits = dict(sorted(fits.items(), key=lambda item: item[1]["seed"]))
    first = next(iter(fits.values()))
    read = [_scores(folder, fit, images) for folder, fit in fits.items()]
    keys = dict.fromkeys(key for of_fit in read for key in of_fit)
    description = catalogue.method(first["method"])
    metadata = {
        "method": first["method"],
        "grid_point": first["grid_point"],
        "title": description.title_of(first["settings"]),
        "variant": description.variant_of(first["settings"]),
        "settings": first["settings"],
        "dataset": first["dataset"]["name"],
        "classes": first["classes"],
        "density": description.has_density(first["settings"]),
        "published_evidence": description.protocols["paper"].evidence,
        "protocols": list(protocols),
        "digests": {name: each["digest"] for name, each in images.sets.items()},
        "reasons": {
            str(fit["seed"]): f"{fit['status']}: {fit['reason']}"
            for fit in fits.values()
            if fit["status"] != "ok"
        },
    }
    stacked = {key: _stacked([of_fit.get(key) for of_fit in read]) for key in keys}
    return Entry(metadata, tuple(fit["seed"] for fit in fits.values()), stacked)


def with_pictures(images: Images, sets: Sequence[TestSet], entries: Iterable[Entry]) -> Images:
    """Keep the pictures of the images that some entry scores highest or lowest (`extremes`)."""
    kept: dict[str, set[int]] = {each.name: set() for each in sets}
    for entry in entries:
        if entry.metadata["dataset"] == images.dataset["name"]:
            for (name, evidence, layer), values in entry.scores.items():
                if name in kept and [layer] == entry.layers(evidence)[-1:]:
                    kept[name].update(np.concatenate(extremes(values)).tolist())
    indices = {name: np.array(sorted(of_set), np.int64) for name, of_set in kept.items()}
    pictures = {each.name: each.images[indices[each.name]] for each in sets}
    return replace(images, kept=indices, pictures=pictures)


def extremes(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images with the lowest and with the highest mean score over seeds.

    Args:
        scores: [seeds, n], NaN in the row of a seed without.

    Returns:
        The lowest and the highest, most extreme first, `EXTREMES` each or fewer.
    """
    finished = scores[~np.isnan(scores).any(axis=1)]
    if not finished.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.argsort(finished.mean(axis=0, dtype=np.float64), kind="stable")
    return order[:EXTREMES], order[::-1][:EXTREMES]


def _scores(folder: Path, fit: dict[str, Any], images: Images) -> dict[Key, np.ndarray]:
    """Scores of one fit.

    Raises:
        ValueError: if they are of other images than those of the sets.
    """
    found = {}
    for name in ("scores.npz", scores.FURTHER):
        path = folder / name
        if name == scores.FURTHER and not path.exists():
            continue
        saved = scores.read(path, fit)
        for set_name, digest in saved.digests.items():
            if set_name in images.sets and digest != images.sets[set_name]["digest"]:
                raise ValueError(
                    f"{path} has scores of other images in the set {set_name!r} than those of "
                    "this run; remove it and run again"
                )
        own = {} if name == scores.FURTHER else {test_sets.OWN_IMAGES: saved.test}
        for set_name, by_evidence in (own | saved.sets).items():
            for evidence, layers in by_evidence.items():
                for layer, values in layers.items():
                    found[set_name, evidence, layer] = values
    return found


def _stacked(rows: Sequence[np.ndarray | None]) -> np.ndarray:
    """Stack rows [n]; one that is missing is NaN."""
    like = next(row for row in rows if row is not None)
    return np.stack([np.full_like(like, np.nan) if row is None else row for row in rows])


def write(bank: Path, images: Iterable[Images], entries: Iterable[Entry]) -> None:
    """Write a bank, whose folder may hold others already."""
    for each in images:
        arrays = {
            f"{kind}/{name}": values
            for kind in KINDS
            for name, values in getattr(each, kind).items()
        }
        metadata = {"schema": SCHEMA, "dataset": each.dataset, "sets": each.sets}
        path = bank / SETS / f"{each.dataset['name']}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        npz.write(path, metadata, arrays, compressed=True)
    for entry in entries:
        arrays = {"/".join(key): values for key, values in entry.scores.items()}
        metadata = {"schema": SCHEMA, "seeds": entry.seeds, **entry.metadata}
        path = bank / entry.place
        path.parent.mkdir(parents=True, exist_ok=True)
        npz.write(path, metadata, arrays, compressed=True)


def load(bank: Path) -> tuple[dict[str, Images], list[Entry]]:
    """Read a whole bank: what is known of each dataset's images, and the entries by path.

    Raises:
        ValueError: for a file that is damaged, altered, in another's place, or of other images.
    """
    images = read_images(bank)
    return images, list(read(bank, images))


def read_images(bank: Path) -> dict[str, Images]:
    """Read what is known of the images: dataset -> its sets.

    Raises:
        ValueError: for a damaged or altered file; names it.
    """
    read = {}
    for path in sorted((bank / SETS).glob("*.npz")):
        metadata, arrays = npz.read(path)
        try:
            if metadata["schema"] != SCHEMA or metadata["dataset"]["name"] != path.stem:
                raise ValueError("its metadata are of another file")
            of_kind: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
            for name, values in arrays.items():
                kind, set_name = name.split("/")
                of_kind[kind][set_name] = values
            read[path.stem] = Images(metadata["dataset"], **of_kind, sets=metadata["sets"])
        except (KeyError, TypeError, ValueError) as error:
            raise npz.damaged(path, error) from None
    return read


def read(bank: Path, images: Mapping[str, Images]) -> Iterator[Entry]:
    """Read the entries of a bank, by path.

    Raises:
        ValueError: for a file that is damaged, altered, in another's place, or of other images.
    """
    for path in sorted(bank.glob("[a-z]*/*/*/*.npz")):
        yield read_entry(path, bank, images)


def read_entry(path: Path, bank: Path, images: Mapping[str, Images]) -> Entry:
    """Read one entry, as `read`."""
    metadata, arrays = npz.read(path)
    try:
        if metadata.pop("schema") != SCHEMA:
            raise ValueError("it is of another format")
        seeds = tuple(metadata.pop("seeds"))
        entry = Entry(metadata, seeds, {_key(name): values for name, values in arrays.items()})
        known = images[metadata["dataset"]]
        for (name, *_), values in entry.scores.items():
            if values.dtype.kind != "f" or values.ndim != 2 or len(values) != len(seeds):
                raise ValueError(f"{name} has scores of shape {values.shape}")
            if name in known.labels and values.shape[1] != len(known.labels[name]):
                raise ValueError(f"{name} has {values.shape[1]} scores a seed")
    except (KeyError, TypeError, ValueError) as error:
        raise npz.damaged(path, error) from None
    if entry.place != path.relative_to(bank).as_posix():
        raise ValueError(f"{path} belongs at {entry.place}: put it back, or make the bank again")
    for name, digest in metadata["digests"].items():
        if digest != known.sets[name]["digest"]:
            raise ValueError(
                f"{path} has scores of other images in the set {name!r} than {SETS}/ describes; "
                "make the bank again"
            )
    return entry


def _key(name: str) -> Key:
    set_name, evidence, layer = name.split("/")
    return set_name, evidence, layer
