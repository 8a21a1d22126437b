"""Mistakes in a configuration, each as the path of a value and a sentence with the nearest mend."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema import ValidationError

from dcgmm import recipes
from workflow.common import schemas, values
from workflow.common.hints import nearest
from workflow.data import registry, tasks, test_sets
from workflow.plan import catalogue, grid

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping of keys to values",
    "string": "text",
}
RESERVED_SETS = ("test", "train", "validation", "predicted")  # in files of scores
TASK_NAME = re.compile("[a-z][a-z0-9_]{0,59}")
EXTERNAL_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
MOST_POINTS = 10_000  # of one grid
_Path = values.Path
_written = values.written


def of_schema(error: ValidationError, place: _Path = ()) -> tuple[_Path, str]:
    """Path and problem of a schema violation below `place`, with what would be right."""
    path, value, rule = (*place, *error.absolute_path), error.instance, error.schema
    match error.validator:
        case "additionalProperties":
            unknown_key = next(key for key in value if key not in rule["properties"])
            path = (*path, unknown_key)
            return path, _unknown(
                f"unknown key {_written(path)!r}", unknown_key, rule["properties"]
            )
        case "enum":
            problem = f"{_written(path)} is {values.shown(value)}"
            return path, _unknown(problem, value, error.validator_value)
        case "type":
            types = error.validator_value
            expected = rule["expects"] if isinstance(types, list) else _TYPES[types]
        case "minimum":
            expected = f"at least {error.validator_value}"
        case "maximum":
            expected = f"at most {error.validator_value}"
        case "maxLength":
            expected = f"text of at most {error.validator_value} characters"
        case "maxItems":
            expected = f"a list of at most {error.validator_value}"
        case "minItems":
            expected = f"a list of at least {error.validator_value}"
        case "uniqueItems":
            duplicate = next(item for item in value if value.count(item) > 1)
            problem = f"{_written(path)} names {values.shown(duplicate)} twice"
            return path, f"{problem}, but each may occur only once"
        case _ if "expects" in rule:
            expected = rule["expects"]
        case "exclusiveMinimum":
            expected = f"above {error.validator_value}"
        case "exclusiveMaximum":
            expected = f"below {error.validator_value}"
        case _:
            return path, f"{_written(path)}: {values.shortened(error.message, 300)}"
    return path, f"{_written(path)} is {values.shown(value)}, but must be {expected}"


def of_content(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check what the schema cannot: names and settings of the models."""
    yield from _check_dcgmm(config["dcgmm"])
    mistakes = [*_check_names(config), *_check_sources(config), *_check_colour(config)]
    mistakes += [*_check_tasks(config["tasks"]), *_check_external(config)]
    for name, choice in config["baselines"].items():
        mistakes += _check_baseline(name, choice)
    mistakes += _check_ablations(config["ablations"])
    yield from mistakes or _check_points(config)


def _check_names(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the instances and schedules that other parts name."""
    references: list[tuple[_Path, str]] = [
        ((part, "instances", index), name)
        for part in ("samples", "other_outliers", "ablations")
        for index, name in enumerate(config[part]["instances"])
    ]
    if config["dynamics"]["instance"] is not None:
        references.append((("dynamics", "instance"), config["dynamics"]["instance"]))
    for path, name in references:
        if name not in (instances := recipes.instance_names()):
            yield path, _unknown(f"{_written(path)} is {name!r}", name, instances)
    schedules = [*config["dcgmm"]["schedules"], grid.UNCHANGED, None]
    if (schedule := config["samples"]["schedule"]) not in schedules:
        path = ("samples", "schedule")
        yield path, _unknown(f"{_written(path)} is {schedule!r}", schedule, schedules[:-1])


def _check_points(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the names of grid points, and which of them draw samples."""
    for method in config["baselines"]:
        try:
            grid.points(method, config)
        except ValueError as error:
            path: _Path = ("baselines", method)
            yield path, f"{_written(path)}: {error}"
            return
    for method, point_names in config["samples"]["points"].items():
        if method not in config["baselines"]:
            path = ("samples", "points", method)
            baselines = config["baselines"]
            yield path, _unknown(f"unknown key {_written(path)!r}", method, baselines)
            continue
        points = grid.points(method, config)
        for index, name in enumerate(point_names):
            if name not in points:
                path = ("samples", "points", method, index)
                yield path, _unknown(f"{_written(path)} is {name!r}", name, points)


def _check_baseline(name: str, choice: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check a baseline: its name, the names of its settings, and every value."""
    path: _Path = ("baselines", name)
    try:
        catalogue.method(name)
        if name == catalogue.DCGMM.name:
            raise ValueError("DCGMM always runs: its settings belong under 'dcgmm'")
        rules = grid.parameters(name)
    except (OSError, KeyError, TypeError, ValueError) as error:
        yield path, f"{_written(path)}: {error}"
        return
    if (n_points := math.prod(map(len, choice["grid"].values()))) > MOST_POINTS:
        place = _written((*path, "grid"))
        yield (*path, "grid"), f"{place} has {n_points} points, but must have at most {MOST_POINTS}"
        return
    # Every value of a setting, fixed or on an axis of the grid, against the method's schema.
    settings = [(("settings", key), value) for key, value in choice["settings"].items()]
    for key, axis in choice["grid"].items():
        settings += [(("grid", key, index), value) for index, value in enumerate(axis)]
    for place, value in settings:
        full, key = (*path, *place), place[1]
        if key not in rules:
            yield full[:4], _unknown(f"unknown key {_written(full[:4])!r}", key, rules)
            continue
        for error in schemas.Validator(rules[key]).iter_errors(value):
            yield of_schema(error, full)


def _check_dcgmm(settings: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the names and hyper-parameters of DCGMM."""
    instances = recipes.instance_names()
    classifiers = recipes.classifier_names()
    # Names come first, since recipes and schedules are looked up by them.
    for key, choices in (("instances", instances), ("classifiers", classifiers)):
        for index, name in enumerate(settings[key]):
            if name not in choices:
                path = ("dcgmm", key, index)
                yield path, _unknown(f"{_written(path)} is {name!r}", name, choices)
                return
    for index, recipe in enumerate(settings["recipes"]):
        path = ("dcgmm", "recipes", index)
        for name in settings["instances"]:
            if recipe not in (names := recipes.recipe_names(name)):
                yield path, _unknown(f"{_written(path)} is {recipe!r}", recipe, names)
                return
    # What the names refer to: recipes of classifiers, the chosen schedule, all schedules.
    yield from _check_classifiers(settings)
    schedules = [*settings["schedules"], grid.UNCHANGED]
    if settings["schedule"] not in schedules:
        path = ("dcgmm", "schedule")
        schedule = settings["schedule"]
        yield path, _unknown(f"{_written(path)} is {schedule!r}", schedule, schedules)
    instances = [*instances, *classifiers, *recipes.colour_names()]
    yield from _check_schedules(settings["schedules"], instances)


def _check_classifiers(settings: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check that each classifier has a recipe that runs; deeper ones lack a released script."""
    for index, name in enumerate(settings["classifiers"]):
        if not set(names := recipes.recipe_names(name)) & set(settings["recipes"]):
            path = ("dcgmm", "classifiers", index)
            available = " and ".join(settings["recipes"])
            problem = f"has no recipe {available}, only {', '.join(names)}: add it"
            yield path, f"{_written(path)} {problem}"


def _check_sources(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check that images of every dataset ship where the source is `subset`."""
    table = registry.table()
    places = {("datasets", index): name for index, name in enumerate(config["datasets"])}
    if config["colour"]["dataset"]:
        places["colour", "dataset"] = config["colour"]["dataset"]
    for path, name in places.items():
        if config["source"] == "subset" and not table[name].ships:
            alike = registry.of_channels(table[name].shape[2])
            others = [other for other in alike if table[other].ships]
            yield (
                path,
                f"{_written(path)} is {name!r}, which ships without a subset, but source is "
                f"'subset'; take {' or '.join(map(repr, others))}, or the source 'full'",
            )


def _check_colour(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the instances for colour images."""
    colour, instances = config["colour"], recipes.colour_names()
    for index, name in enumerate(colour["instances"]):
        if name not in instances:
            path = ("colour", "instances", index)
            yield path, _unknown(f"{_written(path)} is {name!r}", name, instances)


def _check_tasks(added: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check that a task is one of the suite to be asked for, or says what its images are."""
    shipped = tasks.table()
    on_request = [name for name, task in shipped.items() if task.on_request]
    for name, content in added.items():
        path = ("tasks", name)
        if not TASK_NAME.fullmatch(name):
            expected = "small letters, digits and '_', a letter first, 60 at most"
            yield path, f"the name of {_written(path)} must be of {expected}"
        elif name in on_request:
            if content:
                yield (
                    path,
                    f"{_written(path)} is a task of the suite: write '{name}:', or rename yours",
                )
        elif name in {*shipped, *test_sets.table(), *RESERVED_SETS}:
            yield path, f"{_written(path)} has the name of a task or set of the suite: take another"
        elif not content or "outliers" not in content:
            yield (
                path,
                (
                    _unknown(f"unknown task {_written(path)!r}", name, on_request)
                    + "; one of your own needs 'outliers', a folder of PNG files or an .npz"
                ),
            )


def _check_external(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the names of scores from elsewhere, that nothing is missing, and their datasets."""
    for name, content in config["external"].items():
        path: _Path = ("external", name)
        if not EXTERNAL_NAME.fullmatch(name):
            expected = "letters, digits, '.', '_' and '-', 60 at most"
            yield path, f"the name of {_written(path)} must be of {expected}"
            continue
        if missing := [key for key in ("scores", "origin", "dataset") if key not in content]:
            yield path, f"{_written(path)} lacks {' and '.join(missing)}: add it"
            continue
        if content["dataset"] not in config["datasets"]:
            path = ("external", name, "dataset")
            problem = f"{_written(path)} is {content['dataset']!r}, no dataset of the run"
            yield path, _unknown(problem, content["dataset"], config["datasets"])


def _check_ablations(choice: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Check the hyper-parameters of every named factor."""
    instances = {*choice["instances"]} & {*recipes.instance_names()}
    for factor, change in choice["changes"].items():
        path = ("ablations", "changes", factor)
        try:
            for name in sorted(instances):
                grid.changed(recipes.instance(name), change)
        except (TypeError, ValueError) as error:
            yield path, f"{_written(path)}: {error}"


def _check_schedules(
    schedules: dict[str, Any], instances: list[str]
) -> Iterator[tuple[_Path, str]]:
    """Check the instances and hyper-parameters of every schedule."""
    for schedule, changes in schedules.items():
        for name, change in changes.items():
            path = ("dcgmm", "schedules", schedule, name)
            if name not in (choices := ["all", *instances]):
                yield path, _unknown(f"unknown key {_written(path)!r}", name, choices)
                continue
            try:
                for instance in instances if name == "all" else [name]:
                    grid.changed(recipes.instance(instance), change)
            except (TypeError, ValueError) as error:
                yield path, f"{_written(path)}: {error}"


def _unknown(problem: str, word: Any, choices: Iterable[Any]) -> str:
    return f"{problem}; {nearest(word, choices)}"
