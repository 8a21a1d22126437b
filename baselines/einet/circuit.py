"""A circuit: the layers of a region graph as tensors, and its log-density.

A region has K sums. A partition's k-th sum is sum_ij W[k, ij] l_i r_j over the sums of its two
children; a region of several partitions mixes theirs. Sums are kept as *shares*, divided by the
largest of their region, beside the logarithm of that divisor: shares stay within float32, weights
stay out of the logarithm, and logarithms are taken once a region instead of once a sum.

Shapes: K sums a region, B images, V variables (pixels times channels). Images come last, so that
every operation runs along contiguous memory.

Reference: Peharz et al. 2020, "Einsum networks", Eqs. 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from baselines.checks import as_count
from baselines.einet.layer import SumLayer
from baselines.einet.leaves import Leaf, uniform
from baselines.einet.region_graph import RegionGraph

# Floats of a temporary: on a CPU it should stay in the cache, a GPU wants long queues.
_CHUNK = {"cpu": 2**19, "cuda": 2**26}

Shapes = dict[str, tuple[int, ...]]

_LEAST_LOG_SHARE = -80.0  # below, float32 is denormal: ten times slower, and of no weight


@dataclass
class Trace:
    """What the backward pass needs of one layer.

    Attributes:
        products: shares of products, [p * n, K_out, B].
        peaks: largest sum of each product before division, [p * n, B].
        scales: of products against the largest of their region, [p, n, 1, B]; None if p = 1.
        mixed: shares of regions, [n, K_out, B]; None if p = 1.
        mixed_peaks: largest sum of each region before division, [n, B]; None if p = 1.
    """

    products: Tensor
    peaks: Tensor
    scales: Tensor | None = None
    mixed: Tensor | None = None
    mixed_peaks: Tensor | None = None


@dataclass
class Values:
    """A forward pass.

    Attributes:
        shares: [regions, K, B], largest entry of each region 1.
        logs: [regions, B] float64, what the shares were divided by.
        traces: one a layer.
        log_density: [B] float64, the root's, without the base measure of the leaves.
    """

    shares: Tensor
    logs: Tensor
    traces: list[Trace]
    log_density: Tensor


class Circuit:
    """A region graph with parameters.

    Args:
        graph: the structure over pixels.
        components: K, the number of sums a region and of distributions a leaf.
        leaf: family of the leaves.
        channels: of a pixel; a leaf factorises over its pixels and their channels.
        generator: of the initial parameters, on the CPU.
        device: where the tensors live.

    Raises:
        ValueError: if K is below 1.
    """

    def __init__(
        self,
        graph: RegionGraph,
        components: int,
        leaf: Leaf,
        channels: int = 1,
        *,
        generator: torch.Generator | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.graph, self.leaf = graph, leaf
        self.components = as_count("components", components)
        self.n_variables = graph.size[0] * graph.size[1] * channels
        self.device = torch.device(device)
        generator = generator or torch.Generator("cpu").manual_seed(0)
        shapes = tensor_shapes(graph, self.components, leaf, channels)
        self._build_leaves(channels, shapes, generator)
        self._build_layers(shapes, generator)

    def _build_leaves(self, channels: int, shapes: Shapes, generator: torch.Generator) -> None:
        count, components, _, width = shapes["leaves"]
        scope = np.full((count, width), self.n_variables)  # a row of zeros
        for row, pixels in zip(scope, self.graph.leaves, strict=True):
            variables = pixels[:, None] * channels + np.arange(channels)
            row[: variables.size] = variables.ravel()
        self.scope = torch.from_numpy(scope).to(self.device)
        present = self.scope < self.n_variables
        self.present = None if bool(present.all()) else present.to(torch.float32)[:, None]
        self.phi = self.leaf.initial((count, components, width), generator).to(self.device)

    def _build_layers(self, shapes: Shapes, generator: torch.Generator) -> None:
        self.layers: list[SumLayer] = []
        start = len(self.graph.leaves)
        for index, layer in enumerate(self.graph.layers):
            self.layers.append(
                SumLayer(
                    left=torch.from_numpy(layer.left.ravel()).to(self.device),
                    right=torch.from_numpy(layer.right.ravel()).to(self.device),
                    start=start,
                    weights=self._weights(shapes[f"sums{index}"], generator),
                    mixing=self._weights(shapes.get(f"mixing{index}"), generator),
                )
            )
            start += layer.left.shape[1]

    def _weights(self, shape: tuple[int, ...] | None, generator: torch.Generator) -> Tensor | None:
        if shape is None:
            return None
        weights = uniform(shape, generator)
        return weights.div_(weights.sum(-1, keepdim=True)).to(self.device)

    def tensors(self) -> dict[str, Tensor]:
        """All parameters by name; changing them in place changes the circuit."""
        tensors = {"leaves": self.phi}
        for index, layer in enumerate(self.layers):
            tensors[f"sums{index}"] = layer.weights
            if layer.mixing is not None:
                tensors[f"mixing{index}"] = layer.mixing
        return tensors

    def chunks(self, rows: int, floats: int) -> Iterator[slice]:
        """Slices of rows such that temporaries of `floats` numbers a row stay small."""
        size = max(1, chunk_floats(self.device.type) // max(1, floats))
        return (slice(start, min(start + size, rows)) for start in range(0, rows, size))

    def leaf_chunks(self, batch: int) -> Iterator[slice]:
        """Slices of leaf regions."""
        n, k, s, d = self.phi.shape
        return self.chunks(n, max(s * d, k) * max(batch, k))

    def columns(self, x: Tensor) -> Tensor:
        """Variables as rows, images as columns, a row of zeros below: [B, V] -> [V + 1, B]."""
        rows = torch.zeros(x.shape[1] + 1, len(x), dtype=torch.float32, device=self.device)
        rows[:-1].copy_(x.T)
        return rows

    def log_density(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Log-density of images in nats, [B, V] -> [B] float64.

        Args:
            x: values in the leaves' domain.
            known: boolean [B, V]; the others are integrated out.

        Raises:
            ValueError: for a known value outside the domain.
        """
        self.leaf.check(x if known is None else x[known])
        if known is not None:
            x = x.where(known, x.new_zeros(()))
        return self.forward(x, known).log_density + self.log_base(x, known)

    def log_base(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        """Log of the leaves' base measure, the same for every component: [B, V] -> [B] float64."""
        base = self.leaf.log_base(x)
        if known is not None:
            base = base * known
        return base.sum(1, dtype=torch.float64)

    def forward(self, x: Tensor, known: Tensor | None = None) -> Values:
        """Evaluate every region, bottom to top: [B, V], values in the leaves' domain."""
        x = self.columns(x)
        known = None if known is None else self.columns(known)
        batch = x.shape[1]
        shape = (self.graph.n_regions, self.components, batch)
        shares = torch.empty(shape, dtype=torch.float32, device=self.device)
        logs = torch.empty(shape[0], batch, dtype=torch.float64, device=self.device)
        for part in self.leaf_chunks(batch):
            log_p = self._leaf_log_density(part, x, known)
            peaks = log_p.amax(1)
            log_p.sub_(peaks[:, None]).clamp_(min=_LEAST_LOG_SHARE)
            torch.exp(log_p, out=shares[part])
            logs[part] = peaks
        values = Values(shares, logs, [], logs.new_empty(0))
        for layer in self.layers:
            self._sum(layer, values)
        return values

    def vacuous(self) -> Values:
        """The forward pass of one image of which nothing is known."""
        shape = (self.graph.n_regions, self.components, 1)
        logs = torch.zeros(shape[0], 1, dtype=torch.float64, device=self.device)
        return Values(torch.ones(shape, dtype=torch.float32, device=self.device), logs, [], logs[0])

    def _leaf_log_density(self, part: slice, x: Tensor, known: Tensor | None) -> Tensor:
        """sum_d theta_d . T(x_d) - A_d over a leaf's variables, [n, K, B]."""
        theta, log_normaliser = self.leaf.natural(self.phi[part])
        if self.present is not None:  # leaves differ in size: rows that fill up count nothing
            theta = theta * self.present[part, :, None]
            log_normaliser = log_normaliser * self.present[part]
        features = self.leaf.features(x[self.scope[part]])
        if known is None:
            offset = log_normaliser.sum(2, keepdim=True)
            return torch.baddbmm(offset, theta.flatten(2), features, beta=-1)
        seen = known[self.scope[part]]  # [n, D, B]
        features = features * seen.repeat(1, self.leaf.statistics, 1)
        return torch.bmm(theta.flatten(2), features) - torch.bmm(log_normaliser, seen)

    def _sum(self, layer: SumLayer, values: Values) -> None:
        """Evaluate one layer from the shares of its children."""
        nodes, k_out, pairs = layer.weights.shape
        batch = values.shares.shape[2]
        is_root = layer is self.layers[-1]
        alone = layer.mixing is None and not is_root
        products = (
            values.shares[layer.regions] if alone else values.shares.new_empty(nodes, k_out, batch)
        )
        peaks = values.shares.new_empty(nodes, batch)
        logs = values.logs.new_empty(nodes, batch)
        for part in self.chunks(nodes, pairs * batch):
            left, right = layer.left_rows.of(part), layer.right_rows.of(part)
            joint = outer(values.shares[left], values.shares[right])
            torch.bmm(layer.weights[part], joint, out=products[part])
            torch.amax(products[part], 1, out=peaks[part])
            products[part].div_(peaks[part, None])
            logs[part] = values.logs[left] + values.logs[right] + peaks[part].log()
        trace = Trace(products, peaks)
        if layer.mixing is not None:
            logs = self._mix(layer, trace, logs)
        values.traces.append(trace)
        if is_root:
            values.log_density = logs[0]
            return
        values.logs[layer.regions] = logs
        if layer.mixing is not None:
            values.shares[layer.regions] = trace.mixed

    def _mix(self, layer: SumLayer, trace: Trace, logs: Tensor) -> Tensor:
        """Mix the partitions of each region, [p * n, ...] -> [n, ...]."""
        p = layer.partitions
        logs = logs.unflatten(0, (p, -1))
        top = logs.amax(0)
        trace.scales = (logs - top).exp_().to(torch.float32)[:, :, None]
        weights = layer.mixing.permute(2, 0, 1)[..., None]  # [p, n, K_out, 1]
        mixed = (weights * trace.products.unflatten(0, (p, -1)) * trace.scales).sum(0)
        trace.mixed_peaks = mixed.amax(1)
        trace.mixed = mixed.div_(trace.mixed_peaks[:, None])
        return top + trace.mixed_peaks.log()


def tensor_shapes(graph: RegionGraph, components: int, leaf: Leaf, channels: int = 1) -> Shapes:
    """Shapes of what `Circuit.tensors` gives, without a circuit."""
    k = components
    width = max(map(len, graph.leaves)) * channels  # smaller leaves are filled up
    shapes: Shapes = {"leaves": (len(graph.leaves), k, leaf.statistics, width)}
    for index, layer in enumerate(graph.layers):
        p, n = layer.left.shape
        k_out = 1 if layer is graph.layers[-1] else k
        shapes[f"sums{index}"] = (p * n, k_out, k**2)
        if p > 1:
            shapes[f"mixing{index}"] = (n, k_out, p)
    return shapes


def chunk_floats(device: str) -> int:
    """Size of a temporary on a type of device, in numbers."""
    return _CHUNK.get(device, _CHUNK["cpu"])


def outer(left: Tensor, right: Tensor) -> Tensor:
    """All products l_i r_j, [n, K, B] twice -> [n, K * K, B]."""
    return (left[:, :, None] * right[:, None]).flatten(1, 2)
