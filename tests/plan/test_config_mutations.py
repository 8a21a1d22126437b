"""Every key of the schema with every kind of wrong value: one sentence with path, value and mend.

The mutations are generated from the schema's own words, so that a new key is mutated, too.
"""

import copy
import datetime
from pathlib import Path

import pytest
import yaml

from workflow.common import values
from workflow.plan import config as configuration
from workflow.plan.config import ConfigError, checked

DEFAULT = yaml.safe_load(Path("config.yaml").read_text("utf-8"))
SCHEMA = configuration.schema()
# A value of each type of JSON; whichever a key does not take is a wrong one.
VALUES = {
    "string": "rubbish", "integer": 7, "number": 1.5, "boolean": True, "array": ["rubbish"],
    "object": {"rubbish": 1}, "null": None,
}  # fmt: skip
# Where the names of a mapping are the user's: a name that is valid there.
NAMES = {("baselines",): "vae", ("samples", "points"): "vae", ("dcgmm", "schedules"): "short",
         ("dcgmm", "schedules", "short"): "A", ("baselines", "vae", "grid"): "width",
         ("ablations", "changes"): "long", ("tasks",): "shirts",
         ("external",): "theirs"}  # fmt: skip
NOT_FINITE = ("nan", "inf")
MENDS = ("but must be ", "; did you mean ", "; choose from ", ", but each may occur only once")


def keys(rule, path=()):
    """Every path of the schema and its rule, with a name of the user's where there are such."""
    for name, below in rule.get("properties", {}).items():
        yield (*path, name), below
        yield from keys(below, (*path, name))
    if "items" in rule:
        yield (*path, 0), rule["items"]
    if isinstance(below := rule.get("additionalProperties"), dict):
        yield (*path, NAMES[path]), below
        yield from keys(below, (*path, NAMES[path]))


def wrong_values(rule):
    """Values that a rule does not allow, each with what is wrong about it."""
    allowed = rule.get("type", [])
    allowed = {allowed} if isinstance(allowed, str) else {*allowed}
    if "number" in allowed:
        allowed.add("integer")
    if "enum" in rule:
        known = [value for value in rule["enum"] if isinstance(value, str)]
        yield "unknown", known[0] + "x"
        allowed |= {"string"} | ({"null"} if None in rule["enum"] else set())
    if allowed:
        yield from ((f"type {name}", VALUES[name]) for name in VALUES if name not in allowed)
    if "minimum" in rule:
        yield "too small", rule["minimum"] - 1
    if "exclusiveMinimum" in rule:
        yield "too small", rule["exclusiveMinimum"]
    if "maximum" in rule:
        yield "too large", rule["maximum"] + 1
    if "pattern" in rule:
        yield "pattern", "/not like that/"
    if "maxLength" in rule:
        yield "too long", (rule["maxLength"] + 1) * "a"
    if "maxItems" in rule and "items" in rule:
        one = rule["items"].get("minimum", 1)
        yield "too many", [one + n for n in range(rule["maxItems"] + 1)]
    if "string" in allowed:
        yield from (("control character", f"a{c}") for c in "\n\x00\x7f\x85\u2028\u202e\ud800")
        yield "line break behind a valid name", f"{rule.get('default') or 'all'}\n"
    if "integer" in allowed and not rule.get("enum"):
        yield "no integer", 1.0 if "number" not in allowed else "1"
        yield "huge", 10**400
    if allowed & {"integer", "number"}:
        yield from (("not finite", float(f"{sign}{word}")) for sign in "+-" for word in NOT_FINITE)
    yield from (("not JSON", value) for value in (datetime.date(2026, 1, 1), {1}, (1,), b"a"))
    if "minLength" in rule:
        yield "empty text", ""
    if "not" in rule:
        yield from (("reserved", value) for value in rule["not"]["enum"])
    if "minItems" in rule:
        yield "empty list", []
    if rule.get("uniqueItems"):
        items = rule.get("items", {})
        one = items.get("enum", [items.get("minimum", "all")])[0]
        yield "twice", [one, one]


def mutations():
    for path, rule in keys(SCHEMA):
        for kind, value in wrong_values(rule):
            yield pytest.param(path, value, id=f"{written(path)}: {kind}")


def unknown_keys():
    """A misspelt neighbour of every key in a mapping that takes no others."""
    for path, _ in keys(SCHEMA):
        mapping = at(path[:-1])
        if mapping.get("additionalProperties") is False and isinstance(path[-1], str):
            yield pytest.param(path, id=written(path))


def at(path):
    """The rule at a path."""
    rule = SCHEMA
    for part in path:
        if isinstance(part, int):
            rule = rule["items"]
        else:
            rule = rule.get("properties", {}).get(part) or rule["additionalProperties"]
    return rule


def written(path):
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def with_value(path, value):
    """The default run with one value changed; lists of one take the place of what is there."""
    config = copy.deepcopy(DEFAULT)
    place = config
    *above, last = path
    for part, following in zip(above, path[1:], strict=True):
        if isinstance(following, int):
            place[part] = [value]
            return config
        if not isinstance(place.get(part), dict):
            place[part] = {}
        place = place[part]
    place[last] = value
    return config


def told(config):
    with pytest.raises(ConfigError) as caught:
        checked(config)
    message = str(caught.value)
    assert "\n" not in message, message
    return message


@pytest.mark.parametrize(("path", "value"), list(mutations()))
def test_a_wrong_value_is_told_with_its_path_and_its_mend(path, value):
    message = told(with_value(path, value))
    assert message.startswith(("config.yaml: ", "--config: "))
    assert written(path) in message
    doubled = isinstance(value, list) and len(value) == 2
    key = f"{written(path)}.rubbish" if isinstance(value, dict) and key_of(message) else None
    assert values.shown(value[0] if doubled else value) in message or key, message
    assert any(mend in message for mend in MENDS), message


def key_of(message):
    """Whether a mapping was refused for its key."""
    return "unknown key " in message


@pytest.mark.parametrize("path", list(unknown_keys()))
def test_a_misspelt_key_is_told_with_the_nearest(path):
    misspelt = (*path[:-1], f"{path[-1]}x")
    message = told(with_value(misspelt, 1))
    assert f"unknown key {written(misspelt)!r}; did you mean {path[-1]!r}?" in message


@pytest.mark.parametrize("path", [pytest.param(path, id=written(path)) for path, _ in keys(SCHEMA)])
def test_a_missing_key_has_its_default(path):
    if "default" not in at(path) or (path[0] in ("tasks", "external") and len(path) > 1):
        pytest.skip("its name or its place is the user's")
    config = copy.deepcopy(DEFAULT)
    place = config
    for part in path[:-1]:
        place = place.get(part) or {}
    place.pop(path[-1], None)
    if path[0] == "dcgmm":  # whose names belong together
        config["dcgmm"] = {}
        config["samples"].pop("schedule", None)
    filled = checked(config)
    for part in path:
        filled = filled[part]
    default = at(path)["default"]
    if default is None and path[-1] in ("seeds", "schedule"):  # as the fits of the run have it
        default = checked(config)["seeds"] if path[-1] == "seeds" else DEFAULT["dcgmm"]["schedule"]
    if not isinstance(default, dict):
        assert filled == default


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [0]\nrun: a\nseeds: [1]\n", "the key 'seeds' occurs in line 1 and in line 3"),
        ("dcgmm:\n  recipes: [paper]\n  recipes: [released]\n", "the key 'dcgmm.recipes' occurs"),
        ("baselines:\n  vae: false\n  gmm:\n  vae:\n", "the key 'baselines.vae' occurs in line 2"),
        ('"seeds": [0]\nseeds: [1]\n', "the key 'seeds' occurs in line 1 and in line 2"),
    ],
)
def test_a_key_that_stands_twice_is_told(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        checked(DEFAULT, ["config.yaml", str(file)])
    assert str(caught.value).startswith(f"{file}: {message}")
    assert str(caught.value).endswith("; keep one")


@pytest.mark.parametrize("path", [pytest.param(path, id=written(path)) for path, _ in keys(SCHEMA)])
@pytest.mark.parametrize("bad", [float("nan"), "a\n", {1}, {1: 2}], ids=repr)
def test_a_bad_value_is_found_below_every_key(path, bad):
    message = told(with_value(path, {"a": [[bad]]}))
    assert f"{written(path)}.a[0][0] is " in message
    assert "but must be " in message


@pytest.mark.parametrize("seed", [2**32, 2**40])
def test_seeds_are_what_every_library_takes(seed):
    for path in (("seeds", 0), ("judges", "seeds", 0), ("samples", "seeds", 0)):
        message = told(with_value(path, seed))
        assert f"{written(path)} is {seed}, but must be at most 4294967295" in message


@pytest.mark.parametrize("key", ["epochs", "batch_size"])
def test_a_schedule_is_bounded(key):
    config = with_value(("dcgmm", "schedules", "short", "A"), {key: 10**9})
    assert f"dcgmm.schedules.short.A.{key} is 1000000000, but must be at most" in told(config)


def test_a_grid_is_bounded():
    axes = {"components": [*range(1, 201)], "epochs": [*range(1, 201)]}
    message = told(with_value(("baselines", "gmm", "grid"), axes))
    assert message.endswith("baselines.gmm.grid has 40000 points, but must have at most 10000")


def test_what_config_sets_is_not_blamed_on_a_file():
    for said, config in (
        ("seeds[0] is '0'", {"seeds": ["0"]}),
        ("threads is None", {"threads": None}),
    ):
        with pytest.raises(ConfigError) as caught:
            checked(DEFAULT | config, ["config.yaml"], config)
        assert str(caught.value).startswith(f"--config: {said}, but must be a whole number")
        assert ("as text" in str(caught.value)) == ("seeds" in config)


def test_many_mistakes_are_not_all_told():
    with pytest.raises(ConfigError) as caught:
        checked(DEFAULT | {f"x{n}": float("nan") for n in range(100)})
    assert str(caught.value).splitlines()[-1] == "and 80 more mistakes"
