"""Steps of learning, on a GPU without the cost of launching each of their hundreds of kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from baselines.einet import learning
from baselines.einet.circuit import Circuit


def stepper(circuit: Circuit, rule: learning.Rule, batch: int) -> Callable[[Tensor], Tensor]:
    """`learning.learn` of a circuit by a rule, for batches [B, V].

    On a GPU, a step of online EM on a whole batch is recorded once and then replayed: launched one
    by one, its small kernels leave the GPU idle for most of the time. Other rules keep a state
    outside of the GPU.
    """
    if circuit.device.type == "cuda" and isinstance(rule, learning.OnlineEM):
        return Recorded(circuit, rule, batch)
    return lambda x: learning.learn(circuit, x, rule)


class Recorded:
    """A step of online EM as a CUDA graph; batches of another size are taken step by step.

    Args:
        circuit: on a GPU; its parameters are as they were when this has been made.
        rule: made for it.
        batch: images of a whole batch.
    """

    def __init__(self, circuit: Circuit, rule: learning.OnlineEM, batch: int) -> None:
        self.circuit, self.rule = circuit, rule
        self.x = circuit.phi.new_zeros(batch, circuit.n_variables)
        before = {name: tensor.clone() for name, tensor in circuit.tensors().items()}
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):  # a recording needs libraries to have made their plans
            learning.learn(circuit, self.x, rule)
        torch.cuda.current_stream().wait_stream(beside)
        for name, tensor in circuit.tensors().items():
            tensor.copy_(before[name])
        del before
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.scores = learning.learn(circuit, self.x, rule)

    def __call__(self, x: Tensor) -> Tensor:
        """Learn from a batch; the scores are valid until the next call."""
        if x.shape != self.x.shape:
            return learning.learn(self.circuit, x, self.rule)
        self.x.copy_(x)
        self.graph.replay()
        return self.scores
