# Shared by all rules: the checked configuration, paths, and source files of programs.
import json
from functools import cache

from workflow.data import registry, tasks, test_sets
from workflow.plan import catalogue, grid, sources, table_fits
from workflow.plan.config import checked
from workflow.publish import reference
from workflow.run import liveness

try:
    config = checked(config, FILES, workflow.config_settings.config)
except ConfigError as error:
    sys.exit(str(error))

if workflow.is_main_process:
    try:  # locks that mark this run as alive while they are open
        ALIVE = liveness.begin(Path.cwd(), config["run"], sys.argv)
    except liveness.AliveError as error:
        sys.exit(str(error))

RUN = f"results/{config['run']}"
DATA = "results/data/{dataset}-{source}.npz"
KEY = "{method}/{point}/{dataset}/{classes}/seed{seed}"  # of one fit
FIT = f"{RUN}/fit/{KEY}"
LOG = f"{RUN}/log"
PAPER = "results/reference/paper.csv"
PUBLISHED = reference.folder()
LONG_CHAIN = 1  # priority of long jobs and of those they wait for: started first
CLASSES = f"not{config['outlier_class']}"  # what Tables I and II train on
# Prefix of commands that train: supervised, so that exceeding a limit is recorded.
SUPERVISED = (
    "workflow/run/in_env.sh workflow python -m workflow.fit.supervise"
    " --limits {resources.limits:q} --fits {params.fits:q}"
    " -- workflow/run/in_env.sh {params.environment:q} "
)
GPU = 1 if config["device"] == "gpu" else 0  # per training job

METHODS = grid.methods(config)
POINTS = {method: grid.points(method, config) for method in METHODS}
POINTS["dcgmm"] |= grid.ablated_points(config)
ENVIRONMENTS = {method: grid.environment(method, config) for method in METHODS}
LAUNCH = {method: grid.launch(method, config) for method in METHODS}

PLAN = table_fits.table2(config)
DIAGRAMS = [*config["dcgmm"]["instances"], *config["dcgmm"]["classifiers"]]

# Whether tables are made from the published records, without any fit.
FROM_ARCHIVE = config["records"] == "published"
GROUPS = table_fits.groups(config)
if FROM_ARCHIVE:
    from workflow.publish import contents

    try:
        GROUPS = contents.groups(config, Path(PUBLISHED))
    except ValueError as error:
        sys.exit(str(error))
CLASSIFIERS = GROUPS[table_fits.CLASSIFICATION]


def group_fits(group):
    """Folders of the fits of a group."""
    return [f"{RUN}/fit/{fit.folder}" for fit in table_fits.fits_of(GROUPS[group], group, config)]


def each_seed(path):
    """Expand a path over the seeds of the run; other wildcards stay."""
    return expand(path, seed=config["seeds"], allow_missing=True)


def curve_fits():
    """Folders of the fits in Fig. 10: A on MNIST, A and E on FashionMNIST, if configured."""
    panels = [("A", "mnist"), ("A", "fashion_mnist"), ("E", "fashion_mnist")]
    main_recipe = config["dcgmm"]["recipes"][0]
    return [
        folder
        for instance, dataset in panels
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


def detection_models():
    """Models of Table I if their fits are measured as they train."""
    return table_fits.groups(config)["table1"] if config["curves"]["measurements"] else []


def detection_fits():
    """Folders of the fits of Table I that have training curves of detection."""
    fits = table_fits.fits_of(detection_models(), "table1", config)
    return [f"{RUN}/fit/{fit.folder}" for fit in fits]


def verbatim(value):
    """Pass a parameter unchanged: in a plain text Snakemake would expand `{word}` as a wildcard."""
    return lambda wildcards: value


@cache
def method_files(method):
    """Source files of a method: its folder and its imports."""
    if method == "dcgmm":
        return sources.of_package("dcgmm")
    folder = f"baselines/{method}"
    return sorted({*sources.of_package(folder), *sources.of_imports(f"baselines.{method}")})


def description_file(method):
    """File that describes a method's draws, which drawing reads and fitting does not."""
    return "dcgmm/instances.toml" if method == "dcgmm" else f"baselines/{method}/method.toml"


def step_files(name):
    """Source files of a step, and the lock of the environment of all steps but fits."""
    files = sources.of_module(f"workflow.{name}")
    tables = ["workflow/data/registry.tsv"] if "workflow/data/registry.py" in files else []
    return [*files, *tables, "envs/workflow.lock"]


def subset_files(wildcards):
    """Shipped images of a dataset, if the source is the subset."""
    if wildcards.source != "subset":
        return []
    made_of = registry.table()[wildcards.dataset].made_of or wildcards.dataset
    return sorted(map(str, Path("workflow/data/subset").glob(f"{made_of}/*")))
