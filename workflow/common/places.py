"""Check that a file lies where its own metadata belong.

A copy of one seed's results in the folder of another would yield a spread of zero, so every reader
compares metadata and path. Needs only the standard library.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.common import files

# Paths below `results/`; group names are keys of `identity`.
_PLACES = [
    re.compile(r"(?:^|/)" + pattern)
    for pattern in (
        r"dynamics/(?P<grid_point>[^/]+)/(?P<dataset>[a-z0-9_]+)/"
        r"(?P<epochs>\d+)-epochs-(?P<scheme>[a-z]+)/seed(?P<seed>\d+)\.json\Z",
        r"data/(?P<dataset>[a-z0-9_]+)-(?P<source>[a-z]+)\.npz\Z",
        r"data/sets/(?P<dataset>[a-z0-9_]+)-(?P<source>[a-z]+)/(?P<set>[a-z0-9_]+)\.npz\Z",
        r"judges/(?P<dataset>[a-z0-9_]+)/seed(?P<seed>\d+)/[^/]+\Z",
        r"samples/(?P<method>[a-z0-9_]+)/(?P<grid_point>[^/]+)/(?P<dataset>[a-z0-9_]+)/"
        r"seed(?P<seed>\d+)/[^/]+\Z",
        r"(?P<method>[a-z0-9_]+)/(?P<grid_point>[^/]+)/(?P<dataset>[a-z0-9_]+)/"
        r"(?P<classes>all|each|only\d+|not\d+(?:_\d+)*)/seed(?P<seed>\d+)/[^/]+\Z",
    )
]
FIT_RECORD = "fit.json"


def identity(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Identity of a result by its record or metadata, as far as they state it."""
    metadata = metadata.get("judge", metadata)  # judgements have the identity of their judge
    dataset = metadata.get("dataset")
    stated = {
        "method": metadata.get("method"),
        "grid_point": metadata.get("grid_point", metadata.get("point")),
        "dataset": dataset.get("name") if isinstance(dataset, Mapping) else dataset,
        "source": dataset.get("source") if isinstance(dataset, Mapping) else metadata.get("source"),
        "set": metadata.get("set"),
        "classes": metadata.get("classes"),
        "epochs": metadata.get("epochs"),
        "scheme": metadata.get("scheme"),
        "seed": metadata.get("seed"),
    }
    return {key: value for key, value in stated.items() if value is not None}


def expected_identity(path: Path | str) -> dict[str, str]:
    """Identity that belongs at a path below `results/`; empty elsewhere."""
    text = Path(path).absolute().as_posix()
    match = next((match for pattern in _PLACES if (match := pattern.search(text))), None)
    return match.groupdict() if match else {}


def check(path: Path | str, metadata: Mapping[str, Any]) -> None:
    """Compare the metadata of a file with its place in a run, if it has one.

    Raises:
        ValueError: if they differ; names the file, its identity and the expected one.
    """
    path = Path(path)
    stated, expected = identity(metadata), expected_identity(path)
    if "method" in expected and path.name == FIT_RECORD:
        stated |= {"task": metadata.get("task", "fit")}
        expected |= {"task": "fit"}
    for key, value in expected.items():
        if key in stated and str(stated[key]) != value:
            raise ValueError(
                f"{path} is of {key} {stated[key]}, but its place is that of {value}: put it back "
                "where it belongs, or remove it and run again"
            )


def read(path: Path | str) -> dict[str, Any]:
    """Read a sealed JSON mapping that lies where it belongs.

    Raises:
        ValueError: if it is damaged, altered, or lies elsewhere.
    """
    value = files.read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged (it is not a mapping); remove it and run again")
    check(path, value)
    return value
