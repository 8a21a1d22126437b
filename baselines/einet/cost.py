"""What a circuit costs before it is built: parameters and memory."""

from __future__ import annotations

from baselines.einet.circuit import chunk_floats
from baselines.einet.leaves import Leaf
from baselines.einet.region_graph import RegionGraph

_FLOAT = 4
_LIBRARY = 2**22  # floats in buffers of the matrix library


def count_parameters(graph: RegionGraph, components: int, leaf: Leaf, channels: int = 1) -> int:
    """Numbers in all leaves, sums and mixtures.

    For RAT-SPN with V pixels: C V K R S + R K^3 (2^D - 2) + R K^2 + R (without the last R if there
    is one repetition, which needs no mixture).
    """
    k = components
    total = graph.n_leaf_pixels * channels * k * leaf.statistics
    for layer in graph.layers:
        p, n = layer.left.shape
        k_out = 1 if layer is graph.layers[-1] else k
        total += p * n * k_out * k**2 + (n * k_out * p if p > 1 else 0)
    return total


def estimated_memory(
    graph: RegionGraph,
    components: int,
    leaf: Leaf,
    channels: int = 1,
    *,
    batch: int = 100,
    optimizer: str = "online_em",
    device: str = "cpu",
) -> int:
    """Peak bytes of tensors in a training step, images and the program itself left out.

    Parameters once (twice for `full_em`, three times for `adam`), shares and posteriors of every
    region, products of regions with several partitions, and temporaries of a chunk. On a CPU it
    came within 20 MB of what resident memory grew by, at points of 14 to 116 MB.
    """
    k, regions = components, graph.n_regions
    width = max(map(len, graph.leaves)) * channels
    leaves = len(graph.leaves) * k * leaf.statistics * width  # the smaller ones are filled up
    parameters = count_parameters(graph, k, leaf, channels)
    parameters += leaves - graph.n_leaf_pixels * channels * k * leaf.statistics
    copies = {"online_em": 1, "full_em": 2, "adam": 3}[optimizer]
    values = 2 * regions * k * batch + 3 * regions * batch
    for layer in graph.layers:
        p, n = layer.left.shape
        values += 2 * p * n * batch  # divisors and their float64 logarithms
        if p > 1 and layer is not graph.layers[-1]:
            values += 3 * p * n * k * batch
    largest = max(k * k * batch, k**3, leaf.statistics * width * max(batch, k))
    temporaries = 6 * max(largest, chunk_floats(device))
    return _FLOAT * (copies * parameters + values + temporaries + _LIBRARY)
