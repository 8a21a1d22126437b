"""Names of grid points: as they were, safe everywhere, unique and reversible."""

import io
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.common import plots
from workflow.plan import grid, naming
from workflow.plan.config import ConfigError, checked
from workflow.publish import reference

PUBLISHED = Path("results/reference/1/records.jsonl")
CONSTRAINT = re.search(r'^    point="(.+?)"', Path("Snakefile").read_text("utf-8"), re.MULTILINE)[1]

KEYS = ["how", "rate", "free"]
SYMBOLS = {"rate": "K"}
# What would be read as another value, as an option, a pattern, a folder or a part of the name.
HOSTILE = [
    "$(touch PWNED)", "a b", "a;b", "it's", "ü", "*", "-rf", "a/b", "..", ".", ".a", "", "1", "-1",
    "1.0", "1e5", "1e-05", "0x1f", "true", "True", "yes", "null", "~", "NULL", "NA", "None", "nan",
    "inf", "{x}", "{}", "[]", "[1]", "a|b", "`id`", "a\nb", "a-b", "=", "==", "=31", "==1", "=zz",
    "how1", "howtrue", "how", "K1", "rate1", "default", "\x00", "\x1f", "\U0001f600", '"a"', "12",
    "2024-01-01", "<b>", "a\\b", "a&b", "a#b", "%s", "~root", "\ud800",
]  # fmt: skip
OTHERS = [1, 0, -1, 1.0, 0.1, 1e-05, 1e20, True, False, None, [1], [], ["1"], {}, {"a": [None]}]
VALUES = st.one_of(
    st.sampled_from([*HOSTILE, *OTHERS]),
    st.text(max_size=8),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.recursive(
        st.text(max_size=3) | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
        max_leaves=4,
    ),
)
TUPLES = st.lists(VALUES, min_size=len(KEYS), max_size=len(KEYS))


def named(values):
    return naming.name(dict(zip(KEYS, values, strict=True)), SYMBOLS)


def same(one, other):
    """Whether two values are one, and 1 is neither 1.0 nor True."""
    return json.dumps(one) == json.dumps(other)


@given(TUPLES, TUPLES)
@example(["1", 1, "x"], [1, 1, "x"])
@example(["how1", "K", "-"], [1, "K", "-"])
@example(["a-b", "c", "d"], ["a", "b-c", "d"])
@example(["[1]", "[1]", "-1"], [[1], [1], -1])
def test_a_name_is_safe_and_of_one_point_alone(one, other):
    for values in (one, other):
        name = named(values)
        assert re.fullmatch(CONSTRAINT, name)
        assert not name.startswith(".")
        assert same([*naming.values(name, KEYS, SYMBOLS).values()], values)
    assert (named(one) == named(other)) == same(one, other)


@pytest.mark.parametrize("symbols", [{}, {"how": "h"}, {"how": "."}, {"how": "a-"}])
def test_all_hostile_values_differ(symbols):
    names = [naming.name({"how": value}, symbols) for value in [*HOSTILE, *OTHERS]]
    assert len({*names}) == len(names)
    assert all(re.fullmatch(CONSTRAINT, name) and name[0] != "." for name in names)


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)))
def test_readers_take_the_name_of_a_text_for_a_text(text):
    name = naming.name({"how": text}, {})
    assert yaml.safe_load(f"[{name}]") == [name]
    read = pd.read_csv(io.StringIO(f"grid_point\n{name}\n"))
    assert read["grid_point"].tolist() == [name]


def test_names_say_what_they_are_of():
    assert named(["works", 5, "full_pca"]) == "works-K5-full_pca"
    assert named([0.125, 1e-05, True]) == "how0.125-K1e=2D05-freetrue"
    assert named(["$(touch PWNED)", "a b", "ü"]) == "=24=28touch=20PWNED=29-Ka=20b-=C3=BC"
    assert named(["1", "true", ""]) == "==1-K==true-=="
    assert named(["-rf", "..", [0, 1]]) == "=2Drf-K==..-free=5B0=2C1=5D"


def test_published_names_are_as_they_were():
    lines = PUBLISHED.read_text("utf-8").splitlines()
    published = {(each["method"], each["grid_point"]) for each in map(json.loads, lines)}
    config = reference.load().config
    ours = {
        (method, name) for method in grid.methods(config) for name in grid.points(method, config)
    }
    assert {each for each in published if each[0] != "dcgmm"} <= ours
    assert all(re.fullmatch(CONSTRAINT, name) for _, name in published)


def test_a_weight_ends_a_name():
    assert naming.name({}, {}) == "default"
    assert naming.name({}, {}, "label_weighted") == "label_weighted"
    assert naming.name({"how": "x"}, {}, "label_weighted") == "x-label_weighted"


def test_points_of_one_name_are_never_merged():
    one, other = ({"settings": {"how": how}, "training": {}} for how in (1, 2))
    assert naming.unique([("a", one), ("a", one), ("b", other)]) == {"a": one, "b": other}
    with pytest.raises(ValueError, match="both be named a, but differ in how: "):
        naming.unique([("a", one), ("a", other)])


def test_what_makes_too_long_a_name_is_refused_with_its_key(monkeypatch):
    monkeypatch.setattr(naming, "LONGEST", 30)
    axes = {"batch_size": [10], "epochs": [987654]}
    with pytest.raises(ConfigError) as error:
        checked({"baselines": {"ratspn": {"grid": axes}}})
    assert re.search(
        r"baselines\.ratspn: .* name of \d+ characters.*: shorten leaf", str(error.value)
    )


def test_a_text_is_drawn_as_it_is(tmp_path):
    plots.use_style()
    text = "$(touch PWNED)$ a_b^c"
    plt.figure().suptitle(text)
    plots.save(plt.gcf(), tmp_path, "it")
    assert f">{text}</text>" in (tmp_path / "it.svg").read_text("utf-8")
