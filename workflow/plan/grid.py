"""Which fits a configuration asks for, each with its settings resolved.

A fit is told everything that shapes it as plain data, so that a changed setting reruns the fits
that it changes and no others.
"""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from dcgmm import notation, recipes
from workflow.common import schemas, yaml_files
from workflow.plan import catalogue, naming

UNCHANGED = "recipe"  # the schedule that leaves the recipes as they are

Settings = dict[str, Any]
Points = dict[str, dict[str, Any]]  # name of a grid point -> `settings`, and how it is trained


def methods(config: dict[str, Any]) -> list[str]:
    """DCGMM and the baselines of a configuration that `config.checked` returned."""
    return [catalogue.DCGMM.name, *config["baselines"]]


def points(method: str, config: dict[str, Any]) -> Points:
    """All grid points of a method, each once, whichever protocols ask for it.

    Each has `settings` of the model and `training`: `holdout` (whether the last sixth of the
    training images is kept for the choice of a point), `images` (how many to train on, None for
    all) and `sample_weight` (`label` or None).

    Raises:
        ValueError: if values cannot be told apart by the points' names, or make one too long.
    """
    return naming.unique(
        item
        for protocol in config["protocols"]
        for item in protocol_points(method, protocol, config).items()
    )


def protocol_points(method: str, protocol: str, config: dict[str, Any]) -> Points:
    """The grid points of a method under one protocol."""
    if method == catalogue.DCGMM.name:
        settings = config["dcgmm"]
        names = [*settings["instances"], *settings["classifiers"]]
        return _dcgmm(settings, names, settings["recipes"])
    return naming.unique(_baseline(catalogue.method(method), protocol, config["baselines"][method]))


def drawn_point(method: str, config: dict[str, Any]) -> str:
    """The grid point of a baseline that the figures show: the first whose samples are judged."""
    return config["samples"]["points"][method][0]


def sampled_points(method: str, config: dict[str, Any]) -> Points:
    """The grid points of a method that are fitted to each class, whose samples are judged."""
    chosen = config["samples"]
    if method == catalogue.DCGMM.name:
        settings = config["dcgmm"]
        settings = settings | {"schedule": chosen["schedule"]}
        names = [name for name in chosen["instances"] if name in settings["instances"]]
        return _dcgmm(settings, names, settings["recipes"])
    defined = points(method, config)
    return {name: defined[name] for name in chosen["points"][method]}


def searched_points(method: str, config: dict[str, Any]) -> Points:
    """The grid points of a method that images kept aside choose among, under some protocol.

    A model, which is a method with the values of its variants, has no choice of a single point.
    """
    about = catalogue.method(method)
    if not about.holdout:
        return {}
    found: Points = {}
    for protocol in config["protocols"]:
        models: dict[tuple, Points] = {}
        for name, point in protocol_points(method, protocol, config).items():
            model = tuple(point["settings"][variant] for variant in about.variants)
            models.setdefault(model, {})[name] = point
        found |= {k: v for points in models.values() if len(points) > 1 for k, v in points.items()}
    return found


def colour_points(config: dict[str, Any]) -> Points:
    """DCGMM's grid points for the colour images of Fig. 7, by the main recipe; maybe none."""
    settings, colour = config["dcgmm"], config["colour"]
    names = colour["instances"] if colour["dataset"] else []
    return _dcgmm(settings, names, settings["recipes"][:1])


def ablated_points(config: dict[str, Any]) -> Points:
    """DCGMM's main recipe with one factor changed, named like `C-paper-shuffle`; maybe none.

    The factors are what other recipes of the instance have otherwise, after the schedule, and what
    `ablations.changes` names, which wins over the former. `settings` say which under `factor`.
    """
    settings, main = config["dcgmm"], config["dcgmm"]["recipes"][0]
    result = {}
    for name in config["ablations"]["instances"]:
        if name not in settings["instances"]:
            continue
        variants = _dcgmm(settings, [name], recipes.recipe_names(name))
        base = variants.pop(f"{name}-{main}")
        others = [point["settings"] for point in variants.values()]
        changes = config["ablations"]["changes"]
        for factor, change in _factors(base["settings"], others, changes).items():
            result[f"{name}-{main}-{factor}"] = base | {
                "settings": base["settings"] | change | {"factor": factor}
            }
    return result


def environment(method: str, config: dict[str, Any]) -> str:
    """Name of the environment, in `envs/`, that trains a method."""
    name = catalogue.method(method).environment
    return "tensorflow-gpu" if name == "tensorflow" and config["device"] == "gpu" else name


def launch(method: str, config: dict[str, Any]) -> list[str]:
    """What `in_env.sh` is told before a method's command: environment and variables."""
    return [environment(method, config), *catalogue.method(method).variables]


def side_by_side(method: str, config: dict[str, Any]) -> bool:
    """Whether all seeds of a grid point are fitted at once, which DCGMM can by JAX."""
    return method == catalogue.DCGMM.name and config["dcgmm"]["together"]


def in_one_job(config: dict[str, Any]) -> list[str]:
    """The methods of which one job fits all seeds of a grid point, in turn or side by side."""
    return [
        method
        for method in methods(config)
        if config["seeds_in_one_job"] or side_by_side(method, config)
    ]


def launch_seeds(method: str, config: dict[str, Any]) -> list[str]:
    """What `in_env.sh` is told before a fit of all seeds of a grid point."""
    if side_by_side(method, config):
        return ["jax-gpu" if config["device"] == "gpu" else "jax"]
    return launch(method, config)


def changed(instance: recipes.Instance, *changes: Settings) -> recipes.Recipe:
    """The recipe of an instance after some changes, in turn.

    Raises:
        ValueError: for a hyper-parameter that is unknown or unfit for the instance.
        TypeError: for one of another type.
    """
    recipe = instance.recipe
    for change in changes:
        recipe = recipe.updated(**change)
    return recipe.for_layers(instance.layers)


@cache
def parameters(method: str) -> dict[str, dict[str, Any]]:
    """Name of a baseline's setting -> its JSON Schema.

    Raises:
        ValueError: if its `params.schema.yaml` is no schema, or a setting has no fitting default.
    """
    path = catalogue.FOLDER / method / "params.schema.yaml"
    return schemas.settings(yaml_files.read(path), str(path.relative_to(catalogue.FOLDER.parent)))


def _dcgmm(settings: Settings, names: list[str], recipe_names: list[str]) -> Points:
    """One point for each instance and recipe, named like `E-paper`."""
    changes = settings["schedules"].get(settings["schedule"], {})
    result = {}
    for name in names:
        for recipe_name in recipe_names:
            if recipe_name not in recipes.recipe_names(name):
                continue  # a classifier of which there is no script
            instance = recipes.instance(name, recipe_name)
            both = (changes.get("all", {}), changes.get(name, {}))
            resolved = {
                "instance": name,
                "recipe": recipe_name,
                "layers": notation.write(instance.layers),
                "hyperparameters": asdict(changed(instance, *both)),
            }
            result[f"{name}-{recipe_name}"] = {
                "settings": resolved,
                "training": {"holdout": False, "images": None, "sample_weight": None},
            }
    return result


def _factors(base: Settings, others: list[Settings], changes: Settings) -> dict[str, Settings]:
    """Name of a factor -> the settings that it changes."""
    result: dict[str, Settings] = {}
    own = base["hyperparameters"]
    for other in others:
        if other["layers"] != base["layers"]:
            result["layers"] = {"layers": other["layers"]}
        for name, value in other["hyperparameters"].items():
            if value != own[name]:
                result[name] = {"hyperparameters": own | {name: value}}
    instance = recipes.instance(base["instance"], base["recipe"])
    instance = replace(instance, recipe=recipes.Recipe().updated(**own))
    for name, change in changes.items():
        result[name] = {"hyperparameters": asdict(changed(instance, change))}
    return result


def _baseline(
    about: catalogue.Method, name: str, config: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The product of the grid's axes; names say what differs, as in `K10-D4-R10-binomial-unit`."""
    defaults = {key: rule["default"] for key, rule in parameters(about.name).items()}
    defaults |= config["settings"]
    protocol = about.protocols[name]
    for values in itertools.product(*config["grid"].values()):
        settings = defaults | dict(zip(config["grid"], values, strict=True))
        settings |= protocol.settings if protocol.concerns(settings) else {}
        training = {
            "holdout": about.holdout,
            "images": config["train_images"],
            "sample_weight": protocol.sample_weight,
        }
        point = {"settings": settings, "training": training}
        yield _name(about, set(config["grid"]), point), point


def _name(about: catalogue.Method, axes: set[str], point: dict[str, Any]) -> str:
    """What differs between grid points or protocols; settings that have a symbol come first."""
    settings = point["settings"]
    shown = axes | {*about.variants}
    for protocol in about.protocols.values():
        if protocol.concerns(settings):
            shown |= {*protocol.settings}
    order = dict.fromkeys([*about.symbols, *parameters(about.name)])
    weight = point["training"]["sample_weight"]
    weighted = [f"{weight}_weighted"] if weight else []
    differ = {key: settings[key] for key in order if key in shown}
    return naming.name(differ, about.symbols, *weighted)
