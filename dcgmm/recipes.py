"""How an instance is trained: the hyper-parameters, and the published settings as data.

Imports neither Keras nor NumPy, so that a workflow can read architectures and recipes anywhere.
"""

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from dcgmm import notation
from dcgmm.sampling_recipe import Sampling
from dcgmm.settings import replaced as _replaced
from dcgmm.settings import require as _require
from dcgmm.settings import unknown as _unknown
from dcgmm.settings import whole as _whole

SHUFFLES = ("epoch", "once")


@dataclass(frozen=True)
class Annealing:
    """The smoothing radius and the controller that shrinks it (Sec. III-G by way of [3]).

    Attributes:
        window: training steps whose losses are averaged before each decision (release: 100).
        factor: what radius and learning rate are multiplied with when a layer stagnates.
        tolerance: stagnation is relative progress within (-2 * tolerance, tolerance).
        final_radius: where shrinking stops; at 0.01 the smoothing is the identity in float32.
    """

    window: int = 100
    factor: float = 0.9
    tolerance: float = 0.05
    final_radius: float = 0.01

    def __post_init__(self) -> None:
        _require(_whole(self.window, 2), "annealing.window", self.window, "an integer from 2")
        _require(0 < self.factor < 1, "annealing.factor", self.factor, "between 0 and 1")
        _require(self.tolerance > 0, "annealing.tolerance", self.tolerance, "above 0")
        _require(self.final_radius > 0, "annealing.final_radius", self.final_radius, "above 0")


@dataclass(frozen=True)
class Classification:
    """How a classifier layer, C(S), is trained: by plain SGD on its own cross-entropy.

    Attributes:
        inputs: indices of the cGMM layers whose activities it reads; empty means the cGMM layer
            directly below it.
        learning_rate: constant. The release's scripts ask for 0.01 or 0.02, which a mix-up of
            prefixes loses wherever the classifier does not read the layer below it: there
            they run with 0.05.
        wait: it starts after this fraction of the run.
    """

    inputs: tuple[int, ...] = ()
    learning_rate: float = 0.05
    wait: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        _require(self.learning_rate > 0, "classifier.learning_rate", self.learning_rate, "above 0")
        _require(0 <= self.wait <= 1, "classifier.wait", self.wait, "a fraction of the run")


@dataclass(frozen=True)
class Recipe:
    """Everything about training but the data and the seed. The defaults are the release's.

    Attributes:
        epochs: passes over the training images; delays are fractions of the whole run.
        batch_size: images a step; a remainder smaller than a batch is left out of the epoch.
        shuffle: `epoch` draws new batches every epoch, `once` repeats the first epoch's batches,
            which is what the release does: its remainder is never seen.
        independent: for each cGMM layer, bottom to top, whether every position has parameters of
            its own; empty means shared everywhere.
        waits: for each cGMM layer, the fraction of the run before it starts to learn; empty means
            the paper's rule, 0.1 for each cGMM layer below (Sec. IV).
        learning_rate, final_learning_rate: of SGD, before and after the first annealing.
        lambda_mu, lambda_pi, lambda_sigma: factors on the learning rate, a parameter each.
        mu_init: centroids start uniform in [-mu_init, mu_init].
        max_precision: precisions start here and never exceed it (20: a variance of 0.05).
        min_precision: and never fall below this; on [0, 1] data it does not bind.
        annealing: the smoothing radius and its controller.
        classifier: what a classifier layer reads and how it is trained.
    """

    epochs: int = 25
    batch_size: int = 100
    shuffle: str = "epoch"
    independent: tuple[bool, ...] = ()
    waits: tuple[float, ...] = ()
    learning_rate: float = 0.011
    final_learning_rate: float = 0.01
    lambda_mu: float = 1.0
    lambda_pi: float = 0.2
    lambda_sigma: float = 0.1
    mu_init: float = 0.1
    max_precision: float = 20.0
    min_precision: float = 1e-4
    annealing: Annealing = field(default_factory=Annealing)
    classifier: Classification = field(default_factory=Classification)

    def __post_init__(self) -> None:
        object.__setattr__(self, "independent", tuple(self.independent))
        object.__setattr__(self, "waits", tuple(self.waits))
        _require(_whole(self.epochs, 1), "epochs", self.epochs, "an integer from 1")
        _require(_whole(self.batch_size, 1), "batch_size", self.batch_size, "an integer from 1")
        _require(self.shuffle in SHUFFLES, "shuffle", self.shuffle, f"one of {SHUFFLES}")
        _require(all(0 <= w <= 1 for w in self.waits), "waits", self.waits, "fractions of the run")
        _require(
            0 < self.final_learning_rate <= self.learning_rate,
            "final_learning_rate", self.final_learning_rate, "above 0 and at most learning_rate",
        )  # fmt: skip
        for name in ("lambda_mu", "lambda_pi", "lambda_sigma", "mu_init"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        _require(
            1e-8 <= self.min_precision < self.max_precision,
            "min_precision", self.min_precision, "from 1e-8 and below max_precision",
        )  # fmt: skip
        _require(self.max_precision <= 1e8, "max_precision", self.max_precision, "at most 1e8")
        for name, kind in _NESTED.items():
            value = getattr(self, name)
            _require(isinstance(value, kind), name, value, f"a mapping or {kind.__name__}")

    def for_layers(self, layers: tuple[notation.Layer, ...]) -> "Recipe":
        """Fill in one entry a cGMM layer in `waits` and `independent`.

        `classifier.inputs` are filled in too, where there is a classifier.

        Raises:
            ValueError: if either has a length other than the number of cGMM layers, or if the
                classifier cannot read what it is told to.
        """
        count = len(notation.gmm_indices(layers))
        waits = self.waits or tuple(round(0.1 * below, 10) for below in range(count))
        independent = self.independent or (False,) * count
        for name, values in (("waits", waits), ("independent", independent)):
            if len(values) != count:
                raise ValueError(
                    f"recipe has {len(values)} {name}, but {notation.write(layers)} has {count} "
                    f"cGMM layers: give one value each"
                )
        inputs = notation.classifier_inputs(layers, self.classifier.inputs)
        classifier = replace(self.classifier, inputs=inputs)
        return replace(self, waits=waits, independent=independent, classifier=classifier)

    def independent_layers(self, layers: tuple[notation.Layer, ...]) -> tuple[int, ...]:
        """Indices, from 1, of the cGMM layers whose positions have parameters of their own."""
        flags = zip(notation.gmm_indices(layers), self.for_layers(layers).independent, strict=True)
        return tuple(index for index, is_independent in flags if is_independent)

    def updated(self, **changes: Any) -> "Recipe":
        """Copy with some values changed; a group, as `annealing`, may be a mapping of changes.

        Raises:
            ValueError: for a name that is no hyper-parameter, with the nearest that is.
        """
        changes = dict(changes)
        for name in _NESTED:
            if isinstance(changes.get(name), dict):
                changes[name] = _replaced(getattr(self, name), changes[name])
        return _replaced(self, changes)


_NESTED = {"annealing": Annealing, "classifier": Classification}


@dataclass(frozen=True)
class Instance:
    """One row of Table V, the classifier of Table IV, or one of Fig. 7, under one recipe.

    Attributes:
        name: as in the paper, where it has one.
        layers: bottom to top.
        recipe: how it is trained.
        published_parameters: as printed, None where nothing is.
        note: what a reader must know of the printed count.
        sampling: how images are drawn.
        input_shape: [H, W, C] of the images that it is for.
    """

    name: str
    layers: tuple[notation.Layer, ...]
    recipe: Recipe
    published_parameters: int | None
    note: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    input_shape: notation.Shape = (28, 28, 1)


def instance_names() -> list[str]:
    """The instances of Table V, in its order; all others are left out."""
    return _names("Table V")


def classifier_names() -> list[str]:
    """The instances with a classifier layer, of Table IV."""
    return _names("Table IV")


def colour_names() -> list[str]:
    """The instances for colour images of 32x32, of Fig. 7."""
    return _names("Figure 7")


def recipe_names(instance: str) -> list[str]:
    """The recipes that an instance has, the main one first."""
    return [name for name, value in _row(instance).items() if isinstance(value, dict)]


def instance(name: str, recipe: str = "paper") -> Instance:
    """An instance with the layers and hyper-parameters of one of its recipes.

    Raises:
        ValueError: for an unknown name or recipe, with the nearest known one.
    """
    row = _row(name)
    names = recipe_names(name)
    if recipe not in names:
        raise ValueError(_unknown("recipe", recipe, names))
    settings = row[names[0]] | row[recipe]
    sampling = Sampling().updated(**settings.pop("sampling", {}))
    layers = notation.parse(settings.pop("layers", row["layers"]))
    return Instance(
        name=name,
        layers=layers,
        recipe=Recipe().updated(**settings).for_layers(layers),
        published_parameters=row.get("published_parameters"),
        note=row.get("note", ""),
        sampling=sampling.for_layers(layers),
        input_shape=tuple(row.get("input_shape", Instance.input_shape)),
    )


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("dcgmm").joinpath("instances.toml").read_text("utf-8"))


def _names(result: str) -> list[str]:
    """The instances for one result of the paper; those that name none are of Table V."""
    return [name for name, row in _table().items() if row.get("result", "Table V") == result]


def _row(name: str) -> dict[str, Any]:
    if name not in _table():
        raise ValueError(_unknown("instance", name, list(_table())))
    return _table()[name]
