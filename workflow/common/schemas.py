"""JSON Schema with Python's types, and patterns that match the whole text."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators


def load(path: Path) -> dict[str, Any]:
    """Load a schema of the suite."""
    return yaml.safe_load(path.read_text("utf-8"))


def _is_integer(checker: Any, value: Any) -> bool:
    """Refuse `1.0` (an integer in JSON Schema) and `true` (one in Python)."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: Any, value: Any) -> bool:
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


def _pattern(validator: Any, pattern: str, value: Any, rule: Any) -> Iterator[ValidationError]:
    """Match the whole text; `$` alone would accept a line break at its end."""
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _enum(validator: Any, choices: list, value: Any, rule: Any) -> Iterator[ValidationError]:
    """Compare types too: 1.0 is not 1."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        yield ValidationError(f"{value!r} is not one of {choices!r}")


def _const(validator: Any, constant: Any, value: Any, rule: Any) -> Iterator[ValidationError]:
    if any(_enum(validator, [constant], value, rule)):
        yield ValidationError(f"{constant!r} was expected")


Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _pattern, "enum": _enum, "const": _const},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def settings(rules: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """Settings that a method's schema describes, each with a default.

    Raises:
        ValueError: if it is not a schema, or a setting has no valid default.
    """
    try:
        Validator.check_schema(rules)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path)) or "its top level"
        raise ValueError(f"{name} is not a JSON Schema: at {place}, {error.message}") from None
    if "properties" not in rules:
        raise ValueError(f"{name}: the key 'properties' is missing")
    for key, rule in rules["properties"].items():
        if not isinstance(rule, dict) or "default" not in rule:
            raise ValueError(f"{name}: properties.{key} needs a mapping with a default")
        for error in Validator(rule).iter_errors(rule["default"]):
            raise ValueError(f"{name}: properties.{key}.default: {error.message}")
    return rules["properties"]
