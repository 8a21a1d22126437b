"""Updates against autograd through the definition, and likelihoods that rise."""

from itertools import pairwise

import pytest
import textbook
import torch
from textbook import FAMILIES, images, make

from baselines.einet import circuit as module
from baselines.einet import learning


def counts_by_autograd(circuit, x):
    """Gradients of the log-likelihood of `x` times the weights, and of the leaves' posteriors."""
    values = {k: v.requires_grad_() for k, v in textbook.parameters(circuit).items()}
    regions = [r.detach().requires_grad_() for r in textbook.leaf_log_densities(circuit, values, x)]
    total = textbook.log_density(circuit, values, x, regions=regions).sum()
    names = [name for name in values if name != "leaves"]
    gradients = torch.autograd.grad(total, [values[n] for n in names] + regions)
    counts = {n: g * values[n].detach() for n, g in zip(names, gradients, strict=False)}
    return counts, gradients[len(names) :]


def expected_em_step(circuit, x, step):
    """Model facts: n = w dLL/dw, floor, normalise, mix, floor, normalise; leaves by posteriors."""
    before = textbook.parameters(circuit)
    counts, posteriors = counts_by_autograd(circuit, x)
    after = {}
    for name, n in counts.items():
        n = n.clamp(min=1e-16)
        w = (1 - step) * before[name] + step * n / n.sum(-1, keepdim=True)
        w = w.clamp(min=1e-16)
        after[name] = w / w.sum(-1, keepdim=True)
    phi = before["leaves"].clone()
    for row, (scope, p) in enumerate(zip(circuit.scope, posteriors, strict=True)):
        for column, variable in enumerate(scope.tolist()):
            if variable == circuit.n_variables:
                continue  # fills up a smaller leaf
            value = x[:, variable].double()
            statistics = {
                "Binomial": [value],
                "Normal": [value, value**2],
                "Categorical": [(value == level).double() for level in range(3)],
            }[type(circuit.leaf).__name__]
            for s, t in enumerate(statistics):
                average = (p * t).sum(1) / (p.sum(1) + 1e-12)
                moved = (1 - step) * before["leaves"][row, :, s, column] + step * average
                phi[row, :, s, column] = moved
    circuit.leaf.project(phi)
    return after | {"leaves": phi}


def real(circuit, tensor):
    """Leaf parameters without those that fill up smaller leaves."""
    return tensor.permute(0, 3, 1, 2)[circuit.scope < circuit.n_variables]


def assert_same(circuit, expected, **tolerance):
    for name, tensor in circuit.tensors().items():
        actual, wanted = tensor.double(), expected[name]
        if name == "leaves":
            actual, wanted = real(circuit, actual), real(circuit, wanted)
        torch.testing.assert_close(actual, wanted, **tolerance, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("graph", ["trees", "one tree", "strips", "rectangles"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("chunk", [1, 2**19])
def test_one_step_of_online_em_is_the_published_update(graph, name, chunk, monkeypatch):
    monkeypatch.setitem(module._CHUNK, "cpu", chunk)
    circuit = make(graph, name, channels=2)
    x = images(circuit, n=5)
    expected = expected_em_step(circuit, x, 0.1)
    before = textbook.log_density(circuit, textbook.parameters(circuit), x)
    scores = learning.learn(circuit, x, learning.OnlineEM(circuit, 0.1))
    torch.testing.assert_close(scores + circuit.log_base(x), before, rtol=1e-5, atol=1e-4)
    assert_same(circuit, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_full_em_uses_all_batches_at_once(name):
    circuit = make("rectangles", name)
    x = images(circuit, n=9)
    expected = expected_em_step(circuit, x, 1.0)
    rule = learning.FullEM(circuit)
    for batch in x.split(4):
        learning.learn(circuit, batch, rule)
    rule.end_epoch()
    assert_same(circuit, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("graph", ["trees", "strips"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_likelihood_never_falls_under_full_em(graph, name):
    circuit = make(graph, name)
    x = images(circuit, n=40)
    rule = learning.FullEM(circuit)
    circuit.leaf.project(circuit.phi)  # the published start lies outside the variance's bounds
    scores = []
    for _ in range(15):
        scores.append((learning.learn(circuit, x, rule) + circuit.log_base(x)).mean().item())
        rule.end_epoch()
    assert all(b >= a - 1e-5 for a, b in pairwise(scores))
    assert scores[-1] > scores[0] + 0.1


@pytest.mark.parametrize("name", FAMILIES)
def test_adam_follows_the_gradient_as_torch_does(name):
    circuit = make("trees", name)
    circuit.leaf.project(circuit.phi)
    x = images(circuit, n=6)
    free = {n: v.log().requires_grad_() for n, v in textbook.parameters(circuit).items()}
    free["leaves"] = circuit.leaf.to_free(circuit.phi.double()).requires_grad_()
    reference = torch.optim.Adam(free.values(), lr=0.01, maximize=True)
    rule = learning.Adam(circuit, 0.01)
    for _ in range(3):
        values = {n: v.softmax(-1) for n, v in free.items() if n != "leaves"}
        values["leaves"] = circuit.leaf.from_free(free["leaves"])
        reference.zero_grad()
        textbook.log_density(circuit, values, x).sum().backward()
        reference.step()
        learning.learn(circuit, x, rule)
    values = {n: v.detach().softmax(-1) for n, v in free.items() if n != "leaves"}
    values["leaves"] = circuit.leaf.from_free(free["leaves"].detach())
    assert_same(circuit, values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gradient_of_leaves_is_that_of_autograd(name):
    leaf = FAMILIES[name]
    phi = leaf.initial((2, 3, 4), torch.Generator().manual_seed(0)).double()
    leaf.project(phi)
    x = images(make("one tree", name), n=5)[:, 0].double()  # the same for all four variables
    p = torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    free = leaf.to_free(phi).requires_grad_()
    theta, log_normaliser = leaf.natural(leaf.from_free(free))
    features = leaf.features(x.expand(1, 1, 5))[0]  # [S, B]
    log_p = torch.einsum("nksd,sb->nkdb", theta, features) - log_normaliser[..., None]
    (p[:, :, None] * log_p).sum().backward()
    moments = torch.einsum("nkb,sb->nks", p, features)[..., None].expand_as(phi)
    actual = leaf.free_gradient(phi, p.sum(2), moments)
    torch.testing.assert_close(actual, free.grad, rtol=1e-5, atol=1e-5)


def test_weights_stay_normalised_and_variances_within_bounds():
    circuit = make("rectangles", "normal")
    rule = learning.OnlineEM(circuit, 0.5)
    for seed in range(20):
        learning.learn(circuit, images(circuit, seed=seed), rule)
    for name, tensor in circuit.tensors().items():
        if name != "leaves":
            torch.testing.assert_close(tensor.sum(-1), torch.ones(tensor.shape[:-1]))
    mean, second = circuit.phi.unbind(2)
    variance = second - mean**2
    assert variance.min() >= 0.9e-6
    assert variance.max() <= 0.1 + 1e-6


def test_a_leaf_that_no_image_reaches_decays_and_stays_finite():
    circuit = make("one tree", "binomial", components=2)
    with torch.no_grad():
        circuit.layers[0].weights.copy_(torch.tensor([[[1.0, 1e-16, 1e-16, 1e-16]]]))
    before = circuit.phi.clone()
    learning.learn(circuit, torch.zeros(3, 4), learning.OnlineEM(circuit, 0.1))
    torch.testing.assert_close(circuit.phi[:, 1], 0.9 * before[:, 1], rtol=1e-2, atol=0)
    assert torch.isfinite(circuit.log_density(torch.ones(1, 4))).all()
