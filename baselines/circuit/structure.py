"""The circuit itself, as libcirkit builds it.

It reads x, the bytes of an image as int64 [n, V], channel by channel, and gives log-probabilities
[n, 1, 1]. Its layers are folded: parameters of all regions of a layer lie in one array [F, ...].
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from cirkit.backend.torch import semiring
from cirkit.backend.torch.circuits import TorchCircuit
from cirkit.pipeline import PipelineContext
from cirkit.templates import data_modalities
from cirkit.templates.utils import Parameterization
from torch import Tensor

LEVELS = 256

# libcirkit 0.3.1 raises every log-probability to -708, which images lie far below: all would score
# alike, and no gradient would be left (its issue 416). -1e30 clamps nothing that is finite here.
semiring.LOG_CLAMP_MIN = -1e30


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """Torch's own settings for as long as it lasts: libcirkit takes no types as arguments."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(before)


def build(units: int, input_shape: tuple[int, int, int]) -> TorchCircuit:
    """A quad-tree with two splits a region and CP layers, leaves and sums normalised by softmax.

    Args:
        units: K, sums of a region and leaves of a pixel.
        input_shape: (H, W, C) of an image.
    """
    height, width, channels = input_shape
    softmax = Parameterization(activation="softmax", initialization="normal")
    symbolic = data_modalities.image_data(
        (channels, height, width),
        region_graph="quad-tree-2",
        input_layer="categorical",
        num_input_units=units,
        sum_product_layer="cp",
        num_sum_units=units,
        input_params={"probs": softmax},
        sum_weight_param=softmax,
    )
    # Fused layers would be a quarter faster to train, but cannot be walked down to draw.
    context = PipelineContext(backend="torch", semiring="lse-sum", fold=True, optimize=False)
    with torch.random.fork_rng(devices=[]):
        return context.compile(symbolic)


def initialise(circuit: TorchCircuit, seed: int) -> None:
    """New logits, all of them normal; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        circuit.reset_parameters()


def to_bytes(images: np.ndarray) -> Tensor:
    """Images [n, H, W, C] in [0, 1] as what the circuit reads, [n, V]."""
    levels = np.rint(images * (LEVELS - 1)).astype(np.int64)
    return torch.from_numpy(by_channel(levels))


def by_channel(images: np.ndarray) -> np.ndarray:
    """[n, H, W, C] -> [n, V], in the order of the circuit's variables."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1).copy()


def to_images(levels: Tensor, input_shape: tuple[int, int, int]) -> np.ndarray:
    """What `to_bytes` made, or means of it, as images again."""
    height, width, channels = input_shape
    planes = levels.numpy().reshape(-1, channels, height, width)
    return planes.transpose(0, 2, 3, 1) / (LEVELS - 1)
