"""Read and check the configuration: fill in defaults, name each mistake in one sentence."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from workflow.common import schemas, values, yaml_files
from workflow.data import registry
from workflow.plan import catalogue, grid, mistakes

CHANNELS = {"grey": 1, "colour": 3}
SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"

COMMAND_LINE = "--config"
YTE = "__use_yte__"  # asks Snakemake to run the Python code of a file
_MISSING = object()
MOST_SHOWN = 20  # mistakes at once
_Path = values.Path
_written = values.written


class ConfigError(ValueError):
    """The mistakes of a configuration, one a line."""


@cache
def schema() -> dict[str, Any]:
    """Load the schema of the configuration, which no caller may modify.

    `datasets: grey` or `colour` in it allows any such dataset of `registry.tsv`.
    """
    rules = schemas.load(SCHEMA)
    _allow_datasets(rules)
    return rules


def _allow_datasets(rule: Any) -> None:
    """Replace `datasets: grey` or `colour`, at any depth, by an enumeration of their names."""
    children = rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ()
    for child in children:
        _allow_datasets(child)
    if isinstance(rule, dict) and rule.get("datasets") in [*CHANNELS]:  # else a key of that name
        null = [None] if "null" in rule.pop("type", ()) else []
        rule["enum"] = [*registry.of_channels(CHANNELS[rule.pop("datasets")]), *null]


def checked(
    config: dict[str, Any],
    files: Sequence[str] = ("config.yaml",),
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Check a configuration; return a copy with all defaults and fallbacks filled in.

    Parts without seeds take those of the run, samples without a schedule that of the fits, and
    baselines without grid points to draw from the first one of the last protocol.

    Args:
        config: as merged by Snakemake.
        files: those it was merged from, later ones winning; mistakes name their file.
        command_line: changes to them by `--config`.

    Raises:
        ConfigError: for a missing or unknown key or an invalid value; suggests the nearest valid
            one.
    """
    contents = read_files(files) | {COMMAND_LINE: command_line or {}}
    # Values that no file should hold come first, since the schema's checks rely on plain data.
    rules = schema()
    errors: dict[_Path, str] = {
        path: f"{_written(path)} is {values.shown(value)}, but must be {expected}"
        for path, value, expected in values.mistakes(config, yaml_files.MOST)
    }
    if not errors:
        for error in schemas.Validator(rules).iter_errors(config):
            path, problem = mistakes.of_schema(error)
            errors.setdefault(path, problem)  # one mistake per value is enough
    # With a valid structure, fill in defaults; then check what the schema cannot express.
    if not errors:
        config = copy.deepcopy(config)
        _fill_defaults(config, rules)
        config["baselines"] = {
            name: choice or {}
            for name, choice in config["baselines"].items()
            if choice is not False
        }
        for part in ("baselines", "external"):
            for choice in config[part].values():
                _fill_defaults(choice, rules["properties"][part]["additionalProperties"])
    if wrong := list(errors.items()) or list(mistakes.of_content(config)):
        raise ConfigError("\n".join(_messages(wrong, config, contents)))
    _resolve(config)
    return config


def _resolve(config: dict[str, Any]) -> None:
    """Fill in the settings that fall back on other settings."""
    config["tasks"] = {name: content or {} for name, content in config["tasks"].items()}
    for part in ("ablations", "selection", "samples", "pictures", "dynamics", "colour"):
        config[part]["seeds"] = config[part]["seeds"] or config["seeds"]
    samples, last = config["samples"], config["protocols"][-1]
    samples["schedule"] = samples["schedule"] or config["dcgmm"]["schedule"]
    samples["points"] = {
        method: samples["points"].get(method)
        or list(grid.protocol_points(method, last, config))[:1]
        for method in config["baselines"]
    }


def as_overlay(config: dict[str, Any]) -> str:
    """Dump a checked configuration as an overlay that restores it on top of any `config.yaml`."""
    absent = dict.fromkeys(catalogue.names(), False)
    return yaml.safe_dump(config | {"baselines": absent | config["baselines"]})


def read_files(files: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read each file: path -> content.

    Raises:
        ConfigError: for files that are ambiguous or unreadable.
    """
    contents, problems = {}, []
    for file in files:
        try:
            contents[file] = yaml_files.read(file)
            if YTE in contents[file]:
                raise ValueError(f"{file}: the key {YTE!r} would run code of the file: remove it")
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return contents


def load(files: Sequence[str]) -> dict[str, Any]:
    """Merge files as Snakemake does, later ones winning, and check the configuration.

    Raises:
        ConfigError: as `checked` and `read_files`.
    """
    from snakemake.utils import update_config  # slow to import, and the launcher does without

    merged: dict[str, Any] = {}
    for content in read_files(files).values():
        update_config(merged, content)
    return checked(merged, files)


def _messages(
    wrong: list[tuple[_Path, str]], config: dict[str, Any], contents: dict[str, dict[str, Any]]
) -> Iterator[str]:
    """Format mistakes, one a line with its file; after many, say how many more there are."""
    lines: dict[str, None] = {}
    for path, problem in wrong:
        origin = _origin(path, contents)
        if origin == COMMAND_LINE and len(path) > 1 and isinstance(_value_at(config, path), str):
            problem += "; Snakemake reads a value in brackets there as text: use --configfile"
        lines[f"{origin}: {problem}"] = None
    yield from [*lines][:MOST_SHOWN]
    if len(lines) > MOST_SHOWN:
        yield f"and {len(lines) - MOST_SHOWN} more mistakes"


def _origin(path: _Path, contents: dict[str, dict[str, Any]]) -> str:
    """Find the last file that sets a value; lists are replaced whole, mappings are merged."""
    keys = [key for key in path if isinstance(key, str)]
    for origin, content in reversed(contents.items()):
        if _value_at(content, keys, _MISSING) is not _MISSING:
            return origin
    return COMMAND_LINE


def _value_at(content: Any, path: Iterable[str | int], missing: Any = None) -> Any:
    """Value at a path."""
    for key in path:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return missing
    return content


def _fill_defaults(config: Any, rules: dict[str, Any]) -> None:
    """Set missing keys to the defaults of a schema, at any depth."""
    if not isinstance(config, dict):
        return
    for name, rule in rules.get("properties", {}).items():
        if "default" in rule:
            config.setdefault(name, copy.deepcopy(rule["default"]))
        _fill_defaults(config.get(name), rule)
