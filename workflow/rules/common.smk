# What the rules share: the checked configuration, paths, and who depends on which source files.
import json
from functools import cache

from workflow.data import names
from workflow.plan import catalogue, grid, sources, table_fits
from workflow.plan.config import checked
from workflow.publish import contents, reference
from workflow.run import liveness

try:
    config = checked(config, FILES, workflow.config_settings.config)
except ConfigError as error:
    sys.exit(str(error))

if workflow.is_main_process:
    try:  # this run's signs of life, as long as they are open
        ALIVE = liveness.begin(Path.cwd(), config["run"], sys.argv)
    except liveness.AliveError as error:
        sys.exit(str(error))

RUN = f"results/{config['run']}"
DATA = "results/data/{dataset}-{source}.npz"
KEY = "{method}/{point}/{dataset}/{classes}/seed{seed}"  # what names one fit
FIT = f"{RUN}/fit/{KEY}"
LOG = f"{RUN}/log"
PAPER = "results/reference/paper.csv"
PUBLISHED = reference.folder()
LONG_CHAIN = 1  # priority of jobs that take long or that long ones wait for: begun first
CLASSES = f"not{config['outlier_class']}"  # what Tables I and II train on
# How the shell of a rule that trains begins: ended and written down if it exceeds its limits.
SUPERVISED = (
    "workflow/run/in_env.sh workflow python -m workflow.fit.supervise"
    " --limits {resources.limits:q} --fits {params.fits:q}"
    " -- workflow/run/in_env.sh {params.environment:q} "
)
GPU = 1 if config["device"] == "gpu" else 0  # that a job which trains takes

METHODS = grid.methods(config)
POINTS = {method: grid.points(method, config) for method in METHODS}
POINTS["dcgmm"] |= grid.ablated_points(config)
ENVIRONMENTS = {method: grid.environment(method, config) for method in METHODS}
LAUNCH = {method: grid.launch(method, config) for method in METHODS}

PLAN = table_fits.table2(config)
DIAGRAMS = [*config["dcgmm"]["instances"], *config["dcgmm"]["classifiers"]]

# Whether tables are made of the published records, and nothing is fitted.
FROM_ARCHIVE = config["records"] == "published"
GROUPS = contents.groups(config, Path(PUBLISHED)) if FROM_ARCHIVE else table_fits.groups(config)
CLASSIFIERS = GROUPS[table_fits.CLASSIFICATION]


def group_fits(group):
    """Folders of all fits of a group."""
    return [f"{RUN}/fit/{fit.folder}" for fit in table_fits.fits(group, config)]


def each_seed(path):
    """A path once for every seed of the run; its other wildcards stay."""
    return expand(path, seed=config["seeds"], allow_missing=True)


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


def verbatim(value):
    """A parameter as it is: of a text alone, Snakemake would take `{word}` for a wildcard."""
    return lambda wildcards: value


@cache
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
    return [*sources.of_module(f"workflow.{name}"), "envs/workflow.lock"]


def subset_files(wildcards):
    """The shipped images of a dataset, if it is they that are asked for."""
    if wildcards.source != "subset":
        return []
    made_of = names.table()[wildcards.dataset].made_of or wildcards.dataset
    return sorted(map(str, Path("workflow/data/subset").glob(f"{made_of}/*")))
