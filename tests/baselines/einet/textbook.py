"""The circuit as its definition reads: loops, float64, logarithms throughout, autograd allowed."""

from itertools import product

import torch

from baselines.einet.circuit import Circuit
from baselines.einet.families import Binomial, Categorical, Normal
from baselines.einet.region_graph import poon_domingos, random_binary_trees

FAMILIES = {
    "binomial": Binomial(trials=2),
    "categorical": Categorical(levels=3),
    "normal": Normal(),
}
GRAPHS = {
    "trees": random_binary_trees((2, 3), 2, 2, seed=1),  # leaves of one and of two pixels
    "one tree": random_binary_trees((2, 2), 1, 1),
    "strips": poon_domingos((2, 4), 1, axes=(1,)),
    "rectangles": poon_domingos((2, 3), 1),
}


def make(graph, family="categorical", components=3, channels=1, seed=0):
    """A circuit with random parameters."""
    generator = torch.Generator().manual_seed(seed)
    return Circuit(GRAPHS[graph], components, FAMILIES[family], channels, generator=generator)


def images(circuit, n=7, seed=0):
    """Random values in the domain of the circuit's leaves."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, circuit.n_variables, generator=generator)
    return x if isinstance(circuit.leaf, Normal) else (3 * x).floor()


def parameters(circuit):
    """Copies in float64."""
    return {name: t.double().clone() for name, t in circuit.tensors().items()}


def states(variables, levels=3):
    """All images of that many variables, [levels^V, V]."""
    return torch.tensor(list(product(range(levels), repeat=variables)), dtype=torch.float32)


def distribution(family, phi):
    """One leaf's distributions by torch.distributions; phi [K, S, D]."""
    if isinstance(family, Binomial):
        return torch.distributions.Binomial(family.trials, phi[:, 0] / family.trials)
    if isinstance(family, Categorical):
        return torch.distributions.Categorical(phi.transpose(1, 2))
    return torch.distributions.Normal(phi[:, 0], (phi[:, 1] - phi[:, 0] ** 2).sqrt())


def leaf_log_densities(circuit, values, x, known=None):
    """For each leaf region [K, B]."""
    regions = []
    for phi, scope in zip(values["leaves"], circuit.scope, strict=True):
        present = scope < circuit.n_variables
        columns = x.double()[:, scope[present]]  # [B, D]
        log_p = distribution(circuit.leaf, phi[..., present]).log_prob(columns[:, None])
        if known is not None:
            log_p = log_p * known[:, None, scope[present]]
        regions.append(log_p.sum(2).T)
    return regions


def log_density(circuit, values, x, known=None, regions=None):
    """[B] float64."""
    if regions is None:
        regions = leaf_log_densities(circuit, values, x, known)
    regions = list(regions)
    for index, layer in enumerate(circuit.graph.layers):
        p, n = layer.left.shape
        weights = values[f"sums{index}"].unflatten(0, (p, n))
        mixing = values.get(f"mixing{index}")
        new = []
        for r in range(n):
            partitions = []
            for q in range(p):
                left, right = regions[layer.left[q, r]], regions[layer.right[q, r]]
                pairs = (left[:, None] + right[None]).flatten(0, 1)  # [K * K, B]
                joint = weights[q, r].log()[..., None] + pairs
                partitions.append(joint.logsumexp(1))
            stacked = torch.stack(partitions, 1)  # [K_out, p, B]
            if mixing is not None:
                stacked = stacked + mixing[r].log()[..., None]
            new.append(stacked.logsumexp(1))
        regions += new
    return regions[-1][0]
