"""Catalogue of methods and how each protocol runs them: `baselines/*/method.toml`, and DCGMM.

Needs only the standard library, so that every method's environment can read it.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workflow.common import values
from workflow.common.hints import nearest
from workflow.data import masks

FOLDER = Path(__file__).parents[2] / "baselines"
ENVIRONMENTS = Path(__file__).parents[2] / "envs"
PROTOCOLS = ("paper", "corrected")
WEIGHTS = ("label",)
Treatments = dict[str, dict[str, Any]]
"""Name -> keyword arguments of `sample`."""
TREATMENTS: Treatments = {"full": {"noise": True}, "mean": {"noise": False}}
SHARPENED = {"sharpened": {"sharpen": True}}  # of a DCGMM that pools (Sec. V-D)


_TYPES = {str: "text", bool: "true or false", dict: "a table", list: "a list of texts"}
_KEYS = {
    "title": str, "class": str, "environment": str, "holdout": bool, "symbols": dict,
    "variants": list, "variables": list, "protocols": dict, "samples": dict, "discrete": dict,
    "original": dict, "contract": dict, "optional": bool, "density": bool,
}  # fmt: skip
_PROTOCOL_KEYS = {"evidence": str, "settings": dict, "where": dict, "sample_weight": str}


@dataclass(frozen=True)
class Protocol:
    """How one method is run under one protocol.

    Attributes:
        evidence: pixels that scores are of, a name of `workflow.data.masks`.
        settings: set by the protocol.
        where: settings of the grid points that it sets them for; all if empty.
        sample_weight: `label` to weigh images by the number of their class.
    """

    evidence: str = "all"
    settings: dict[str, Any] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)
    sample_weight: str | None = None

    def concerns(self, settings: dict[str, Any]) -> bool:
        """Whether the protocol sets settings of a grid point."""
        return _agrees(settings, self.where)


@dataclass(frozen=True)
class Method:
    """Description of a method: the keys of `method.toml` (see `baselines/README.md`) and more.

    Attributes:
        published: treatment of draws in the authors' release (Table III).
        discrete: settings of the grid points whose scores are log-probabilities of bytes; all if
            empty, none if None.
        treatments: of pixel noise in draws.
        original: settings of the paper's fits.
        density: whether scores are log-densities of pixels, or bounds of them.
    """

    name: str
    title: str
    class_name: str
    environment: str
    protocols: dict[str, Protocol]
    holdout: bool = False
    symbols: dict[str, str] = field(default_factory=dict)
    variants: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    published: str = "full"
    discrete: dict[str, Any] | None = None
    treatments: Treatments = field(default_factory=lambda: dict(TREATMENTS))
    original: dict[str, float] = field(default_factory=dict)
    density: bool = True

    def title_of(self, settings: dict[str, Any]) -> str:
        """Name of a grid point's model in tables, as in `RAT-SPN` or `DCGMM-E`."""
        return self.title.format(**settings)

    def variant_of(self, settings: dict[str, Any]) -> str:
        """Values of the variants of a grid point, as in `normal`."""
        return ", ".join(str(settings[name]) for name in self.variants)

    def has_density(self, settings: dict[str, Any]) -> bool:
        """Whether a grid point's scores are log-densities of pixels, or bounds of them.

        Those of DCGMM are in an instance of a single cGMM layer alone (`DCGMM.score_samples`).
        """
        return settings["layers"].count("G(") == 1 if self.name == "dcgmm" else self.density

    def is_discrete(self, settings: dict[str, Any]) -> bool:
        """Whether a grid point's scores are log-probabilities of bytes."""
        return self.discrete is not None and _agrees(settings, self.discrete)


DCGMM = Method(
    name="dcgmm",
    title="DCGMM-{instance}",
    class_name="DCGMM",
    environment="tensorflow",
    protocols={name: Protocol() for name in PROTOCOLS},
    variants=("recipe",),
    published="recipe",
    # The recipe draws with a fraction of the standard deviation, so full noise is a number.
    treatments={"recipe": {"noise": True}, "full": {"noise": 1.0}, "mean": {"noise": False}},
)


def title_of_classifier(instance: str) -> str:
    """Title of an instance of Table IV, as in the paper: `DCGMM-B` for `B-class`."""
    return DCGMM.title.format(instance=instance.removesuffix("-class"))


def names() -> list[str]:
    """List the baselines in alphabetical order."""
    return sorted(path.parent.name for path in FOLDER.glob("[a-z]*/method.toml"))


def environments() -> list[str]:
    """List the environments that have a lock."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.lock"))


@cache
def method(name: str) -> Method:
    """Load the description of a method.

    Raises:
        ValueError: if the method is unknown, or its `method.toml` is invalid.
    """
    if name == DCGMM.name:
        return DCGMM
    if name not in names():
        raise ValueError(f"unknown method {name!r}; {nearest(name, [DCGMM.name, *names()])}")
    file = FOLDER / name / "method.toml"
    try:
        content = tomllib.loads(file.read_text("utf-8"))
        for place, value, expected in values.mistakes(content):
            raise ValueError(
                f"{values.written(place)} is {values.shown(value)}, but must be {expected}"
            )
        return _parse_method(name, content)
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"baselines/{name}/method.toml: {error}") from None


def _parse_method(name: str, content: dict[str, Any]) -> Method:
    """Make a method of the content of its `method.toml`.

    Raises:
        ValueError: for unknown or missing keys and invalid values.
    """
    # Refuse unknown and missing keys first, so that every later error is about a value.
    content = dict(content)
    _check_keys("", content, _KEYS)
    for key in ("contract", "optional"):  # only for the tests
        content.pop(key, None)
    for key in ("title", "class", "environment", "protocols"):
        if key not in content:
            raise ValueError(f"the key {key!r} is missing")
    if content["environment"] not in (locks := environments()):
        environment = content["environment"]
        raise ValueError(f"environment is {environment!r}; {nearest(environment, locks)}")
    # Nested tables, each with its own keys.
    protocols = content.pop("protocols")
    _check_keys("protocols.", protocols, dict.fromkeys(PROTOCOLS, dict))
    samples = content.pop("samples", {})
    _check_keys("samples.", samples, {"published": str})
    if (published := samples.get("published", Method.published)) not in TREATMENTS:
        raise ValueError(f"samples.published is {published!r}; {nearest(published, TREATMENTS)}")
    discrete = content.pop("discrete", None)
    if discrete is not None:
        _check_keys("discrete.", discrete, {"where": dict})
        discrete = discrete.get("where", {})
    return Method(
        name=name,
        discrete=discrete,
        class_name=content.pop("class"),
        variants=tuple(content.pop("variants", ())),
        variables=tuple(content.pop("variables", ())),
        published=published,
        protocols={
            protocol: _parse_protocol(protocol, protocols.get(protocol, {}))
            for protocol in PROTOCOLS
        },
        **content,
    )


def _parse_protocol(name: str, content: dict[str, Any]) -> Protocol:
    """Make a protocol of its table in `method.toml`, as `_parse_method`."""
    place = f"protocols.{name}."
    _check_keys(place, content, _PROTOCOL_KEYS)
    protocol = Protocol(**content)
    if protocol.evidence not in masks.NAMES:
        evidence = protocol.evidence
        raise ValueError(f"{place}evidence is {evidence!r}; {nearest(evidence, masks.NAMES)}")
    if protocol.sample_weight not in (None, *WEIGHTS):
        weight = protocol.sample_weight
        raise ValueError(f"{place}sample_weight is {weight!r}; {nearest(weight, WEIGHTS)}")
    return protocol


def _agrees(settings: dict[str, Any], where: dict[str, Any]) -> bool:
    return all(settings.get(key) == value for key, value in where.items())


def _check_keys(place: str, content: dict[str, Any], types: dict[str, type]) -> None:
    """Refuse unknown keys and values of the wrong type; lists hold texts.

    Raises:
        ValueError: names the key.
    """
    for key, value in content.items():
        if key not in types:
            raise ValueError(f"unknown key {place + key!r}; {nearest(key, types)}")
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not isinstance(value, types[key]) or (isinstance(value, list) and not texts):
            problem = f"{place + key} is {values.shown(value)}"
            raise ValueError(f"{problem}, but must be {_TYPES[types[key]]}")
