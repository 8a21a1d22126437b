"""List the fits behind each table, from a checked configuration.

A group is the content of one tidy table of records: for each of its models,
`<method>/<grid point>`, one fit per dataset, choice of classes and seed.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from workflow.plan import grid

CLASSIFICATION = "table4"
OUTLIER_CLASSES = "outlier_classes"  # Sec. V-B: other classes as outliers
HELD_OUT = "held_out"  # a second class held out, to choose a grid point by
ABLATIONS = "ablations"  # the recipes, and one factor changed at a time
# Together these groups have all fits.
WHOLE = ("all", CLASSIFICATION, OUTLIER_CLASSES, HELD_OUT, ABLATIONS)
OPTIONAL = {  # group that a run may omit -> the key that requests its fits
    CLASSIFICATION: "dcgmm.classifiers",
    OUTLIER_CLASSES: "other_outliers.instances",
    ABLATIONS: "ablations.instances",
    HELD_OUT: "selection.held_out",
}
TABLE2_INSTANCE = "E"  # the only instance of DCGMM in Table II

Plan = dict[str, dict[str, list[str]]]  # protocol -> method -> grid points


class Fit(NamedTuple):
    """Key of one fit, as in the folders below `results/<run>/fit/`."""

    method: str
    grid_point: str
    dataset: str
    classes: str
    seed: int

    @property
    def folder(self) -> str:
        """Path below `results/<run>/fit/`."""
        return "/".join(map(str, self[:-1])) + f"/seed{self.seed}"


Key = tuple[str, Fit]  # a task, and the fit that it is done with


def table2(config: dict[str, Any]) -> Plan:
    """Grid points that Table II chooses from, by protocol and method."""
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
    """List the models of each group; `all` has every one without a classifier."""
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
    # Classifiers are fitted to all classes, hence apart from the other models.
    without_classifier = [model for model in models if model not in classifiers]
    table2_models = {
        f"{method}/{point}": None
        for methods in table2(config).values()
        for method, points in methods.items()
        for point in points
    }
    return {
        "table1": [model for model in without_classifier if model.startswith("dcgmm/")],
        "table2": list(table2_models),
        "all": without_classifier,
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
    """Models of the ablations: per instance its recipes, the main one first, then its factors."""
    ablated = grid.ablated_points(config)
    instances = dict.fromkeys(point["settings"]["instance"] for point in ablated.values())
    return [
        f"dcgmm/{name}"
        for instance in instances
        for name, point in (grid.points("dcgmm", config) | ablated).items()
        if point["settings"]["instance"] == instance
    ]


def classes(group: str, config: dict[str, Any]) -> list[str]:
    """Classes that the fits of a group train on: mostly all but the outlier class."""
    outlier = config["outlier_class"]
    if group == CLASSIFICATION:
        return ["all"]
    if group == OUTLIER_CLASSES:
        outlier_classes = dict.fromkeys([outlier, *config["other_outliers"]["classes"]])
        return [f"not{number}" for number in outlier_classes]
    if group == HELD_OUT:
        outlier_classes = config["selection"]["held_out"]
        return [f"not{outlier}_{number}" for number in outlier_classes if number != outlier]
    return [f"not{outlier}"]


def seeds(group: str, config: dict[str, Any]) -> list[int]:
    """Seeds of a group's fits."""
    part = {HELD_OUT: "selection", ABLATIONS: "ablations"}.get(group)
    return config[part]["seeds"] if part else config["seeds"]


def task(group: str) -> str:
    """Task that the records of a group measure."""
    return {CLASSIFICATION: "classification", HELD_OUT: "held_out"}.get(group, "outliers")


def fits(group: str, config: dict[str, Any]) -> Iterator[Fit]:
    """Iterate over the fits of a group."""
    yield from fits_of(groups(config)[group], group, config)


def fits_of(models: Iterable[str], group: str, config: dict[str, Any]) -> Iterator[Fit]:
    """Iterate over the fits of some models, made as a group's are."""
    axes = models, config["datasets"], classes(group, config), seeds(group, config)
    for model, dataset, class_choice, seed in itertools.product(*axes):
        yield Fit(*model.split("/"), dataset, class_choice, seed)
