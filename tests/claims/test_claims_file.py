"""The file of claims: sound as shipped, and every mistake in it one sentence."""

import copy
from pathlib import Path

import pytest
import yaml

from workflow.claims import claim_cases, claim_evidence, claims_file, verdicts

CLAIM = {
    "id": "first", "statement": "A beats all.", "section": "V", "line": 1, "because": "so",
    "relation": "greater", "unit": "points", "evidence": "outliers", "where": {"metric": "auroc"},
    "one": {"title": "A"}, "than": {"title": ["B", "C"]}, "named": ["title"], "needs": "more",
}  # fmt: skip


def test_the_papers_claims_are_sound():
    content = claims_file.load()
    lines = claim_cases.evaluate(content, {})
    expected = [
        verdicts.NOT_CHECKABLE if "unchecked" in claim else verdicts.NOT_RUN
        for claim in content["claims"]
    ]
    assert lines["verdict"].tolist() == expected
    assert lines["reason"].str.len().gt(10).all()
    assert {c["evidence"] for c in content["claims"] if "evidence" in c} == {
        *claim_evidence.SOURCES
    }, "every evidence is used"
    for claim in content["claims"]:
        if "test" in claim:
            file, _, name = claim["test"].partition("::")
            assert f"\ndef {name}(" in Path(file).read_text("utf-8")
    sections = {claim["section"] for claim in content["claims"]}
    assert {"V-A", "V-B", "V-C", "V-D", "V-F", "V-H", "V-I", "VI", "App. A"} <= sections


def of_the_headline():
    """The claims that answer it."""
    content = claims_file.load()
    return [c for c in content["claims"] if c["id"] in content["headline"]["claims"].values()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[0].update(relation="greter"), "relation is 'greter'; did you mean 'greater'"),
        (lambda c: c[0].update(marign=1), "unknown key 'marign'; did you mean 'margin'"),
        (lambda c: c[0].update(evidence="outlires"), "'outlires'; did you mean 'outliers'"),
        (lambda c: c[0].update(line="208"), "line: '208' is not of type 'integer'"),
        (lambda c: c[0].pop("needs"), "needs relation, unit, evidence, where and needs, or a test"),
        (lambda c: c[1].update(unchecked="why"), "or a test alone, or unchecked alone"),
        (lambda c: c[0].pop("one"), "greater needs against, a number, or one, than and named"),
        (lambda c: c[0].update(relation="linear"), "linear needs x"),
        (lambda c: c[0].update(relation="equal"), "equal needs a margin above 0"),
        (lambda c: c[1].update(test="make test"), "test: 'make test' does not match"),
    ],
)
def test_a_mistake_in_the_claims_is_one_sentence(change, message, tmp_path):
    tested = {key: CLAIM[key] for key in ("statement", "section", "line", "because")}
    tested |= {
        "id": "second",
        "test": "tests/dcgmm/test_x.py::test_y",
    }
    content = claims_file.load() | {"claims": [*of_the_headline(), copy.deepcopy(CLAIM), tested]}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    assert len(claims_file.load(path)["claims"]) == 4
    change(content["claims"][2:])
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match=message) as caught:
        claims_file.load(path)
    assert "\n" not in str(caught.value) and "claims.yaml: claim '" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["headline"]["claims"].update(paper="e-beats-spns-as-publised"),
            r"headline\.claims\.paper is 'e-beats-spns-as-publised'; did you mean 'e-beats",
        ),
        (
            lambda c: c["headline"]["claims"].update(corrected="depth-helps-on-fashion"),
            "'depth-helps-on-fashion', which answers the headline: its relation must be greater",
        ),
        (
            lambda c: c["headline"]["claims"].update(corrected="top-layer-is-best"),
            "'top-layer-is-best', .*: its one and than must name models by their title",
        ),
        (lambda c: c["headline"].pop("question"), "headline: 'question' is a required property"),
        (lambda c: c.pop("headline"), "'headline' is a required property"),
    ],
)
def test_a_mistake_in_the_headline_is_one_sentence(change, message, tmp_path):
    content = copy.deepcopy(claims_file.load())
    change(content)
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match=message) as caught:
        claims_file.load(path)
    assert "\n" not in str(caught.value) and "claims.yaml: " in str(caught.value)
