"""Expand a configuration into grid points, each with its settings resolved.

A fit gets everything that shapes it as plain data, so that a changed setting reruns the affected
fits and no others.
"""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from dcgmm import notation, recipes
from workflow.common import schemas, yaml_files
from workflow.plan import catalogue, naming

UNCHANGED = "recipe"  # the schedule that leaves recipes as published

Settings = dict[str, Any]
Points = dict[str, dict[str, Any]]  # name of a grid point -> its `settings` and `training`


def methods(config: dict[str, Any]) -> list[str]:
    """List DCGMM and the baselines of a configuration that `config.checked` returned."""
    return [catalogue.DCGMM.name, *config["baselines"]]


def points(method: str, config: dict[str, Any]) -> Points:
    """All grid points of a method, those that protocols share once.

    Each has `settings` of the model and `training`: `holdout` (whether the last sixth of the
    training images is kept for the choice of a point), `images` (how many to train on, None for
    all) and `sample_weight` (`label` or None).

    Raises:
        ValueError: if two points share a name, or a name is too long.
    """
    return naming.unique(
        item
        for protocol in config["protocols"]
        for item in protocol_points(method, protocol, config).items()
    )


def protocol_points(method: str, protocol: str, config: dict[str, Any]) -> Points:
    """Grid points of a method under one protocol."""
    if method == catalogue.DCGMM.name:
        settings = config["dcgmm"]
        names = [*settings["instances"], *settings["classifiers"]]
        return _dcgmm_points(settings, names, settings["recipes"])
    return naming.unique(
        _baseline_points(catalogue.method(method), protocol, config["baselines"][method])
    )


def drawn_point(method: str, config: dict[str, Any]) -> str:
    """Grid point of a baseline in the figures: the first whose samples are judged."""
    return config["samples"]["points"][method][0]


def sampled_points(method: str, config: dict[str, Any]) -> Points:
    """Grid points of a method that are fitted per class and whose samples are judged."""
    samples = config["samples"]
    if method == catalogue.DCGMM.name:
        settings = config["dcgmm"]
        settings = settings | {"schedule": samples["schedule"]}
        names = [name for name in samples["instances"] if name in settings["instances"]]
        return _dcgmm_points(settings, names, settings["recipes"])
    all_points = points(method, config)
    return {name: all_points[name] for name in samples["points"][method]}


def searched_points(method: str, config: dict[str, Any]) -> Points:
    """Grid points of a method among which images kept aside choose, under some protocol.

    A model, i.e. a method with fixed variants, that has a single point has no choice.
    """
    description = catalogue.method(method)
    if not description.holdout:
        return {}
    searched: Points = {}
    for protocol in config["protocols"]:
        models: dict[tuple, Points] = {}
        for name, point in protocol_points(method, protocol, config).items():
            model = tuple(point["settings"][variant] for variant in description.variants)
            models.setdefault(model, {})[name] = point
        searched |= {
            k: v for points in models.values() if len(points) > 1 for k, v in points.items()
        }
    return searched


def colour_points(config: dict[str, Any]) -> Points:
    """Grid points of DCGMM for the colour images of Fig. 7, with the main recipe, if any."""
    settings, colour = config["dcgmm"], config["colour"]
    names = colour["instances"] if colour["dataset"] else []
    return _dcgmm_points(settings, names, settings["recipes"][:1])


def ablated_points(config: dict[str, Any]) -> Points:
    """Grid points of DCGMM's main recipe with one factor changed, as in `C-paper-shuffle`, if any.

    Factors are the differences to other recipes of the instance, after the schedule, and those of
    `ablations.changes`, which override the former. `settings` name it under `factor`.
    """
    settings, main = config["dcgmm"], config["dcgmm"]["recipes"][0]
    ablated = {}
    for name in config["ablations"]["instances"]:
        if name not in settings["instances"]:
            continue
        variants = _dcgmm_points(settings, [name], recipes.recipe_names(name))
        base = variants.pop(f"{name}-{main}")
        other_settings = [point["settings"] for point in variants.values()]
        changes = config["ablations"]["changes"]
        for factor, change in _factors(base["settings"], other_settings, changes).items():
            ablated[f"{name}-{main}-{factor}"] = base | {
                "settings": base["settings"] | change | {"factor": factor}
            }
    return ablated


def environment(method: str, config: dict[str, Any]) -> str:
    """Name of the environment in `envs/` that trains a method."""
    name = catalogue.method(method).environment
    return "tensorflow-gpu" if name == "tensorflow" and config["device"] == "gpu" else name


def launch(method: str, config: dict[str, Any]) -> list[str]:
    """Arguments of `in_env.sh` before a method's command: environment and variables."""
    return [environment(method, config), *catalogue.method(method).variables]


def side_by_side(method: str, config: dict[str, Any]) -> bool:
    """Whether all seeds of a grid point are fitted at once, as DCGMM can with JAX."""
    return method == catalogue.DCGMM.name and config["dcgmm"]["together"]


def in_one_job(config: dict[str, Any]) -> list[str]:
    """Methods whose seeds of a grid point are fitted in one job, in turn or side by side."""
    return [
        method
        for method in methods(config)
        if config["seeds_in_one_job"] or side_by_side(method, config)
    ]


def launch_seeds(method: str, config: dict[str, Any]) -> list[str]:
    """Arguments of `in_env.sh` before a fit of all seeds of a grid point."""
    if side_by_side(method, config):
        return ["jax-gpu" if config["device"] == "gpu" else "jax"]
    return launch(method, config)


def changed(instance: recipes.Instance, *changes: Settings) -> recipes.Recipe:
    """Apply changes to the recipe of an instance, one after the other.

    Raises:
        ValueError: for a hyper-parameter that is unknown or does not fit the instance.
        TypeError: for one of the wrong type.
    """
    recipe = instance.recipe
    for change in changes:
        recipe = recipe.updated(**change)
    return recipe.for_layers(instance.layers)


@cache
def parameters(method: str) -> dict[str, dict[str, Any]]:
    """Load the settings of a baseline: name -> JSON Schema.

    Raises:
        ValueError: if its `params.schema.yaml` is not a schema, or a setting has no valid default.
    """
    path = catalogue.FOLDER / method / "params.schema.yaml"
    return schemas.settings(yaml_files.read(path), str(path.relative_to(catalogue.FOLDER.parent)))


def _dcgmm_points(settings: Settings, names: list[str], recipe_names: list[str]) -> Points:
    """Grid points of DCGMM, one for each instance and recipe, named like `E-paper`."""
    changes = settings["schedules"].get(settings["schedule"], {})
    points = {}
    for name in names:
        for recipe_name in recipe_names:
            if recipe_name not in recipes.recipe_names(name):
                continue  # a classifier without a released script
            instance = recipes.instance(name, recipe_name)
            instance_changes = (changes.get("all", {}), changes.get(name, {}))
            resolved = {
                "instance": name,
                "recipe": recipe_name,
                "layers": notation.write(instance.layers),
                "hyperparameters": asdict(changed(instance, *instance_changes)),
            }
            points[f"{name}-{recipe_name}"] = {
                "settings": resolved,
                "training": {"holdout": False, "images": None, "sample_weight": None},
            }
    return points


def _factors(base: Settings, others: list[Settings], changes: Settings) -> dict[str, Settings]:
    """Collect the factors of an ablation: name -> changed settings."""
    factors: dict[str, Settings] = {}
    hyperparameters = base["hyperparameters"]
    for other in others:
        if other["layers"] != base["layers"]:
            factors["layers"] = {"layers": other["layers"]}
        for name, value in other["hyperparameters"].items():
            if value != hyperparameters[name]:
                factors[name] = {"hyperparameters": hyperparameters | {name: value}}
    # Factors of the configuration come last, hence override those of the recipes.
    instance = recipes.instance(base["instance"], base["recipe"])
    instance = replace(instance, recipe=recipes.Recipe().updated(**hyperparameters))
    for name, change in changes.items():
        factors[name] = {"hyperparameters": asdict(changed(instance, change))}
    return factors


def _baseline_points(
    description: catalogue.Method, name: str, config: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Grid points of a baseline: the product of the axes, named like `K10-D4-R10-binomial-unit`."""
    defaults = {key: rule["default"] for key, rule in parameters(description.name).items()}
    defaults |= config["settings"]
    protocol = description.protocols[name]
    for values in itertools.product(*config["grid"].values()):
        settings = defaults | dict(zip(config["grid"], values, strict=True))
        settings |= protocol.settings if protocol.concerns(settings) else {}
        training = {
            "holdout": description.holdout,
            "images": config["train_images"],
            "sample_weight": protocol.sample_weight,
        }
        point = {"settings": settings, "training": training}
        yield _point_name(description, set(config["grid"]), point), point


def _point_name(description: catalogue.Method, axes: set[str], point: dict[str, Any]) -> str:
    """Name a grid point by what differs between points or protocols; symbols come first."""
    settings = point["settings"]
    named = axes | {*description.variants}
    for protocol in description.protocols.values():
        if protocol.concerns(settings):
            named |= {*protocol.settings}
    order = dict.fromkeys([*description.symbols, *parameters(description.name)])
    weight = point["training"]["sample_weight"]
    weighted = [f"{weight}_weighted"] if weight else []
    differing = {key: settings[key] for key in order if key in named}
    return naming.name(differing, description.symbols, *weighted)
