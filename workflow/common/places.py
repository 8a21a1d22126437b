"""Whether a file lies where what it says of itself belongs.

A copy of one seed's results in the folder of another would make a spread of zero, so whoever reads
a file compares the two. Needs the standard library alone.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.common import files

# Of the files below `results/`; names of groups are those of `identity`.
_PLACES = [
    re.compile(r"(?:^|/)" + pattern)
    for pattern in (
        r"dynamics/(?P<grid_point>[^/]+)/(?P<dataset>[a-z_]+)/"
        r"(?P<epochs>\d+)-epochs-(?P<scheme>[a-z]+)/seed(?P<seed>\d+)\.json\Z",
        r"data/(?P<dataset>[a-z_]+)-(?P<source>[a-z]+)\.npz\Z",
        r"judges/(?P<dataset>[a-z_]+)/seed(?P<seed>\d+)/[^/]+\Z",
        r"samples/(?P<method>[a-z0-9_]+)/(?P<grid_point>[^/]+)/(?P<dataset>[a-z_]+)/"
        r"seed(?P<seed>\d+)/[^/]+\Z",
        r"(?P<method>[a-z0-9_]+)/(?P<grid_point>[^/]+)/(?P<dataset>[a-z_]+)/"
        r"(?P<classes>all|each|only\d+|not\d+(?:_\d+)*)/seed(?P<seed>\d+)/[^/]+\Z",
    )
]
FIT_RECORD = "fit.json"


def identity(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a record, or what is told of arrays, says that it is of, as far as it says so."""
    about = about.get("judge", about)  # what a judge says is of the judge
    dataset = about.get("dataset")
    told = {
        "method": about.get("method"),
        "grid_point": about.get("grid_point", about.get("point")),
        "dataset": dataset.get("name") if isinstance(dataset, Mapping) else dataset,
        "source": dataset.get("source") if isinstance(dataset, Mapping) else about.get("source"),
        "classes": about.get("classes"),
        "epochs": about.get("epochs"),
        "scheme": about.get("scheme"),
        "seed": about.get("seed"),
    }
    return {key: value for key, value in told.items() if value is not None}


def place(path: Path | str) -> dict[str, str]:
    """What belongs at a path below `results/`, as `identity` names it; nothing elsewhere."""
    text = Path(path).absolute().as_posix()
    match = next((match for each in _PLACES if (match := each.search(text))), None)
    return match.groupdict() if match else {}


def check(path: Path | str, about: Mapping[str, Any]) -> None:
    """Compare what a file says that it is of with its place in a run, if it has one there.

    Raises:
        ValueError: if they differ; names the file, what it is of and what belongs there.
    """
    path = Path(path)
    told, wanted = identity(about), place(path)
    if "method" in wanted and path.name == FIT_RECORD:
        told |= {"task": about.get("task", "fit")}
        wanted |= {"task": "fit"}
    for key, value in wanted.items():
        if key in told and str(told[key]) != value:
            raise ValueError(
                f"{path} is of {key} {told[key]}, but its place is that of {value}: put it back "
                "where it belongs, or remove it and run again"
            )


def read(path: Path | str) -> dict[str, Any]:
    """Read a sealed JSON mapping that lies where it belongs.

    Raises:
        ValueError: if it is damaged, altered, or lies elsewhere.
    """
    value = files.read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged (it is no mapping); remove it and run again")
    check(path, value)
    return value
