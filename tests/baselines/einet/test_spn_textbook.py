"""The benchmark's competitor computes the same: that is what makes the comparison fair."""

import pytest
import textbook
import torch
from textbook import images, make

from baselines.einet import learning
from baselines.einet.region_graph import random_binary_trees
from benchmarks.spn_textbook import Textbook, disjoint_replicas


@pytest.mark.parametrize("graph", ["trees", "one tree", "strips", "rectangles"])
def test_the_textbook_formulation_takes_the_same_step(graph):
    circuit = make(graph, "binomial", channels=2)
    plain = Textbook(circuit, torch.float64)
    x = images(circuit)
    expected = circuit.log_density(x)
    torch.testing.assert_close(plain.log_density(x.double()), expected, rtol=1e-6, atol=1e-5)
    learning.learn(circuit, x, learning.OnlineEM(circuit, 0.1))
    scores = plain.learn(x.double(), 0.1)
    torch.testing.assert_close(scores, expected, rtol=1e-6, atol=1e-5)
    assert_same_parameters(circuit, plain)
    torch.testing.assert_close(
        plain.log_density(x.double()), circuit.log_density(x), rtol=1e-5, atol=1e-4
    )


def assert_same_parameters(circuit, plain):
    for layer, level in zip(circuit.layers, plain.levels, strict=True):
        weights = level.weights.detach().flatten(2)
        torch.testing.assert_close(layer.weights.double(), weights, rtol=1e-4, atol=1e-6)
        assert (layer.mixing is None) == (level.mixing is None)
        if level.mixing is not None:
            mixing = level.mixing.detach()
            torch.testing.assert_close(layer.mixing.double(), mixing, rtol=1e-4, atol=1e-6)
    replicas = disjoint_replicas(circuit.graph)
    for phi, scope, replica in zip(circuit.phi, circuit.scope, replicas, strict=True):
        present = scope < circuit.n_variables
        expected = plain.phi[scope[present], :, replica].permute(1, 2, 0)
        torch.testing.assert_close(phi[..., present].double(), expected, rtol=1e-4, atol=1e-6)


def test_every_tree_is_a_replica():
    graph = random_binary_trees((4, 4), depth=2, repetitions=3)
    assert disjoint_replicas(graph) == [0] * 4 + [1] * 4 + [2] * 4


def test_its_log_density_is_that_of_the_definition():
    circuit = make("rectangles", "binomial")
    x = images(circuit)
    actual = Textbook(circuit, torch.float64).log_density(x.double())
    expected = textbook.log_density(circuit, textbook.parameters(circuit), x)
    torch.testing.assert_close(actual, expected)
