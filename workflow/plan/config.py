"""Reading the configuration: defaults filled in, and every mistake named in one sentence."""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import ValidationError

from dcgmm import recipes
from workflow.common import schemas, values, yaml_files
from workflow.common.hints import nearest
from workflow.data import names
from workflow.plan import catalogue, grid

CHANNELS = {"grey": 1, "colour": 3}
SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping of keys to values",
    "string": "text",
}
COMMAND_LINE = "--config"
YTE = "__use_yte__"  # asks Snakemake to run the Python code of a file
_MISSING = object()
MOST_POINTS = 10_000  # of one grid
TOLD = 20  # mistakes at once
_Path = values.Path
_written = values.written


class ConfigError(ValueError):
    """What is wrong with a configuration, one line a mistake."""


@cache
def schema() -> dict[str, Any]:
    """The schema of the configuration, as data that nobody changes.

    Where it says `datasets: grey` or `colour`, any such dataset of `names.tsv` is allowed.
    """
    rules = schemas.load(SCHEMA)
    _allow_datasets(rules)
    return rules


def _allow_datasets(rule: Any) -> None:
    children = rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ()
    for child in children:
        _allow_datasets(child)
    if isinstance(rule, dict) and rule.get("datasets") in [*CHANNELS]:  # else a key of that name
        null = [None] if "null" in rule.pop("type", ()) else []
        rule["enum"] = [*names.of_channels(CHANNELS[rule.pop("datasets")]), *null]


def checked(
    config: dict[str, Any],
    files: Sequence[str] = ("config.yaml",),
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A copy of the configuration with defaults filled in, and nothing left to fall back on.

    Parts without seeds have those of the run, samples without a schedule that of the fits, and
    baselines that name no grid points to draw by the first one of the last protocol.

    Args:
        config: as merged by Snakemake.
        files: what it was merged from, later ones winning; a mistake is blamed on its file.
        command_line: what `--config` changes in them.

    Raises:
        ConfigError: for a missing, unknown or unfitting key or value, with the nearest valid one.
    """
    contents = read_files(files) | {COMMAND_LINE: command_line or {}}
    rules = schema()
    errors: dict[_Path, str] = {
        path: f"{_written(path)} is {values.shown(value)}, but must be {wanted}"
        for path, value, wanted in values.mistakes(config, yaml_files.MOST)
    }
    if not errors:
        for error in schemas.Validator(rules).iter_errors(config):
            path, problem = _schema_mistake(error)
            errors.setdefault(path, problem)  # one is enough of a value that is wrong in two ways
    if not errors:
        config = copy.deepcopy(config)
        _fill_defaults(config, rules)
        config["baselines"] = {
            name: choice or {}
            for name, choice in config["baselines"].items()
            if choice is not False
        }
        for choice in config["baselines"].values():
            _fill_defaults(choice, rules["properties"]["baselines"]["additionalProperties"])
    if mistakes := list(errors.items()) or list(_cross_check(config)):
        raise ConfigError("\n".join(_lines(mistakes, config, contents)))
    _resolve(config)
    return config


def _resolve(config: dict[str, Any]) -> None:
    """Decide whatever the configuration leaves to something else that it says."""
    for part in ("ablations", "selection", "samples", "pictures", "dynamics", "colour"):
        config[part]["seeds"] = config[part]["seeds"] or config["seeds"]
    samples, last = config["samples"], config["protocols"][-1]
    samples["schedule"] = samples["schedule"] or config["dcgmm"]["schedule"]
    first = lambda method: next(iter(grid.protocol_points(method, last, config)))  # noqa: E731
    samples["points"] = {
        method: samples["points"].get(method) or [first(method)] for method in config["baselines"]
    }


def as_overlay(config: dict[str, Any]) -> str:
    """YAML that makes a checked configuration again, on top of whatever `config.yaml` says."""
    absent = dict.fromkeys(catalogue.names(), False)
    return yaml.safe_dump(config | {"baselines": absent | config["baselines"]})


def read_files(files: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What each file says.

    Raises:
        ConfigError: for files that could be read in two ways, or not at all.
    """
    contents, wrong = {}, []
    for file in files:
        try:
            contents[file] = yaml_files.read(file)
            if YTE in contents[file]:
                raise ValueError(f"{file}: the key {YTE!r} would run what the file says: remove it")
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigError("\n".join(wrong))
    return contents


def load(files: Sequence[str]) -> dict[str, Any]:
    """The checked configuration that files make, later ones winning, as Snakemake merges them.

    Raises:
        ConfigError: as `checked` and `read_files`.
    """
    from snakemake.utils import update_config  # takes long, and Snakemake's launcher needs it not

    merged: dict[str, Any] = {}
    for content in read_files(files).values():
        update_config(merged, content)
    return checked(merged, files)


def _lines(
    mistakes: list[tuple[_Path, str]], config: dict[str, Any], contents: dict[str, dict[str, Any]]
) -> Iterator[str]:
    """One line for each mistake, with its file; after many, how many more there are."""
    lines: dict[str, None] = {}
    for path, problem in mistakes:
        origin = _origin(path, contents)
        if origin == COMMAND_LINE and len(path) > 1 and isinstance(_at(config, path), str):
            problem += "; Snakemake takes what stands in brackets there for text: use --configfile"
        lines[f"{origin}: {problem}"] = None
    yield from [*lines][:TOLD]
    if len(lines) > TOLD:
        yield f"and {len(lines) - TOLD} mistakes more"


def _schema_mistake(error: ValidationError, place: _Path = ()) -> tuple[_Path, str]:
    """Where a value breaks the schema of what stands at `place`, and what would be right."""
    path, value, rule = (*place, *error.absolute_path), error.instance, error.schema
    match error.validator:
        case "additionalProperties":
            extra = next(key for key in value if key not in rule["properties"])
            path = (*path, extra)
            return path, _unknown(f"unknown key {_written(path)!r}", extra, rule["properties"])
        case "enum":
            problem = f"{_written(path)} is {values.shown(value)}"
            return path, _unknown(problem, value, error.validator_value)
        case "type":
            allowed = error.validator_value
            wanted = rule["expects"] if isinstance(allowed, list) else _TYPES[allowed]
        case "minimum":
            wanted = f"at least {error.validator_value}"
        case "maximum":
            wanted = f"at most {error.validator_value}"
        case "maxLength":
            wanted = f"text of at most {error.validator_value} characters"
        case "maxItems":
            wanted = f"a list of at most {error.validator_value}"
        case "minItems":
            wanted = f"a list of at least {error.validator_value}"
        case "uniqueItems":
            twice = next(item for item in value if value.count(item) > 1)
            problem = f"{_written(path)} names {values.shown(twice)} twice"
            return path, f"{problem}, but each may stand there once"
        case _ if "expects" in rule:
            wanted = rule["expects"]
        case "exclusiveMinimum":
            wanted = f"above {error.validator_value}"
        case "exclusiveMaximum":
            wanted = f"below {error.validator_value}"
        case _:
            return path, f"{_written(path)}: {values.shortened(error.message, 300)}"
    return path, f"{_written(path)} is {values.shown(value)}, but must be {wanted}"


def _cross_check(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """What the schema cannot know: the names and settings of the models themselves."""
    yield from _check_dcgmm(config["dcgmm"])
    wrong = [*_check_names(config), *_check_colour(config)]
    for name, choice in config["baselines"].items():
        wrong += _check_baseline(name, choice)
    wrong += _check_ablations(config["ablations"])
    yield from wrong or _check_points(config)


def _check_names(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Instances and datasets that are named outside of their own keys."""
    named: list[tuple[_Path, str]] = [
        ((part, "instances", index), name)
        for part in ("samples", "other_outliers", "ablations")
        for index, name in enumerate(config[part]["instances"])
    ]
    if config["dynamics"]["instance"] is not None:
        named.append((("dynamics", "instance"), config["dynamics"]["instance"]))
    for path, name in named:
        if name not in (known := recipes.instance_names()):
            yield path, _unknown(f"{_written(path)} is {name!r}", name, known)
    schedules = [*config["dcgmm"]["schedules"], grid.UNCHANGED, None]
    if (schedule := config["samples"]["schedule"]) not in schedules:
        path = ("samples", "schedule")
        yield path, _unknown(f"{_written(path)} is {schedule!r}", schedule, schedules[:-1])


def _check_points(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """The names of grid points, and those that draw samples."""
    for method in config["baselines"]:
        try:
            grid.points(method, config)
        except ValueError as error:
            path: _Path = ("baselines", method)
            yield path, f"{_written(path)}: {error}"
            return
    for method, drawn in config["samples"]["points"].items():
        if method not in config["baselines"]:
            path = ("samples", "points", method)
            known = config["baselines"]
            yield path, _unknown(f"unknown key {_written(path)!r}", method, known)
            continue
        known = grid.points(method, config)
        for index, name in enumerate(drawn):
            if name not in known:
                path = ("samples", "points", method, index)
                yield path, _unknown(f"{_written(path)} is {name!r}", name, known)


def _check_baseline(name: str, choice: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Its name, the names of its settings, and every value."""
    path: _Path = ("baselines", name)
    try:
        catalogue.method(name)
        if name == catalogue.DCGMM.name:
            raise ValueError("DCGMM always runs: its settings stand under 'dcgmm'")
        rules = grid.parameters(name)
    except (OSError, KeyError, TypeError, ValueError) as error:
        yield path, f"{_written(path)}: {error}"
        return
    if (points := math.prod(map(len, choice["grid"].values()))) > MOST_POINTS:
        place = _written((*path, "grid"))
        yield (*path, "grid"), f"{place} has {points} points, but must have at most {MOST_POINTS}"
        return
    chosen = [(("settings", key), value) for key, value in choice["settings"].items()]
    for key, axis in choice["grid"].items():
        chosen += [(("grid", key, index), value) for index, value in enumerate(axis)]
    for place, value in chosen:
        full, key = (*path, *place), place[1]
        if key not in rules:
            yield full[:4], _unknown(f"unknown key {_written(full[:4])!r}", key, rules)
            continue
        for error in schemas.Validator(rules[key]).iter_errors(value):
            yield _schema_mistake(error, full)


def _check_dcgmm(settings: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """The names and hyper-parameters of the model itself."""
    known = recipes.instance_names()
    classifiers = recipes.classifier_names()
    for key, choices in (("instances", known), ("classifiers", classifiers)):
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
    yield from _check_classifiers(settings)
    schedules = [*settings["schedules"], grid.UNCHANGED]
    if settings["schedule"] not in schedules:
        path = ("dcgmm", "schedule")
        wrong = settings["schedule"]
        yield path, _unknown(f"{_written(path)} is {wrong!r}", wrong, schedules)
    known = [*known, *classifiers, *recipes.colour_names()]
    yield from _check_schedules(settings["schedules"], known)


def _check_classifiers(settings: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """Of deeper instances there is no script: each needs a recipe that it has and that runs."""
    for index, name in enumerate(settings["classifiers"]):
        if not set(names := recipes.recipe_names(name)) & set(settings["recipes"]):
            path = ("dcgmm", "classifiers", index)
            have = " and ".join(settings["recipes"])
            problem = f"has no recipe {have}, only {', '.join(names)}: add it"
            yield path, f"{_written(path)} {problem}"


def _check_colour(config: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """The names of the instances for colour images, and whether there are such images."""
    colour, known = config["colour"], recipes.colour_names()
    for index, name in enumerate(colour["instances"]):
        if name not in known:
            path = ("colour", "instances", index)
            yield path, _unknown(f"{_written(path)} is {name!r}", name, known)
    dataset = colour["dataset"]
    if dataset and config["source"] == "subset" and not names.table()[dataset].ships:
        yield (
            ("colour", "dataset"),
            f"colour.dataset is {dataset!r}, of which no subset ships, and source is 'subset'; "
            "take 'colour_digits', which is made of MNIST, or the source 'full'",
        )


def _check_ablations(choice: dict[str, Any]) -> Iterator[tuple[_Path, str]]:
    """The hyper-parameters of every named factor."""
    known = {*choice["instances"]} & {*recipes.instance_names()}
    for factor, change in choice["changes"].items():
        path = ("ablations", "changes", factor)
        try:
            for name in sorted(known):
                grid.changed(recipes.instance(name), change)
        except (TypeError, ValueError) as error:
            yield path, f"{_written(path)}: {error}"


def _check_schedules(schedules: dict[str, Any], known: list[str]) -> Iterator[tuple[_Path, str]]:
    for schedule, changes in schedules.items():
        for name, change in changes.items():
            path = ("dcgmm", "schedules", schedule, name)
            if name not in (choices := ["all", *known]):
                yield path, _unknown(f"unknown key {_written(path)!r}", name, choices)
                continue
            try:
                for each in known if name == "all" else [name]:
                    grid.changed(recipes.instance(each), change)
            except (TypeError, ValueError) as error:
                yield path, f"{_written(path)}: {error}"


def _unknown(problem: str, word: Any, choices: Iterable[Any]) -> str:
    return f"{problem}; {nearest(word, choices)}"


def _origin(path: _Path, contents: dict[str, dict[str, Any]]) -> str:
    """The last that sets the value; lists are replaced whole, mappings are merged."""
    keys = [key for key in path if isinstance(key, str)]
    for origin, content in reversed(contents.items()):
        if _at(content, keys, _MISSING) is not _MISSING:
            return origin
    return COMMAND_LINE


def _at(content: Any, path: Iterable[str | int], missing: Any = None) -> Any:
    """What stands at a path."""
    for key in path:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return missing
    return content


def _fill_defaults(config: Any, rules: dict[str, Any]) -> None:
    if not isinstance(config, dict):
        return
    for name, rule in rules.get("properties", {}).items():
        if "default" in rule:
            config.setdefault(name, copy.deepcopy(rule["default"]))
        _fill_defaults(config.get(name), rule)
