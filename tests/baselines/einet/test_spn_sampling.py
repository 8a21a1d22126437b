"""Draws against the probabilities of all images."""

import pytest
import textbook
import torch
from textbook import make, states

from baselines.einet import sampling

N = 20_000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def frequencies(x):
    """How often each of the 3^V images occurs among the rows of x."""
    places = 3 ** torch.arange(x.shape[1] - 1, -1, -1)
    return torch.bincount((x.long() * places).sum(1), minlength=3 ** x.shape[1]) / len(x)


def assert_drawn_from(x, probabilities):
    """Chi-square over cells of at least 20 expected draws, against mean + 5 deviations."""
    expected = probabilities * len(x)
    common = expected >= 20
    seen = frequencies(x) * len(x)
    cells = torch.cat([seen[common], seen[~common].sum()[None]])
    wanted = torch.cat([expected[common], expected[~common].sum()[None].clamp(min=1e-9)])
    chi2 = ((cells - wanted) ** 2 / wanted.clamp(min=1)).sum().item()
    freedom = len(cells) - 1
    assert chi2 < freedom + 5 * (2 * freedom) ** 0.5


@pytest.mark.parametrize("graph", ["trees", "one tree", "rectangles"])
@pytest.mark.parametrize("name", ["binomial", "categorical"])
def test_draws_have_the_circuits_probabilities(graph, name):
    circuit = make(graph, name)
    probabilities = circuit.log_density(states(circuit.n_variables)).exp()
    assert_drawn_from(sampling.sample(circuit, N, seeded()), probabilities)


@pytest.mark.parametrize("graph", ["trees", "rectangles"])
@pytest.mark.parametrize("name", ["binomial", "categorical"])
def test_conditional_draws_have_the_conditional_probabilities(graph, name):
    circuit = make(graph, name)
    known = torch.tensor([True, False, False, True, True, False])
    x = torch.tensor([2.0, 0, 0, 1, 0, 0]).expand(N, 6)
    drawn = sampling.conditional(circuit, x, known.expand(N, 6), seeded())
    assert torch.equal(drawn[:, known], x[:, known])
    everything = states(6)
    alike = (everything[:, known] == x[0, known]).all(1)
    joint = alike * circuit.log_density(everything).exp()
    assert_drawn_from(drawn, joint / joint.sum())


def test_conditional_draws_hold_for_each_image_its_own_evidence():
    circuit = make("trees", "categorical")
    half = N // 2
    known = torch.zeros(N, 6, dtype=torch.bool)
    known[:half, :3], known[half:, 3:] = True, True
    x = torch.ones(N, 6)
    drawn = sampling.conditional(circuit, x, known, seeded(1))
    everything = states(6)
    joint = circuit.log_density(everything).exp()
    for rows, part in ((slice(half), slice(3)), (slice(half, N), slice(3, 6))):
        conditional = joint * (everything[:, part] == 1).all(1)
        assert_drawn_from(drawn[rows], conditional / conditional.sum())


def test_normal_draws_have_the_mixtures_moments():
    circuit = make("strips", "normal", components=2)
    circuit.leaf.project(circuit.phi)
    noisy = sampling.sample(circuit, N, seeded())
    calm = sampling.sample(circuit, N, seeded(1), noise=False)
    torch.testing.assert_close(noisy.mean(0), calm.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(noisy.var(0) - calm.var(0), torch.full((8,), 0.1), rtol=0, atol=0.05)


def test_without_noise_leaves_give_their_means():
    circuit = make("one tree", "binomial", components=2)
    drawn = sampling.sample(circuit, 50, seeded(), noise=False)
    for scope, phi in zip(circuit.scope, circuit.phi, strict=True):
        distances = (drawn[:, None, scope] - phi[None, :, 0]).abs().amax(2)
        assert distances.amin(1).max() < 1e-6


def test_the_most_probable_completion_is_found_where_one_branch_dominates():
    circuit = make("trees", "categorical", components=2, seed=3)
    for name, tensor in circuit.tensors().items():
        if name != "leaves":
            tensor.copy_((tensor.log() * 40).softmax(-1).clamp(min=1e-16))
    circuit.phi.copy_((circuit.phi.log() * 6).softmax(2))
    known = torch.tensor([True, True, False, False, False, False])
    x = states(6)[torch.randperm(729, generator=seeded())[:20]]
    completed = sampling.most_probable(circuit, x, known.expand_as(x))
    everything = states(6)
    scores = circuit.log_density(everything)
    for before, after in zip(x, completed, strict=True):
        alike = (everything[:, known] == before[known]).all(1)
        best = everything[alike][scores[alike].argmax()]
        assert torch.equal(after, best)


def test_the_same_generator_state_gives_the_same_draws():
    circuit = make("rectangles", "normal")
    first, again, other = (sampling.sample(circuit, 9, seeded(s)) for s in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_evidence_outside_the_domain_is_refused():
    circuit = make("one tree", "binomial")
    with pytest.raises(ValueError, match="outside the domain"):
        sampling.most_probable(circuit, torch.full((1, 4), 3.0), torch.ones(1, 4, dtype=bool))


def test_textbook_agrees_on_what_sums_to_one():
    """The reference of these tests is a distribution too."""
    circuit = make("trees", "categorical")
    scores = textbook.log_density(circuit, textbook.parameters(circuit), states(6))
    assert scores.exp().sum().item() == pytest.approx(1)
