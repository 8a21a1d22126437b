# What the rules share: the checked configuration, paths, and who depends on which source files.
import json
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)  # plain `snakemake` runs outside of in_env.sh

from workflow.evaluation import grid, sources
from workflow.evaluation.config import ConfigError, checked

try:
    config = checked(config, ["config.yaml", *map(str, workflow.overwrite_configfiles)])
except ConfigError as error:
    sys.exit(str(error))

RUN = f"results/{config['run']}"
DATA = "results/data/{dataset}-{source}.npz"
KEY = "{method}/{point}/{dataset}/{classes}/seed{seed}"  # what names one fit
FIT = f"{RUN}/fit/{KEY}"
LOG = f"{RUN}/log"
PAPER = "results/reference/paper.csv"
CLASSES = f"not{config['outlier_class']}"  # what Tables I and II train on
HELD_OUT = [number for number in config["selection"]["held_out"] if f"not{number}" != CLASSES]

METHODS = grid.methods(config)
POINTS = {method: grid.points(method, config) for method in METHODS}
ENVIRONMENTS = {method: grid.environment(method, config) for method in METHODS}

# Protocol -> method -> the grid points that Table II chooses from; of DCGMM's it has E alone.
PLAN = {
    protocol: {
        method: [
            name
            for name, point in grid.protocol_points(method, protocol, config).items()
            if method != "dcgmm" or point["settings"]["instance"] == "E"
        ]
        for method in METHODS
    }
    for protocol in config["protocols"]
}

DIAGRAMS = [*config["dcgmm"]["instances"], *config["dcgmm"]["classifiers"]]

# What a tidy table of records is made of: method/point, each on every dataset and seed.
CLASSIFIERS = [
    f"dcgmm/{name}"
    for name, point in POINTS["dcgmm"].items()
    if point["settings"]["instance"] in config["dcgmm"]["classifiers"]
]
GROUPS = {
    "table1": [f"dcgmm/{name}" for name in POINTS["dcgmm"] if f"dcgmm/{name}" not in CLASSIFIERS],
    "table2": list(
        dict.fromkeys(
            f"{method}/{point}"
            for methods in PLAN.values()
            for method, points in methods.items()
            for point in points
        )
    ),
    "all": [
        f"{method}/{name}"
        for method in METHODS
        for name in POINTS[method]
        if f"{method}/{name}" not in CLASSIFIERS
    ],
    "table4": CLASSIFIERS,
    # Sec. V-B: other classes in the place of the outliers'.
    "outlier_classes": [
        f"dcgmm/{instance}-{config['dcgmm']['recipes'][0]}"
        for instance in config["other_outliers"]["instances"]
        if instance in config["dcgmm"]["instances"]
    ],
    # A second class held out, to choose grid points by.
    "held_out": [
        f"{method}/{point}"
        for method in METHODS
        for point in grid.searched_points(method, config)
        if HELD_OUT
    ],
}
GROUPS = {group: models for group, models in GROUPS.items() if models}


def group_fits(group):
    """Folders of all fits of a group."""
    return [
        folder
        for model in GROUPS.get(group, [])
        for folder in expand(
            FIT,
            method=model.split("/")[0],
            point=model.split("/")[1],
            dataset=config["datasets"],
            classes=classes_of(group),
            seed=seeds_of(group),
        )
    ]


def classes_of(group):
    """What the fits of a group train on: for most of them all classes but the outliers'."""
    match group:
        case "table4":
            return ["all"]
        case "outlier_classes":
            others = [f"not{number}" for number in config["other_outliers"]["classes"]]
            return list(dict.fromkeys([CLASSES, *others]))
        case "held_out":
            return [f"{CLASSES}_{number}" for number in HELD_OUT]
    return [CLASSES]


def seeds_of(group):
    """The seeds of a group's fits."""
    return chosen_seeds("selection") if group == "held_out" else config["seeds"]


def chosen_seeds(part):
    """The seeds that a part of the configuration names, or those of the run."""
    return config[part]["seeds"] or config["seeds"]


def task(group):
    """What the records of a group measure."""
    return {"table4": "classification", "held_out": "held_out"}.get(group, "outliers")


def curve_fits():
    """Folders of the fits in Fig. 10: A on MNIST, A and E on FashionMNIST, as far as they run."""
    wanted = [("A", "mnist"), ("A", "fashion_mnist"), ("E", "fashion_mnist")]
    main_recipe = config["dcgmm"]["recipes"][0]
    return [
        folder
        for instance, dataset in wanted
        if instance in config["dcgmm"]["instances"] and dataset in config["datasets"]
        for folder in expand(
            FIT,
            method="dcgmm",
            point=f"{instance}-{main_recipe}",
            dataset=dataset,
            classes=CLASSES,
            seed=config["seeds"],
        )
    ]


def drawn_fits():
    """The fits that are drawn from: each competitor's first corrected point, by the first seed."""
    drawing = [method for method in METHODS if method != "dcgmm"]
    return [
        folder
        for method in drawing
        for folder in expand(
            FIT,
            method=method,
            point=next(iter(grid.protocol_points(method, config["protocols"][-1], config))),
            dataset=config["datasets"],
            classes=CLASSES,
            seed=config["seeds"][0],
        )
    ]


def method_files(method):
    """Source files of a method: its folder, and what it imports."""
    if method == "dcgmm":
        return sources.of_package("dcgmm")
    folder = f"baselines/{method}"
    return sorted({*sources.of_package(folder), *sources.of_imports(f"baselines.{method}")})


def description(method):
    """What a method says of its draws, which is read when they are made, not when it is fitted."""
    return "dcgmm/instances.toml" if method == "dcgmm" else f"baselines/{method}/method.toml"


def step_files(name):
    """Source files of a step, and the lock of the environment that all but fits run in."""
    return [*sources.of_module(f"workflow.steps.{name}"), "envs/workflow.lock"]


def subset_files(wildcards):
    """The shipped images of a dataset, if it is they that are asked for."""
    if wildcards.source != "subset":
        return []
    made_of = "mnist" if wildcards.dataset == "colour_digits" else wildcards.dataset
    return sorted(map(str, Path("workflow/data/subset").glob(f"{made_of}/*")))
