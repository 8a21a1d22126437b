"""What a training step takes on this machine: some steps of a circuit that is thrown away."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from baselines.einet import learning, replay
from baselines.einet.circuit import Circuit
from baselines.einet.leaves import Leaf
from baselines.einet.region_graph import RegionGraph
from baselines.einet.settings import Settings


def step_seconds(
    graph: RegionGraph, settings: Settings, leaf: Leaf, batch: int, device: torch.device
) -> float:
    """Seconds of one step on a batch of random images."""
    channels = settings.input_shape[2]
    circuit = Circuit(graph, settings.components, leaf, channels, device=device)
    rule = learning.RULES[settings.optimizer](circuit, settings.step)
    learn = replay.stepper(circuit, rule, batch)
    generator = torch.Generator("cpu").manual_seed(0)
    x = torch.rand(
        batch, circuit.n_variables, generator=generator, dtype=torch.float32, device="cpu"
    )
    x = (x * leaf.scale).round_().to(device) if leaf.scale != 1 else x.to(device)
    return median_seconds(lambda: learn(x).sum().item())


def median_seconds(step: Callable) -> float:
    """Median of three calls, or of as many as a second allows, after one that does not count."""
    step()
    times: list[float] = []
    while not times or (len(times) < 3 and sum(times) < 1):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
