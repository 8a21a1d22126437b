"""Densities against their definition and against sums over all images."""

import numpy as np
import pytest
import textbook
import torch
from textbook import FAMILIES, GRAPHS, images, make, states

from baselines.einet import circuit as module
from baselines.einet.circuit import Circuit
from baselines.einet.families import Binomial, Categorical, Normal, family
from baselines.einet.region_graph import random_binary_trees

DISCRETE = ["binomial", "categorical"]


@pytest.mark.parametrize("graph", ["trees", "one tree", "rectangles"])
@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_of_all_images_sum_to_one(graph, name):
    circuit = make(graph, name)
    total = circuit.log_density(states(circuit.n_variables)).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("channels", [1, 2])
def test_log_density_is_that_of_the_definition(graph, name, channels):
    circuit = make(graph, name, channels=channels)
    x = images(circuit)
    expected = textbook.log_density(circuit, textbook.parameters(circuit), x)
    torch.testing.assert_close(circuit.log_density(x), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("graph", ["trees", "rectangles"])
def test_a_marginal_is_the_sum_over_what_is_unknown(graph, name):
    circuit = make(graph, name)
    everything = states(6)
    known = torch.tensor([True, False, True, True, False, True])
    x = everything[[0, 100, 500]]
    alike = (everything[None, :, known] == x[:, None, known]).all(2)  # [3, 729]
    expected = (alike * circuit.log_density(everything).exp()).sum(1).log()
    actual = circuit.log_density(x, known.expand(3, 6))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_masks_may_differ_between_images(name):
    circuit = make("trees", name)
    x = images(circuit)
    known = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    values = textbook.parameters(circuit)
    expected = textbook.log_density(circuit, values, x, known)
    torch.testing.assert_close(circuit.log_density(x, known), expected, rtol=1e-5, atol=1e-4)
    alone = [circuit.log_density(a[None], b[None]) for a, b in zip(x, known, strict=True)]
    torch.testing.assert_close(torch.cat(alone), circuit.log_density(x, known))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("graph", GRAPHS)
def test_nothing_known_has_log_density_zero(graph, name):
    circuit = make(graph, name)
    nothing = torch.zeros(2, circuit.n_variables, dtype=torch.bool)
    scores = circuit.log_density(torch.full(nothing.shape, torch.nan), nothing)
    assert scores.abs().max() < 1e-5


def test_all_known_is_the_same_as_no_mask():
    circuit = make("rectangles", "binomial")
    x = images(circuit)
    masked = circuit.log_density(x, torch.ones_like(x, dtype=torch.bool))
    torch.testing.assert_close(masked, circuit.log_density(x), rtol=1e-6, atol=1e-5)


def test_chunks_do_not_change_the_result(monkeypatch):
    circuit = make("trees", "normal")
    x = images(circuit)
    whole = circuit.log_density(x)
    monkeypatch.setitem(module._CHUNK, "cpu", 1)
    torch.testing.assert_close(circuit.log_density(x), whole)


def test_log_densities_far_below_float32_stay_finite():
    graph = random_binary_trees((28, 28), 4, 3)
    circuit = Circuit(graph, 4, Binomial())
    x = torch.zeros(3, 784)
    x[1], x[2, ::2] = 255, 255
    scores = circuit.log_density(x)
    assert torch.isfinite(scores).all()
    assert scores.max() < -10_000


@pytest.mark.parametrize("name", FAMILIES)
def test_leaves_are_densities_with_the_stated_base_measure(name):
    leaf = FAMILIES[name]
    phi = leaf.initial((1, 2, 3), torch.Generator().manual_seed(0))
    theta, log_normaliser = leaf.natural(phi)
    x = torch.tensor([[0.0, 1, 2]]).T[None]  # one leaf region, three variables, one image
    features = leaf.features(x).unflatten(1, (leaf.statistics, 3))
    log_p = (theta * features[..., 0]).sum(2) - log_normaliser + leaf.log_base(x)[..., 0]
    expected = textbook.distribution(leaf, phi[0]).log_prob(x[0, :, 0])
    torch.testing.assert_close(log_p[0], expected, rtol=1e-4, atol=1e-5)


def test_the_released_scaling_accepts_values_between_whole_numbers():
    leaf = family("binomial", "unit")
    x = torch.tensor([0.0, 0.5, 1.0])
    leaf.check(x)
    assert leaf.log_base(x)[0].item() == pytest.approx(0, abs=1e-3)
    assert leaf.log_base(x)[2].item() == pytest.approx(np.log(255), abs=1e-3)
    assert 0 < leaf.log_base(x)[1] < np.log(255)


def test_leaf_means_and_modes_are_those_of_the_distribution():
    binomial = Binomial(trials=4)
    phi = torch.tensor([[[0.4, 2.0, 3.9]]])
    support = torch.arange(5.0)
    log_p = textbook.distribution(binomial, phi).log_prob(support[:, None, None])
    assert binomial.mode(phi)[0].tolist() == log_p[:, 0].argmax(0).tolist()
    assert binomial.mean(phi)[0].tolist() == phi[0, 0].tolist()
    categorical = Categorical(levels=3)
    phi = torch.tensor([[[0.2], [0.3], [0.5]]])
    assert categorical.mode(phi).item() == 2
    assert categorical.mean(phi).item() == pytest.approx(1.3)
    assert Normal().mean(torch.tensor([[[0.3], [0.1]]])).item() == pytest.approx(0.3)


@pytest.mark.parametrize(
    "leaf, value, message",
    [
        (Binomial(), 256.0, r"\[0, 256\], outside the domain \[0, 255\] of a binomial"),
        (Binomial(), -1.0, "outside the domain"),
        (Binomial(), 0.5, "not whole numbers, as a binomial leaf"),
        (Binomial(), float("nan"), "outside the domain"),
        (Normal(), float("inf"), "outside the domain .* of a normal leaf"),
        (Categorical(), 256.0, "outside the domain .* of a categorical leaf of 256 levels"),
        (Categorical(), 0.5, "not whole numbers"),
    ],
)
def test_values_outside_the_domain_are_refused(leaf, value, message):
    circuit = Circuit(GRAPHS["one tree"], 2, leaf)
    x = torch.zeros(1, 4)
    x[0, 3] = value
    with pytest.raises(ValueError, match=message):
        circuit.log_density(x)
    unknown = torch.tensor([[True, True, True, False]])
    assert torch.isfinite(circuit.log_density(x, unknown)).all()


@pytest.mark.parametrize("components", [0, -1, 1.5])
def test_components_below_one_are_refused(components):
    with pytest.raises(ValueError, match="components must be a whole number of at least 1"):
        Circuit(GRAPHS["one tree"], components, Binomial())


def test_one_component_is_a_product_of_leaves():
    circuit = make("trees", "binomial", components=1)
    x = images(circuit)
    expected = textbook.log_density(circuit, textbook.parameters(circuit), x)
    torch.testing.assert_close(circuit.log_density(x), expected, rtol=1e-5, atol=1e-5)
