"""How an instance draws images: the settings of the backward mode, as data.

Imports neither Keras nor NumPy. Two named semantics differ in how a cGMM layer reads the control
signal T [H, W, K] that comes down to it, and in where it adds noise:

| | `clean` | `released`: the authors' code |
|---|---|---|
| weights of the components | max(T, 0) | T, but at least 1e-6 |
| kept of them | exactly S, ties to the lower index | all that reach the S-th, ties included |
| where no entry of T is positive | drawn uniformly from all K | drawn as elsewhere |
| where the channels of T do not sum above 0 | nothing special | the position is 0 |
| standard deviation | 1 / s | 1 / (s + 1e-5), but 0 where s is at its upper bound |

with s the root of the precision. The bound is compared strictly: whatever training has not moved
off it gets no noise, which on published models is most dimensions.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from dcgmm import notation
from dcgmm.settings import number, replaced, require, whole

SEMANTICS = ("clean", "released")
STARTS = ("uniform", "weights", "cycle")


@dataclass(frozen=True)
class Sharpening:
    """Gradient ascent at the folding layers while sampling (Sec. III-I); see `dcgmm.sharpening`.

    A value that is no tuple holds at every folding layer below the top cGMM layer; a tuple has one
    entry for each of them, bottom to top.

    Attributes:
        iterations: I, how many steps; 0 leaves a layer as it is.
        step: of one image's ascent on Eq. 8 of its target. The paper's and the release's rates are
            those of an average over 100 images: a hundred times this number, 1.0 for 0.01.
        omega: weight of the mean squared change of the signal, subtracted from Eq. 8.
        targets: indices of the cGMM layers whose likelihood is climbed; empty means for each
            folding layer the next cGMM layer above it.
    """

    iterations: int | tuple[int, ...] = 300
    step: float | tuple[float, ...] = 0.01
    omega: float | tuple[float, ...] = 0.0
    targets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("iterations", "step", "omega", "targets"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        for value in _each(self.iterations):
            require(whole(value, 0), "sharpening.iterations", value, "an integer from 0")
        for value in _each(self.step):
            require(number(value, 0) and value > 0, "sharpening.step", value, "above 0")
        for value in _each(self.omega):
            require(number(value, 0), "sharpening.omega", value, "at least 0")

    def for_layers(self, layers: tuple[notation.Layer, ...]) -> "Sharpening":
        """Fill in one entry for each folding layer below the top cGMM layer.

        Raises:
            ValueError: for another number of entries, or a target that is no cGMM layer above its
                folding layer.
        """
        foldings, gmms = sharpened_indices(layers), notation.gmm_indices(layers)
        what = f"folding layers below the top cGMM layer of {notation.write(layers)}"
        nearest = tuple(min(g for g in gmms if g > index) for index in foldings)
        targets = _spread(self.targets or nearest, len(foldings), "sharpening.targets", what)
        for index, target in zip(foldings, targets, strict=True):
            above = [g for g in gmms if g > index]
            if target not in above:
                raise ValueError(
                    f"sharpening.targets has {target!r} for folding layer {index}, but must have "
                    f"a cGMM layer above it: {', '.join(map(str, above))}"
                )
        resolved = {
            name: _spread(getattr(self, name), len(foldings), f"sharpening.{name}", what)
            for name in ("iterations", "step", "omega")
        }
        return replace(self, targets=targets, **resolved)


@dataclass(frozen=True)
class Sampling:
    """How images are drawn from a model.

    `keep` and `noise` hold at every cGMM layer, or are tuples with one entry for each of them,
    bottom to top.

    Attributes:
        keep: S, how many of a control signal's highest entries a layer draws its component from
            (Sec. III-I); 0 keeps all; empty means 2, or K where that is less. A start is a prior,
            no control signal: none of it is cut off.
        noise: fraction of the layer's standard deviation with which it draws around a centroid;
            the release divides instead: by 10, 20 or 5.
        start: how the top cGMM layer chooses components: `uniform`, by its `weights`, `cycle`
            (each in turn), or the index of one from 0.
        semantics: `clean` or `released`, see this module.
        sharpening: how folding layers are sharpened, where that is asked for.
    """

    keep: int | tuple[int, ...] = ()
    noise: float | tuple[float, ...] = 0.1
    start: str | int = "uniform"
    semantics: str = "clean"
    sharpening: Sharpening = field(default_factory=Sharpening)

    def __post_init__(self) -> None:
        for name in ("keep", "noise"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        for value in _each(self.keep):
            require(whole(value, 0), "keep", value, "an integer from 0, or one for each cGMM layer")
        for value in _each(self.noise):
            require(number(value, 0), "noise", value, "at least 0, or such for each cGMM layer")
        is_start = self.start in STARTS or whole(self.start, 0)
        require(is_start, "start", self.start, f"one of {STARTS} or the index of a component")
        require(self.semantics in SEMANTICS, "semantics", self.semantics, f"one of {SEMANTICS}")
        is_group = isinstance(self.sharpening, Sharpening)
        require(is_group, "sharpening", self.sharpening, "a mapping or Sharpening")

    def for_layers(self, layers: tuple[notation.Layer, ...]) -> "Sampling":
        """Fill in one entry a cGMM layer, and one a folding layer in `sharpening`.

        Raises:
            ValueError: for another number of entries, for more components kept than there are, for
                a component that the top cGMM layer does not have, and from `Sharpening.for_layers`.
        """
        gmms = notation.gmm_indices(layers)
        components = [layers[index - 1].components for index in gmms]
        what = f"cGMM layers of {notation.write(layers)}"
        keep = self.keep if self.keep != () else tuple(min(2, k) for k in components)
        keep = _spread(keep, len(gmms), "keep", what)
        for index, kept, of in zip(gmms, keep, components, strict=True):
            if kept > of:
                raise ValueError(
                    f"keep is {kept} at layer {index}, which has only {of} components: "
                    f"give at most {of}, or 0 to keep all"
                )
        if isinstance(self.start, int) and self.start >= components[-1]:
            raise ValueError(
                f"start is component {self.start}, but layer {gmms[-1]} has {components[-1]}: "
                f"give at most {components[-1] - 1}"
            )
        return replace(
            self,
            keep=keep,
            noise=_spread(self.noise, len(gmms), "noise", what),
            sharpening=self.sharpening.for_layers(layers),
        )

    def updated(self, **changes: Any) -> "Sampling":
        """Copy with some values changed; `sharpening` may be a mapping of its own changes.

        Raises:
            ValueError: for a name that is no setting, with the nearest that is.
        """
        if isinstance(changes.get("sharpening"), dict):
            changes["sharpening"] = replaced(self.sharpening, changes["sharpening"])
        return replaced(self, changes)


def sharpened_indices(layers: tuple[notation.Layer, ...]) -> tuple[int, ...]:
    """Indices, from 1, of the folding layers below the top cGMM layer."""
    top = notation.gmm_indices(layers)[-1]
    below = enumerate(layers[:top], start=1)
    return tuple(index for index, layer in below if isinstance(layer, notation.Folding))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _each(value: Any) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _spread(value: Any, count: int, name: str, what: str) -> tuple:
    """Spread a value over `count` entries; a tuple must have as many.

    Raises:
        ValueError: if it has not.
    """
    if not isinstance(value, tuple):
        return (value,) * count
    if len(value) != count:
        raise ValueError(f"{name} has {len(value)} entries, but there are {count} {what}")
    return value
