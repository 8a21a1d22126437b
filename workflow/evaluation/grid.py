"""Which fits a configuration asks for, each with its settings resolved.

A fit is told everything that shapes it as plain data, so that a changed setting reruns the fits
that it changes and no others.
"""

from dataclasses import asdict
from typing import Any

from dcgmm import notation, recipes

UNCHANGED = "recipe"  # the schedule that leaves the recipes as they are

Points = dict[str, dict[str, Any]]  # name of a grid point -> its settings


def points(method: str, config: dict[str, Any]) -> Points:
    """The grid of a method under a configuration that `config.checked` returned."""
    return _GRIDS[method](config[method])


def environment(method: str, config: dict[str, Any]) -> str:
    """Name of the environment, in `envs/`, that trains a method."""
    if method == "dcgmm" and config["tensorflow"] == "gpu":
        return "tensorflow-gpu"
    return "tensorflow"


def changed(instance: recipes.Instance, *changes: dict[str, Any]) -> recipes.Recipe:
    """The recipe of an instance after some changes, in turn.

    Raises:
        ValueError: for a hyper-parameter that is unknown or unfit for the instance.
        TypeError: for one of another type.
    """
    recipe = instance.recipe
    for change in changes:
        recipe = recipe.updated(**change)
    return recipe.for_layers(instance.layers)


def _dcgmm(settings: dict[str, Any]) -> Points:
    """One point for each instance and recipe, named like `E-paper`."""
    changes = settings["schedules"].get(settings["schedule"], {})
    result = {}
    for name in settings["instances"]:
        for recipe_name in settings["recipes"]:
            instance = recipes.instance(name, recipe_name)
            both = (changes.get("all", {}), changes.get(name, {}))
            result[f"{name}-{recipe_name}"] = {
                "instance": name,
                "recipe": recipe_name,
                "layers": notation.write(instance.layers),
                "hyperparameters": asdict(changed(instance, *both)),
            }
    return result


_GRIDS = {"dcgmm": _dcgmm}
