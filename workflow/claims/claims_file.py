"""The paper's claims as data: `claims.yaml`, read and checked."""

from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from workflow.claims import claim_evidence
from workflow.common import schemas, yaml_files
from workflow.common.hints import nearest

FILE = Path(__file__).with_name("claims.yaml")
SCHEMA = Path(__file__).parents[1] / "schemas" / "claims.schema.yaml"

OVER_X = {"increasing", "descending", "linear"}

Claim = dict[str, Any]


def load(path: Path = FILE) -> dict[str, Any]:
    """The claims, checked.

    Raises:
        ValueError: in one sentence, naming the file, the claim and the key.
    """
    content = yaml_files.read(path)
    if error := best_match(schemas.Validator(schemas.load(SCHEMA)).iter_errors(content)):
        raise ValueError(f"{path}: {_mistake(error, content)}")
    ids = [claim["id"] for claim in content["claims"]]
    for claim in content["claims"]:
        if ids.count(claim["id"]) > 1:
            raise ValueError(f"{path}: two claims are called {claim['id']!r}")
        if problem := _inconsistency(claim):
            raise ValueError(f"{path}: claim {claim['id']!r}: {problem}")
    for protocol, name in content["headline"]["claims"].items():
        if name not in ids:
            raise ValueError(
                f"{path}: headline.claims.{protocol} is {name!r}; {nearest(name, ids)}"
            )
        if problem := _no_answer(content["claims"][ids.index(name)]):
            raise ValueError(f"{path}: claim {name!r}, which answers the headline: {problem}")
    return content


def _mistake(error: ValidationError, content: Any) -> str:
    """Name the claim and the key that break the schema, and what would be right."""
    place = list(error.absolute_path)
    where = ""
    if place[:1] == ["claims"] and len(place) > 1:
        claim = content["claims"][place[1]]
        name = claim.get("id", place[1]) if isinstance(claim, dict) else place[1]
        where, place = f"claim {name!r}: ", place[2:]
    key = ".".join(map(str, place))
    match error.validator:
        case "additionalProperties":
            known = error.schema["properties"]
            extra = next(name for name in error.instance if name not in known)
            full = ".".join([*map(str, place), extra])
            return f"{where}unknown key {full!r}; {nearest(extra, known)}"
        case "enum":
            hint = nearest(error.instance, error.validator_value)
            return f"{where}{key} is {error.instance!r}; {hint}"
        case "oneOf":
            return (
                f"{where}needs relation, unit, evidence, where and needs, or a test alone, "
                "or unchecked alone"
            )
    return f"{where}{key + ': ' if key else ''}{error.message}"


def _no_answer(claim: Claim) -> str | None:
    """Why a claim cannot answer whether one model beats others."""
    if claim.get("relation") != "greater":
        return "its relation must be greater"
    if not all("title" in claim.get(side, ()) for side in ("one", "than")):
        return "its one and than must name models by their title"
    return None


def _inconsistency(claim: Claim) -> str | None:
    """What is wrong with a claim that its schema cannot see."""
    if "test" in claim or "unchecked" in claim:
        return None
    if claim["evidence"] not in claim_evidence.SOURCES:
        wrong = claim["evidence"]
        return f"evidence is {wrong!r}; {nearest(wrong, claim_evidence.SOURCES)}"
    if claim["relation"] in OVER_X:
        lacking = {"x", *(["named"] if claim["relation"] == "descending" else [])} - claim.keys()
        return f"{claim['relation']} needs {' and '.join(sorted(lacking))}" if lacking else None
    if "against" not in claim and not {"one", "than", "named"} <= claim.keys():
        return f"{claim['relation']} needs against, a number, or one, than and named"
    if claim["relation"] in ("equal", "slightly_less") and not claim.get("margin", 0) > 0:
        return f"{claim['relation']} needs a margin above 0"
    return None
