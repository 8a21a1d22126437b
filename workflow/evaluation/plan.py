"""Which fits each table is made of, from a checked configuration.

A group is what one tidy table of records holds: its models, `<method>/<grid point>`, each on every
dataset and by every seed.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from workflow.evaluation import grid

CLASSIFICATION = "table4"
TABLE2_INSTANCE = "E"  # the only one of DCGMM's that Table II compares

Plan = dict[str, dict[str, list[str]]]  # protocol -> method -> grid points


class Fit(NamedTuple):
    """What names one fit, as the folders below `results/<run>/fit/` do."""

    method: str
    grid_point: str
    dataset: str
    classes: str
    seed: int

    @property
    def folder(self) -> str:
        """Below `results/<run>/fit/`."""
        return "/".join(map(str, self[:-1])) + f"/seed{self.seed}"


def table2(config: dict[str, Any]) -> Plan:
    """The grid points that Table II chooses from, by protocol and method."""
    return {
        protocol: {
            method: [
                name
                for name, point in grid.protocol_points(method, protocol, config).items()
                if method != "dcgmm" or point["settings"]["instance"] == TABLE2_INSTANCE
            ]
            for method in grid.methods(config)
        }
        for protocol in config["protocols"]
    }


def groups(config: dict[str, Any]) -> dict[str, list[str]]:
    """Group -> its models; `all` holds those of Tables I and II and all other grid points."""
    models = {
        f"{method}/{name}": point["settings"]
        for method in grid.methods(config)
        for name, point in grid.points(method, config).items()
    }
    classifiers = [
        model
        for model, settings in models.items()
        if model.startswith("dcgmm/") and settings["instance"] in config["dcgmm"]["classifiers"]
    ]
    others = [model for model in models if model not in classifiers]
    compared = {
        f"{method}/{point}": None
        for methods in table2(config).values()
        for method, points in methods.items()
        for point in points
    }
    return {
        "table1": [model for model in others if model.startswith("dcgmm/")],
        "table2": list(compared),
        "all": others,
        CLASSIFICATION: classifiers,
    }


def classes(group: str, config: dict[str, Any]) -> str:
    """What the fits of a group train on: all classes for Table IV, else all but the outliers'."""
    return "all" if group == CLASSIFICATION else f"not{config['outlier_class']}"


def task(group: str) -> str:
    """What the records of a group measure."""
    return "classification" if group == CLASSIFICATION else "outliers"


def fits(group: str, config: dict[str, Any]) -> Iterator[Fit]:
    """All fits of a group."""
    axes = groups(config)[group], config["datasets"], config["seeds"]
    for model, dataset, seed in itertools.product(*axes):
        yield Fit(*model.split("/"), dataset, classes(group, config), seed)
