"""Counts against the closed formulas, estimates against real tensors."""

import pytest
from textbook import FAMILIES, GRAPHS, make

from baselines.einet import cost
from baselines.einet.circuit import Circuit
from baselines.einet.families import Binomial, Normal
from baselines.einet.region_graph import poon_domingos, random_binary_trees


@pytest.mark.parametrize("leaf, expected", [(Normal(), 515_683), (Binomial(), 484_323)])
def test_pd_of_the_paper(leaf, expected):
    graph = poon_domingos((28, 28), 7, axes=(1,))
    assert cost.count_parameters(graph, 40, leaf) == expected


@pytest.mark.parametrize(
    "k, d, r", [(5, 1, 10), (10, 4, 10), (40, 5, 10), (20, 9, 25), (40, 9, 40)]
)
@pytest.mark.parametrize("leaf", [Binomial(), Normal()])
def test_rat_by_the_formula(k, d, r, leaf):
    formula = 784 * k * r * leaf.statistics + r * k**3 * (2**d - 2) + r * k**2 + r
    assert cost.count_parameters(random_binary_trees((28, 28), d, r), k, leaf) == formula


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", FAMILIES)
def test_counts_are_those_of_the_built_circuit(graph, name):
    circuit = make(graph, name, channels=3)
    present = int((circuit.scope < circuit.n_variables).sum())
    built = present * 3 * FAMILIES[name].statistics
    built += sum(t.numel() for n, t in circuit.tensors().items() if n != "leaves")
    assert cost.count_parameters(GRAPHS[graph], 3, FAMILIES[name], 3) == built


@pytest.mark.parametrize("d", [1, 5, 9])
def test_the_estimate_covers_parameters_and_values(d):
    graph = random_binary_trees((28, 28), d, 2)
    circuit = Circuit(graph, 5, Binomial())
    tensors = sum(t.numel() for t in circuit.tensors().values())
    values = 2 * graph.n_regions * 5 * 100
    estimate = cost.estimated_memory(graph, 5, Binomial())
    assert 4 * (tensors + values) < estimate < 4 * (tensors + 3 * values) + 2**26


def test_the_largest_point_of_the_papers_grid_fits_a_machine_of_24_gb():
    graph = random_binary_trees((28, 28), 9, 40)
    assert 6e9 < cost.estimated_memory(graph, 40, Binomial()) < 10e9


@pytest.mark.parametrize("optimizer, copies", [("full_em", 2), ("adam", 3)])
def test_other_optimizers_hold_the_parameters_more_than_once(optimizer, copies):
    graph = random_binary_trees((8, 8), 3, 4)
    base = cost.estimated_memory(graph, 10, Normal())
    more = cost.estimated_memory(graph, 10, Normal(), optimizer=optimizer)
    assert more - base >= (copies - 1) * 4 * cost.count_parameters(graph, 10, Normal())
