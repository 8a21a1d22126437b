"""Steps that are recorded on a GPU and replayed are the steps themselves."""

import pytest
import torch

from baselines.einet import learning, replay
from baselines.einet.circuit import Circuit
from baselines.einet.families import Binomial, Normal
from baselines.einet.region_graph import random_binary_trees

ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
BATCH = 7


def circuit(leaf, device):
    graph = random_binary_trees((6, 6), 2, 3)
    return Circuit(graph, 4, leaf, generator=torch.Generator().manual_seed(3), device=device)


def batches(device, leaf):
    x = torch.rand(5, BATCH, 36, generator=torch.Generator().manual_seed(1))
    return (x * leaf.scale).round().to(device) if leaf.scale != 1 else x.to(device)


@ON_GPU
@pytest.mark.parametrize("leaf", [Binomial(), Normal()], ids=["binomial", "normal"])
def test_replayed_steps_are_the_launched_ones(leaf):
    launched, replayed = (circuit(leaf, "cuda") for _ in range(2))
    rule = learning.OnlineEM(launched, 0.1)
    step = replay.stepper(replayed, learning.OnlineEM(replayed, 0.1), BATCH)
    assert isinstance(step, replay.Recorded)
    for name, tensor in replayed.tensors().items():  # recording has changed nothing
        torch.testing.assert_close(tensor, launched.tensors()[name], rtol=0, atol=0)
    for x in (*batches("cuda", leaf), batches("cuda", leaf)[0][:3]):  # the last is no whole batch
        torch.testing.assert_close(step(x), learning.learn(launched, x, rule), rtol=1e-6, atol=1e-4)
    for name, tensor in replayed.tensors().items():
        torch.testing.assert_close(tensor, launched.tensors()[name], rtol=1e-5, atol=1e-6)


@ON_GPU
def test_a_rule_with_a_state_is_not_recorded():
    model = circuit(Binomial(), "cuda")
    assert not isinstance(replay.stepper(model, learning.Adam(model), BATCH), replay.Recorded)


def test_without_a_gpu_a_step_is_learn():
    ours, theirs = (circuit(Binomial(), "cpu") for _ in range(2))
    step = replay.stepper(ours, learning.OnlineEM(ours, 0.1), BATCH)
    rule = learning.OnlineEM(theirs, 0.1)
    for x in batches("cpu", Binomial()):
        torch.testing.assert_close(step(x), learning.learn(theirs, x, rule), rtol=0, atol=0)
    torch.testing.assert_close(ours.phi, theirs.phi, rtol=0, atol=0)
