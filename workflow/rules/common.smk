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
CLASSES = f"not{config['outlier_class']}"  # what Table I trains on

METHODS = ("dcgmm",)
POINTS = {method: grid.points(method, config) for method in METHODS}
ENVIRONMENTS = {method: grid.environment(method, config) for method in METHODS}


def outlier_fits():
    """Folders of all fits behind Table I."""
    return expand(
        FIT,
        method="dcgmm",
        point=POINTS["dcgmm"],
        dataset=config["datasets"],
        classes=CLASSES,
        seed=config["seeds"],
    )


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


def step_files(name):
    """Source files of a step, and the lock of the environment that all but fits run in."""
    return [*sources.of_module(f"workflow.steps.{name}"), "envs/workflow.lock"]


def subset_files(wildcards):
    """The shipped images of a dataset, if it is they that are asked for."""
    if wildcards.source != "subset":
        return []
    return sorted(map(str, Path("workflow/data/subset").glob(f"{wildcards.dataset}/*")))
