"""Einsum networks as their paper's equations say, to measure `baselines.einet` against.

Every leaf distribution of every replica is evaluated at every pixel and a dense tensor of scopes
gathers them into regions; sums are log-einsum-exp, level by level; gradients come from autograd and
online EM makes its counts of them. Constants that gradients do not need are detached, and nothing
is slower than the formulation asks for.

Shapes: B images, V variables, R replicas of disjoint leaf regions, L products of a level, K sums a
region, S statistics of a leaf.

Reference: Peharz et al., "Einsum networks: fast and scalable learning of tractable probabilistic
circuits", ICML 2020, Eqs. 4 and 5, Secs. 3.3 and 3.5.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from baselines.einet.circuit import Circuit
from baselines.einet.region_graph import RegionGraph


@dataclass
class Level:
    """Products of one level and the mixtures over them.

    Attributes:
        sources: the levels that children come from, 0 being the leaves.
        left: first children's places in those levels' regions side by side, [L].
        right: second children's places.
        weights: [L, K_out, K, K].
        mixing: [n, K_out, p] where regions have p > 1 partitions, L = p n; otherwise None.
    """

    sources: list[int]
    left: Tensor
    right: Tensor
    weights: Tensor
    mixing: Tensor | None


class Textbook:
    """The same network as a circuit of binomial leaves, with copies of its parameters."""

    def __init__(self, circuit: Circuit, dtype: torch.dtype = torch.float32) -> None:
        self.trials, k = circuit.leaf.trials, circuit.components
        replicas = disjoint_replicas(circuit.graph)
        shape = (circuit.n_variables, max(replicas) + 1)
        self.phi = torch.ones(shape[0], k, shape[1], 1, dtype=dtype)  # [V, K, R, S]
        self.scope = torch.zeros(*shape, len(replicas), dtype=dtype)  # [V, R, regions]
        for region, replica in enumerate(replicas):
            present = circuit.scope[region] < circuit.n_variables
            variables = circuit.scope[region][present]
            phi = circuit.phi[region][..., present]  # [K, S, D]
            self.phi[variables, :, replica] = phi.permute(2, 0, 1).to(dtype)
            self.scope[variables, replica, region] = 1
        self.levels = levels(circuit, dtype)

    def log_density(self, x: Tensor) -> Tensor:
        """Log-density of images, [B, V] -> [B]; keeps what `learn` needs."""
        self.elements = self.leaf_log_densities(x).requires_grad_()
        outputs = [torch.einsum("bvkr,vrl->blk", self.elements, self.scope)]
        for level in self.levels:
            below = [outputs[source] for source in level.sources]
            below = below[0] if len(below) == 1 else torch.cat(below, 1)
            left, right = below.index_select(1, level.left), below.index_select(1, level.right)
            sums = log_einsum_exp(left, right, level.weights)
            outputs.append(sums if level.mixing is None else log_mix_exp(sums, level.mixing))
        return outputs[-1].flatten()

    def leaf_log_densities(self, x: Tensor) -> Tensor:
        """Log h + T theta - A of every element, [B, V, K, R]."""
        n = self.trials
        theta = (self.phi / n).clamp(1e-6, 1 - 1e-6).logit()
        log_normaliser = n * functional.softplus(theta).squeeze(3)
        log_h = math.lgamma(n + 1) - torch.lgamma(x + 1) - torch.lgamma(n - x + 1)
        products = (statistics(x)[:, :, None, None] * theta).sum(4)
        return log_h[:, :, None, None] + products - log_normaliser

    def learn(self, x: Tensor, step: float = 0.1) -> Tensor:
        """One step of online EM, from the gradient of the summed log-likelihood."""
        weights = [w for level in self.levels for w in (level.weights, level.mixing)]
        weights = [w.requires_grad_() for w in weights if w is not None]
        scores = self.log_density(x)
        gradients = torch.autograd.grad(scores.sum(), [*weights, self.elements])
        with torch.no_grad():
            for w, gradient in zip(weights, gradients, strict=False):
                move(w, gradient * w, step)
            p = gradients[-1]  # posteriors of the leaves, [B, V, K, R]
            average = (
                torch.einsum("bvkr,bvs->vkrs", p, statistics(x)) / (p.sum(0) + 1e-12)[..., None]
            )
            self.phi.lerp_(average, step).clamp_(0, self.trials)
        return scores.detach()


def statistics(x: Tensor) -> Tensor:
    """T(x) of binomial leaves, [B, V, S]."""
    return x[..., None]


def log_einsum_exp(left: Tensor, right: Tensor, weights: Tensor) -> Tensor:
    """Eqs. 4 and 5: log sum_ij W[k, ij] exp(left_i + right_j), [B, L, K] twice -> [B, L, K_out]."""
    a, b = left.detach().amax(2, keepdim=True), right.detach().amax(2, keepdim=True)
    sums = torch.einsum("bli,blj,lkij->blk", (left - a).exp(), (right - b).exp(), weights)
    return a + b + sums.log()


def log_mix_exp(sums: Tensor, mixing: Tensor) -> Tensor:
    """Mixtures over partitions, [B, p n, K] -> [B, n, K]."""
    sums = sums.unflatten(1, (mixing.shape[2], -1))
    top = sums.detach().amax(1)
    return top + torch.einsum("bpnk,nkp->bnk", (sums - top[:, None]).exp(), mixing).log()


def move(weights: Tensor, counts: Tensor, step: float) -> None:
    """W <- (1 - s) W + s n / sum(n) over a node's children, in place."""
    children = (2, 3) if weights.dim() == 4 else (2,)
    counts = counts.clamp(min=1e-16)
    counts = counts / counts.sum(children, keepdim=True)
    weights.lerp_(counts, step).clamp_(min=1e-16)
    weights /= weights.sum(children, keepdim=True)


def disjoint_replicas(graph: RegionGraph) -> list[int]:
    """For each leaf the first replica whose leaves so far have none of its pixels."""
    taken: list[set[int]] = []
    replicas = []
    for pixels in (set(leaf.tolist()) for leaf in graph.leaves):
        free = [r for r, seen in enumerate(taken) if not seen & pixels]
        if not free:
            taken.append(set())
        replicas.append(free[0] if free else len(taken) - 1)
        taken[replicas[-1]] |= pixels
    return replicas


def levels(circuit: Circuit, dtype: torch.dtype) -> list[Level]:
    """The sums of a circuit, with copies of their parameters."""
    starts = torch.tensor([0, *(layer.start for layer in circuit.layers)])
    regions = torch.arange(circuit.graph.n_regions)
    origin = torch.searchsorted(starts, regions, right=True) - 1  # the level of each region
    built = []
    for layer in circuit.layers:
        sources = origin[torch.cat([layer.left, layer.right])].unique()
        below = regions[torch.isin(origin, sources)]
        weights = layer.weights.unflatten(2, (circuit.components, -1))
        built.append(
            Level(
                sources=sources.tolist(),
                left=torch.searchsorted(below, layer.left),
                right=torch.searchsorted(below, layer.right),
                weights=weights.to(dtype, copy=True),
                mixing=None if layer.mixing is None else layer.mixing.to(dtype, copy=True),
            )
        )
    return built
