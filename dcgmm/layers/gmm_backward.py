"""G(K) backwards (Sec. III-C): at every position a component, chosen by what comes from above.

A control signal T [P, K, N] is what a layer above has drawn of this layer's responsibilities. How
it becomes a choice is a matter of semantics, `clean` or `released`: see `dcgmm.sampling_recipe`.
"""

from typing import Any

from keras import ops

from dcgmm.layers.gmm import Parameters

_FLOOR, _CEILING = 1e-6, 11000.0  # of the release


def component_weights(control: Any, keep: int, semantics: str) -> Any:
    """What the components are drawn by, up to a factor: [P, K, N] -> [P, K, N].

    Args:
        control: T, of any sign and scale.
        keep: S, the number of highest entries that stay above 0; 0 keeps all (Sec. III-I).
        semantics: `clean` or `released`.
    """
    if semantics == "released":
        weights = ops.clip(control, _FLOOR, _CEILING)
        return _with_ties(weights, keep)
    weights = _without_ties(ops.maximum(control, 0), keep)
    return ops.where(ops.any(weights > 0, axis=1, keepdims=True), weights, ops.ones_like(weights))


def choose(weights: Any, chances: Any) -> Any:
    """Components drawn in proportion to their weights, [P, K, N] -> int32 [P, N].

    Args:
        weights: at least 0, and above 0 somewhere at every position.
        chances: [P, N], uniform in [0, 1).
    """
    possible = weights > 0
    reached = ops.where(possible, ops.cumsum(weights, axis=1), 0)
    total = ops.max(reached, axis=1, keepdims=True)
    passed = ops.cast(reached > chances[:, None] * total, "int32")
    return ops.argmax(passed, axis=1)  # the first of them


def means(parameters: Parameters, components: Any) -> Any:
    """Centroids of the chosen components, int [P, N] -> [P, D, N]."""
    return _chosen(parameters.mu, components)


def variances(parameters: Parameters, components: Any, fraction: float, bound: float | None) -> Any:
    """Of what is drawn around the centroids, int [P, N] -> [P, D, N].

    Args:
        parameters: of the layer.
        components: chosen at every position.
        fraction: what the standard deviation is multiplied with.
        bound: upper bound of `root_precision`, where the release adds no noise; None for `clean`.
    """
    deviation = fraction / parameters.root_precision
    if bound is not None:
        moved = parameters.root_precision < bound  # strictly
        deviation = ops.where(moved, fraction / (parameters.root_precision + 1e-5), 0)
    return _chosen(ops.square(deviation), components)


def _chosen(table: Any, components: Any) -> Any:
    """Rows of a table [Q, K, D], chosen at every position: int [P, N] -> [P, D, N]."""
    sets, count, dimension = table.shape
    if sets > 1:
        components = components + count * ops.arange(sets, dtype="int32")[:, None]
    rows = ops.take(ops.reshape(table, (sets * count, dimension)), components, axis=0)
    return ops.transpose(rows, (0, 2, 1))


def _with_ties(weights: Any, keep: int) -> Any:
    """Only what reaches the `keep`-th highest weight of its position."""
    return weights if keep == 0 else ops.where(weights >= _nth(weights, keep), weights, 0)


def _without_ties(weights: Any, keep: int) -> Any:
    """Only the `keep` highest weights of every position, of equal ones the first."""
    if keep == 0:
        return weights
    least = _nth(weights, keep)
    above, equal = weights > least, weights == least
    room = keep - ops.sum(ops.cast(above, "int32"), axis=1, keepdims=True)
    kept = above | (equal & (ops.cumsum(ops.cast(equal, "int32"), axis=1) <= room))
    return ops.where(kept, weights, 0)


def _nth(weights: Any, n: int) -> Any:
    """The n-th highest weight of every position, [P, K, N] -> [P, 1, N]."""
    highest, _ = ops.top_k(ops.transpose(weights, (0, 2, 1)), n)
    return highest[:, None, :, n - 1]
