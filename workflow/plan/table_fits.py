"""Which fits each table is made of, from a checked configuration.

A group is what one tidy table of records holds: its models, `<method>/<grid point>`, each on every
dataset, without every class in question, and by every seed.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from workflow.plan import grid

CLASSIFICATION = "table4"
OUTLIER_CLASSES = "outlier_classes"  # Sec. V-B: other classes in the place of the outliers'
HELD_OUT = "held_out"  # without a second class, by which a grid point may be chosen
ABLATIONS = "ablations"  # one factor of a recipe changed at a time, beside the recipes
WHOLE = ("all", CLASSIFICATION, OUTLIER_CLASSES, HELD_OUT, ABLATIONS)  # these have all fits
OPTIONAL = {  # the key that asks for the fits of a group which a run may go without
    CLASSIFICATION: "dcgmm.classifiers",
    OUTLIER_CLASSES: "other_outliers.instances",
    ABLATIONS: "ablations.instances",
    HELD_OUT: "selection.held_out",
}
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
        OUTLIER_CLASSES: [
            f"dcgmm/{instance}-{config['dcgmm']['recipes'][0]}"
            for instance in config["other_outliers"]["instances"]
            if instance in config["dcgmm"]["instances"]
        ],
        ABLATIONS: _ablations(config),
        HELD_OUT: [
            f"{method}/{point}"
            for method in grid.methods(config)
            for point in grid.searched_points(method, config)
            if classes(HELD_OUT, config)
        ],
    }


def _ablations(config: dict[str, Any]) -> list[str]:
    """Of every instance in question the recipes that run, the main one first, and the factors."""
    ablated = grid.ablated_points(config)
    wanted = dict.fromkeys(point["settings"]["instance"] for point in ablated.values())
    return [
        f"dcgmm/{name}"
        for instance in wanted
        for name, point in (grid.points("dcgmm", config) | ablated).items()
        if point["settings"]["instance"] == instance
    ]


def classes(group: str, config: dict[str, Any]) -> list[str]:
    """What the fits of a group train on: for most of them all classes but the outliers'."""
    outlier = config["outlier_class"]
    if group == CLASSIFICATION:
        return ["all"]
    if group == OUTLIER_CLASSES:
        others = dict.fromkeys([outlier, *config["other_outliers"]["classes"]])
        return [f"not{number}" for number in others]
    if group == HELD_OUT:
        others = config["selection"]["held_out"]
        return [f"not{outlier}_{number}" for number in others if number != outlier]
    return [f"not{outlier}"]


def seeds(group: str, config: dict[str, Any]) -> list[int]:
    """The seeds of a group's fits."""
    part = {HELD_OUT: "selection", ABLATIONS: "ablations"}.get(group)
    return config[part]["seeds"] if part else config["seeds"]


def task(group: str) -> str:
    """What the records of a group measure."""
    return {CLASSIFICATION: "classification", HELD_OUT: "held_out"}.get(group, "outliers")


def fits(group: str, config: dict[str, Any]) -> Iterator[Fit]:
    """All fits of a group."""
    models = groups(config)[group]
    axes = models, config["datasets"], classes(group, config), seeds(group, config)
    for model, dataset, chosen, seed in itertools.product(*axes):
        yield Fit(*model.split("/"), dataset, chosen, seed)
