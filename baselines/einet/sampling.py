"""Drawing images from a circuit, top down; with or without known pixels.

Every node hands its images on to one pair of child sums, with probability proportional to weight
times the children's values: that is the posterior given what is known. Where nothing is known all
values are 1 and the draw is ancestral.

Reference: Peharz et al. 2020, "Einsum networks", Sec. 3.6.
"""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.einet.circuit import Circuit, Values
from baselines.einet.layer import SumLayer

_FLOATS = 2**24  # of a temporary


def sample(circuit: Circuit, n: int, generator: torch.Generator, *, noise: bool = True) -> Tensor:
    """Images drawn from the circuit, [n, V] in the leaves' domain.

    Args:
        circuit: the model.
        n: how many.
        generator: on the circuit's device.
        noise: whether leaves are drawn too, or give their means.
    """
    choices = choose(circuit, circuit.vacuous(), n, generator)
    return fill(circuit, choices, generator, "sample" if noise else "mean")


def conditional(
    circuit: Circuit,
    x: Tensor,
    known: Tensor,
    generator: torch.Generator,
    *,
    noise: bool = True,
) -> Tensor:
    """Images with unknown values drawn given the known ones, [B, V].

    Args:
        circuit: the model.
        x: [B, V] in the leaves' domain; unknown values do not matter.
        known: boolean, [B, V].
        generator: on the circuit's device.
        noise: whether leaves are drawn too, or give their means.
    """
    values = _evidence(circuit, x, known)
    choices = choose(circuit, values, len(x), generator)
    return x.where(known, fill(circuit, choices, generator, "sample" if noise else "mean"))


def most_probable(circuit: Circuit, x: Tensor, known: Tensor) -> Tensor:
    """Images completed by the most probable branch at every sum and the mode of every leaf, [B, V].

    As in the released code, branches are compared by their posterior probability with all values
    below summed, not maximised: a fast approximation of the most probable explanation, which is
    exact where one branch dominates.
    """
    choices = choose(circuit, _evidence(circuit, x, known), len(x), None)
    return x.where(known, fill(circuit, choices, None, "mode"))


def _evidence(circuit: Circuit, x: Tensor, known: Tensor) -> Values:
    circuit.leaf.check(x[known])
    return circuit.forward(x.where(known, x.new_zeros(())), known)


def choose(circuit: Circuit, values: Values, n: int, generator: torch.Generator | None) -> Tensor:
    """Which distribution of each leaf region every image uses, [leaves, n]; -1 for none.

    Args:
        circuit: the model.
        values: a forward pass over n images, or over one that stands for all.
        n: number of images.
        generator: None takes the most probable branch instead of drawing one.
    """
    regions = values.shares.shape[0]
    choices = torch.full((regions, n), -1, dtype=torch.int64, device=circuit.device)
    for layer in reversed(circuit.layers):
        if layer is circuit.layers[-1]:
            image = torch.arange(n, device=circuit.device)
            region = unit = torch.zeros_like(image)
        else:
            chosen = choices[layer.regions]
            region, image = (chosen >= 0).nonzero(as_tuple=True)
            unit = chosen[region, image]
        row = layer.partitions * layer.weights.shape[2]
        size = max(1, _FLOATS // row)
        for part in zip(region.split(size), image.split(size), unit.split(size), strict=True):
            _descend(layer, values, part, choices, generator)
    return choices[: len(circuit.scope)]


def _descend(
    layer: SumLayer,
    values: Values,
    part: tuple[Tensor, Tensor, Tensor],
    choices: Tensor,
    generator: torch.Generator | None,
) -> None:
    """Choose a partition and a pair of child sums for m (region, image, sum) triples."""
    region, image, unit = part
    p, k = layer.partitions, values.shares.shape[1]
    n = layer.regions.stop - layer.regions.start
    products = region[:, None] + n * torch.arange(p, device=region.device)  # [m, p]
    left, right = layer.left[products], layer.right[products]
    column = (image if values.shares.shape[2] > 1 else torch.zeros_like(image))[:, None]
    logs = values.logs[left, column] + values.logs[right, column]
    scale = (logs - logs.amax(1, keepdim=True)).exp().to(torch.float32)
    if layer.mixing is not None:
        scale = scale * layer.mixing[region, unit]
    joint = layer.weights[products, unit[:, None]].unflatten(2, (k, k))  # [m, p, K, K]
    joint = joint * values.shares[left, :, column][..., None]
    joint *= values.shares[right, :, column][:, :, None]
    joint *= scale[..., None, None]
    branch = _pick(joint.flatten(1), generator)
    product, pair = branch // (k * k), branch % (k * k)
    rows = torch.arange(len(branch), device=branch.device)
    choices[left[rows, product], image] = pair // k
    choices[right[rows, product], image] = pair % k


def _pick(weights: Tensor, generator: torch.Generator | None) -> Tensor:
    """A column for each row, with probability proportional to its weight: [m, c] -> [m]."""
    if generator is None:
        return weights.argmax(1)
    totals = weights.cumsum(1, dtype=torch.float64)
    u = torch.rand(len(weights), 1, dtype=torch.float64, generator=generator, device=weights.device)
    drawn = torch.searchsorted(totals, u * totals[:, -1:], right=True).squeeze(1)
    return drawn.clamp_(max=weights.shape[1] - 1)


def fill(circuit: Circuit, choices: Tensor, generator: torch.Generator | None, how: str) -> Tensor:
    """Values of the chosen leaf distributions, [leaves, n] -> [n, V].

    Args:
        circuit: the model.
        choices: as from `choose`.
        generator: for `sample`.
        how: `sample`, `mean` or `mode`.
    """
    x = circuit.phi.new_zeros(circuit.n_variables + 1, choices.shape[1])
    region, image = (choices >= 0).nonzero(as_tuple=True)
    _, _, statistics, width = circuit.phi.shape
    size = max(1, _FLOATS // (statistics * width))
    for r, b in zip(region.split(size), image.split(size), strict=True):
        phi = circuit.phi[r, choices[r, b]]  # [m, S, D]
        drawn = (
            circuit.leaf.sample(phi, generator)
            if how == "sample"
            else getattr(circuit.leaf, how)(phi)
        )
        x[circuit.scope[r], b[:, None]] = drawn
    return x[:-1].T
