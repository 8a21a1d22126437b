"""Fitting a circuit: a backward pass of posteriors by hand, and three rules that use it.

With G = d LL / d log v of a node v, the posterior probability that the image came through it, the
gradient of the log-likelihood is an expected count: for a sum of weights W[k, ij] over children l
and r it is n[k, ij] = sum_b W[k, ij] l_i r_j G_k / v_k. EM normalises these counts; gradient
ascent subtracts their expectation. Counts are used as soon as a chunk of them is known, so there
is never a second copy of the parameters, except where a rule needs one.

Reference: Peharz et al. 2020, "Einsum networks", Sec. 3.5.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from baselines.einet.circuit import Circuit, Trace, Values, outer
from baselines.einet.layer import SumLayer
from baselines.einet.leaves import Leaf

_FLOOR = 1e-16  # of weights and of expected counts
_NO_MASS = 1e-12  # keeps leaves that no image came through from dividing by zero


class Rule(Protocol):
    """What to do with expected counts. Arrays are views: rules change them in place."""

    def sums(self, name: str, part: slice, weights: Tensor, counts: Tensor) -> None:
        """Take the counts of some rows of a weight tensor, [rows, ..., children]."""
        ...

    def leaves(self, part: slice, phi: Tensor, mass: Tensor, moments: Tensor) -> None:
        """Take the posterior mass [n, K] of some leaves and their moments [n, K, S, D]."""
        ...

    def end_batch(self) -> None:
        """Called after the backward pass of every batch."""
        ...

    def end_epoch(self) -> None:
        """Called after the last batch of an epoch."""
        ...


class OnlineEM:
    """Stochastic EM with a constant step s, as published: parameters move after every batch."""

    def __init__(self, circuit: Circuit, step: float = 0.1) -> None:
        self.leaf, self.step = circuit.leaf, step

    def sums(self, name: str, part: slice, weights: Tensor, counts: Tensor) -> None:
        """Move weights a step towards the normalised counts."""
        move_weights(weights, counts, self.step)

    def leaves(self, part: slice, phi: Tensor, mass: Tensor, moments: Tensor) -> None:
        """Move phi a step towards the posterior average of the statistics."""
        move_leaves(self.leaf, phi, mass, moments, self.step)

    def end_batch(self) -> None:
        """Nothing is left to do."""

    def end_epoch(self) -> None:
        """Nothing is left to do."""


class FullEM:
    """EM over all images: the counts of an epoch are summed, then replace the parameters.

    The likelihood never falls. Needs as much memory again as the parameters.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.totals = {name: torch.zeros_like(t) for name, t in circuit.tensors().items()}
        self.mass = circuit.phi.new_zeros(circuit.phi.shape[:2])

    def sums(self, name: str, part: slice, weights: Tensor, counts: Tensor) -> None:
        """Add up counts."""
        self.totals[name][part] += counts

    def leaves(self, part: slice, phi: Tensor, mass: Tensor, moments: Tensor) -> None:
        """Add up masses and moments."""
        self.mass[part] += mass
        self.totals["leaves"][part] += moments

    def end_batch(self) -> None:
        """Nothing happens before the end of the epoch."""

    def end_epoch(self) -> None:
        """Replace the parameters and start again from zero."""
        for name, tensor in self.circuit.tensors().items():
            if name == "leaves":
                move_leaves(self.circuit.leaf, tensor, self.mass, self.totals[name], 1.0)
            else:
                move_weights(tensor, self.totals[name], 1.0)
            self.totals[name].zero_()
        self.mass.zero_()


class Adam:
    """Gradient ascent on the mean log-likelihood, in softmax weights and free leaf parameters.

    Needs twice as much memory again as the parameters.

    Reference: Kingma and Ba 2015.
    """

    def __init__(
        self,
        circuit: Circuit,
        step: float = 0.1,
        decays: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        self.leaf, self.step, self.decays, self.epsilon = circuit.leaf, step, decays, epsilon
        self.averages = {
            name: (torch.zeros_like(t), torch.zeros_like(t))
            for name, t in circuit.tensors().items()
        }
        self.batches = 1

    def sums(self, name: str, part: slice, weights: Tensor, counts: Tensor) -> None:
        """Ascend in the logits: dLL/dlogit = n - w sum(n)."""
        gradient = counts - weights * counts.sum(-1, keepdim=True)
        logits = weights.log().add_(self._move(name, part, gradient))
        weights.copy_(logits.softmax(-1)).clamp_(min=_FLOOR)

    def leaves(self, part: slice, phi: Tensor, mass: Tensor, moments: Tensor) -> None:
        """Ascend in the free parameters."""
        gradient = self.leaf.free_gradient(phi, mass, moments)
        free = self.leaf.to_free(phi).add_(self._move("leaves", part, gradient))
        phi.copy_(self.leaf.from_free(free))

    def end_batch(self) -> None:
        """Count batches, for the bias correction."""
        self.batches += 1

    def end_epoch(self) -> None:
        """Nothing is left to do."""

    def _move(self, name: str, part: slice, gradient: Tensor) -> Tensor:
        first, second = (average[part] for average in self.averages[name])
        a, b = self.decays
        first.mul_(a).add_(gradient, alpha=1 - a)
        second.mul_(b).addcmul_(gradient, gradient, value=1 - b)
        size = (second / (1 - b**self.batches)).sqrt_().add_(self.epsilon)
        return first / size * (self.step / (1 - a**self.batches))


RULES = {"online_em": OnlineEM, "full_em": lambda circuit, step: FullEM(circuit), "adam": Adam}


def move_weights(weights: Tensor, counts: Tensor, step: float) -> None:
    """W <- (1 - s) W + s n / sum(n) over the last axis, floored; in place, counts included."""
    counts.clamp_(min=_FLOOR)
    counts.div_(counts.sum(-1, keepdim=True))
    weights.lerp_(counts, step).clamp_(min=_FLOOR)
    weights.div_(weights.sum(-1, keepdim=True))


def move_leaves(leaf: Leaf, phi: Tensor, mass: Tensor, moments: Tensor, step: float) -> None:
    """Phi <- (1 - s) phi + s moments / mass, then back into its domain; in place."""
    average = moments / (mass[:, :, None, None] + _NO_MASS)
    phi.lerp_(average, step)
    leaf.project(phi)


def learn(circuit: Circuit, x: Tensor, rule: Rule) -> Tensor:
    """One batch: forward, backward, and the rule along the way.

    Args:
        circuit: changed in place.
        x: [B, V], values in the leaves' domain.
        rule: one of `RULES`, made for this circuit.

    Returns:
        Log-density of each image before the update, without the base measure, [B] float64.
    """
    values = circuit.forward(x)
    backward(circuit, values, x, rule)
    rule.end_batch()
    return values.log_density


def backward(circuit: Circuit, values: Values, x: Tensor, rule: Rule) -> None:
    """Send posteriors from the root to the leaves and hand the expected counts to the rule."""
    posterior = torch.zeros_like(values.shares)  # G, [regions, K, B]
    for index in reversed(range(len(circuit.layers))):
        layer, trace = circuit.layers[index], values.traces[index]
        if index == len(circuit.layers) - 1:
            incoming = posterior.new_ones(1, 1, posterior.shape[2])
        else:
            incoming = posterior[layer.regions]
        if layer.mixing is not None:
            incoming = _unmix(layer, trace, incoming, f"mixing{index}", rule)
        _spread(circuit, layer, trace, values.shares, incoming, posterior, (f"sums{index}", rule))
    _leaves(circuit, circuit.columns(x), posterior, rule)


def _unmix(layer: SumLayer, trace: Trace, incoming: Tensor, name: str, rule: Rule) -> Tensor:
    """Posteriors of regions to those of their products: [n, K_out, B] -> [p * n, K_out, B]."""
    flow = incoming / (trace.mixed * trace.mixed_peaks[:, None])
    weights = layer.mixing.permute(2, 0, 1)[..., None]  # [p, n, K_out, 1]
    products = trace.products.unflatten(0, (layer.partitions, -1))
    posterior = weights * products * trace.scales * flow
    counts = posterior.sum(3).permute(1, 2, 0).contiguous()
    rule.sums(name, slice(0, len(counts)), layer.mixing, counts)
    return posterior.flatten(0, 1)


def _spread(
    circuit: Circuit,
    layer: SumLayer,
    trace: Trace,
    shares: Tensor,
    incoming: Tensor,
    posterior: Tensor,
    report: tuple[str, Rule],
) -> None:
    """Posteriors of products to those of their children, added into `posterior`."""
    name, rule = report
    k, batch = circuit.components, shares.shape[2]
    nodes, _, pairs = layer.weights.shape
    for part in circuit.chunks(nodes, pairs * batch):
        left, right = layer.left_rows.of(part), layer.right_rows.of(part)
        joint = outer(shares[left], shares[right])  # [rows, K * K, B]
        flow = incoming[part] / (trace.products[part] * trace.peaks[part, None])
        weights = layer.weights[part]
        upstream = torch.bmm(weights.transpose(1, 2), flow)
        counts = torch.bmm(flow, joint.transpose(1, 2)).mul_(weights)
        joint = upstream.mul_(joint).unflatten(1, (k, k))
        _add_rows(posterior, left, joint.sum(2))
        _add_rows(posterior, right, joint.sum(1))
        rule.sums(name, part, weights, counts)


def _leaves(circuit: Circuit, x: Tensor, posterior: Tensor, rule: Rule) -> None:
    """Posterior mass and moments of the leaves: one matrix product a leaf region."""
    for part in circuit.leaf_chunks(x.shape[1]):
        incoming = posterior[part]  # [n, K, B]
        features = circuit.leaf.features(x[circuit.scope[part]])
        moments = torch.bmm(incoming, features.transpose(1, 2))
        phi = circuit.phi[part]
        rule.leaves(part, phi, incoming.sum(2), moments.view(phi.shape))


def _add_rows(target: Tensor, rows: slice | Tensor, values: Tensor) -> None:
    """Add values to rows, some of which may occur more than once."""
    if isinstance(rows, slice):
        target[rows] += values
    elif target.is_cuda:  # index_add_ adds in any order there
        target.index_put_((rows,), values, accumulate=True)
    else:
        target.index_add_(0, rows, values)
