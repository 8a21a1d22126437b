"""Methods are found by their `method.toml`, and its mistakes are told in one sentence."""

import numpy as np
import pytest
import yaml

from workflow.data import masks
from workflow.fit import limits
from workflow.plan import catalogue, grid
from workflow.plan.catalogue import Protocol

GOOD = """
title = "Mine"
class = "Mine"
environment = "workflow"
[protocols.paper]
settings = {scaling = "unit"}
where = {leaf = "binomial"}
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Writes the `method.toml` of a method `mine`, and describes it."""
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.method.cache_clear()
    (tmp_path / "mine").mkdir()
    (tmp_path / "_template").mkdir()
    (tmp_path / "_template/method.toml").write_text(GOOD)

    def describe(text):
        (tmp_path / "mine/method.toml").write_text(text)
        return catalogue.method("mine")

    yield describe
    catalogue.method.cache_clear()


@pytest.mark.parametrize("name", catalogue.names())
def test_every_method_of_the_suite_is_described(name):
    about = catalogue.method(name)
    folder = catalogue.FOLDER / name
    rules = grid.parameters(name)
    assert (folder / "README.md").is_file()
    assert all("default" in rule for rule in rules.values())
    assert about.published in about.treatments
    mentioned = {*about.symbols, *about.variants, *about.original}
    for protocol in about.protocols.values():
        mentioned |= {*protocol.settings, *protocol.where}
    mentioned |= {*(about.discrete or {})}
    assert mentioned <= set(rules)
    assert yaml.safe_load((folder / "params.schema.yaml").read_text("utf-8"))["title"]


def test_what_a_process_must_be_told_stands_before_its_command(mine):
    config = {"device": "cpu"}
    mine('variables = ["WORD=one"]' + GOOD)
    assert grid.launch("mine", config) == ["workflow", "WORD=one"]
    assert grid.launch("dcgmm", config) == [grid.environment("dcgmm", config)] == ["tensorflow"]


def test_folders_are_scanned(mine):
    about = mine(GOOD)
    assert catalogue.names() == ["mine"]
    assert (about.title, about.holdout, about.variants) == ("Mine", False, ())
    assert about.protocols["corrected"] == Protocol()
    paper = about.protocols["paper"]
    assert paper.concerns({"leaf": "binomial"})
    assert not paper.concerns({"leaf": "normal"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Mine"', "", "the key 'title' is missing"),
        ("title", "titel", "unknown key 'titel'; did you mean 'title'?"),
        ("protocols.paper", "protocols.papre",
         "unknown key 'protocols.papre'; did you mean 'paper'"),
        ('"workflow"', '"pytorch"', "environment is 'pytorch'; did you mean 'torch'?"),
        ("where", "were", "unknown key 'protocols.paper.were'; did you mean 'where'?"),
        ("where", 'evidence = "al"\nwhere',
         "protocols.paper.evidence is 'al'; did you mean 'all'?"),
        ("where", 'sample_weight = "labels"\nwhere',
         "sample_weight is 'labels'; did you mean 'label'"),
        ("[protocols.paper]", '[samples]\npublished = "means"\n[protocols.paper]',
         "samples.published is 'means'; did you mean 'mean'?"),
        ("[protocols.paper]", '[samples]\npublish = "mean"\n[protocols.paper]',
         "unknown key 'samples.publish'; did you mean 'published'?"),
        ("[protocols.paper]", '[discrete]\nwere = {leaf = "categorical"}\n[protocols.paper]',
         "unknown key 'discrete.were'; did you mean 'where'?"),
        ('"Mine"', '"Mine', "Illegal character"),
        ('"Mine"', "5", "title is 5, but must be text"),
        ('"Mine"', "nan", "title is nan, but must be a finite number"),
        ('"Mine"', "2026-01-01", "title is datetime.date(2026, 1, 1), but must be text, a number"),
        ('"Mine"', r'"a\nb"', r"title is 'a\nb', but must be text without control characters"),
        ('"workflow"', '["workflow"]', "environment is ['workflow'], but must be text"),
        ("title", 'variants = "leaf"\ntitle', "variants is 'leaf', but must be a list of texts"),
        ("title", "variables = [1]\ntitle", "variables is [1], but must be a list of texts"),
        ("title", "holdout = 1\ntitle", "holdout is 1, but must be true or false"),
        ("title", "title = 'a'\ntitle", "Cannot overwrite a value"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(mine, old, new, message):
    with pytest.raises(ValueError, match=r"^baselines/mine/method\.toml: ") as error:
        mine(GOOD.replace(old, new))
    assert message in str(error.value)


def test_draws_are_treated_as_published(mine):
    assert mine(GOOD).published == "full"
    catalogue.method.cache_clear()
    assert mine(GOOD + '[samples]\npublished = "mean"\n').published == "mean"
    assert catalogue.DCGMM.published == "recipe"


def test_a_method_has_a_density_unless_it_says_otherwise(mine):
    assert mine(GOOD).has_density({"leaf": "normal"})
    catalogue.method.cache_clear()
    assert not mine(f"density = false\n{GOOD}").has_density({"leaf": "normal"})
    for layers, expected in (("F(28,1)-G(49)", True), ("F(3,1)-G(25)-F(4,2)-G(25)", False)):
        assert catalogue.DCGMM.has_density({"layers": layers}) == expected


def test_discrete_points_are_all_or_some_or_none(mine):
    point = {"leaf": "categorical"}
    for more, expected in (
        ("", (False, False)),
        ("[discrete]\n", (True, True)),
        ('[discrete]\nwhere = {leaf = "categorical"}\n', (True, False)),
    ):
        catalogue.method.cache_clear()
        about = mine(GOOD + more)
        assert (about.is_discrete(point), about.is_discrete({"leaf": "normal"})) == expected


def test_an_unknown_method_is_named(mine):
    mine(GOOD)
    with pytest.raises(ValueError, match="unknown method 'mien'; did you mean 'mine'"):
        catalogue.method("mien")


@pytest.mark.parametrize(("height", "first"), [(28, 14), (5, 2)])
def test_the_bottom_half_starts_in_the_middle(height, first):
    known = masks.mask("bottom_half", (height, 3, 1))
    assert known.shape == (height, 3, 1)
    assert known.all(axis=(1, 2)).tolist() == [row >= first for row in range(height)]
    np.testing.assert_array_equal(masks.mask("top_half", (height, 3, 1)), ~known)
    assert masks.mask("all", (height, 3, 1)) is None


class Dear:
    estimated_memory = 3 * 2**30

    def estimated_seconds(self, n):
        return 36.0 * n


def test_dear_fits_are_refused_with_both_numbers():
    assert limits.check(Dear(), 200, {}) == {"memory_gb": 3.0}
    assert limits.check(Dear(), 200, {"hours": 2.5}) == {"memory_gb": 3.0, "hours": 2.0}
    with pytest.raises(limits.RefusedError, match=r"about 3 GiB of memory, but .* is 2\.5"):
        limits.check(Dear(), 200, {"memory_gb": 2.5, "hours": 1})
    with pytest.raises(limits.RefusedError, match=r"about 2 hours, but limits\.hours is 1$"):
        limits.check(Dear(), 200, {"memory_gb": None, "hours": 1})
    assert limits.check(object(), 200, {"memory_gb": 1, "hours": 1}) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [", "is not YAML: line 2"),
        ("title: Mine", "the key 'properties' is missing"),
        ("properties: {k: {type: integer}}", "properties.k needs a mapping with a default"),
        ("properties: {k: {type: integer, default: 1.0}}", "properties.k.default: 1.0 is not of"),
        (
            "properties: {k: {type: whole, default: 1}}",
            "is not a JSON Schema: at properties.k.type",
        ),
        ("properties: {k: {minimum: 1e-3, default: 1}}", "minimum is 1e-3, which YAML reads"),
    ],
)
def test_a_mistake_in_the_schema_of_a_method_is_one_sentence(mine, text, message):
    mine(GOOD)
    (catalogue.FOLDER / "mine/params.schema.yaml").write_text(text)
    grid.parameters.cache_clear()
    with pytest.raises(ValueError, match=r"mine/params\.schema\.yaml") as error:
        grid.parameters("mine")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
