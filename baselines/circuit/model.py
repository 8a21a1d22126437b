"""Quad-tree circuit: a probabilistic circuit over bytes, trained by Adam."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from cirkit.backend.torch.circuits import TorchCircuit
from cirkit.backend.torch.queries import IntegrateQuery
from tqdm import tqdm

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.checks import as_count
from baselines.circuit import drawing, structure
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE, DivergenceError

_BATCH = 256  # images scored at once
_DRAWN = 100  # images drawn at once, which bounds the memory for their leaves


class QuadTreeCircuit(Baseline):
    """A circuit whose regions are squares halved in turn, with categorical leaves of 256 levels.

    >>> model = QuadTreeCircuit(units=16, epochs=2)
    >>> history = model.fit(images, seed=0, progress=True)
    >>> bits = -model.score_samples(images).mean() / (784 * np.log(2))

    Args:
        units: K, sums of a region and leaves of a pixel.
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: of Adam.
        input_shape: (H, W, C) of an image.

    Raises:
        ValueError: for settings out of range.
    """

    name = "circuit"
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})

    def __init__(
        self,
        *,
        units: int = 16,
        epochs: int = 5,
        batch_size: int = 256,
        learning_rate: float = 0.01,
        input_shape: tuple[int, int, int] = (28, 28, 1),
    ) -> None:
        if not 0 < learning_rate < np.inf:
            raise ValueError(f"learning_rate must lie above 0, but is {learning_rate}")
        super().__init__(
            input_shape,
            units=as_count("units", units),
            epochs=as_count("epochs", epochs),
            batch_size=as_count("batch_size", batch_size),
            learning_rate=float(learning_rate),
        )

    @property
    def shapes(self) -> Shapes:
        """Of the logits: those of the leaves, then of the sums from the pixels to the root."""
        return {name: tuple(logits.shape) for name, logits in self._logits()}

    @structure.torch_defaults()
    def _learn(self, images: np.ndarray, *, seed: int, progress: bool) -> tuple[Arrays, History]:
        x = structure.to_bytes(images)
        structure.initialise(self._circuit, seed)
        optimizer = torch.optim.Adam(self._circuit.parameters(), self.settings.learning_rate)
        generator = torch.Generator().manual_seed(seed)
        history = []
        epochs = range(self.settings.epochs)
        for _ in tqdm(epochs, "quad-tree circuit", disable=None if progress else True):
            total = 0.0
            order = torch.randperm(len(x), generator=generator)
            for rows in order.split(self.settings.batch_size):
                log_density = self._circuit(x[rows]).sum()
                if not torch.isfinite(log_density):
                    raise DivergenceError("the likelihood is not finite: lower learning_rate")
                optimizer.zero_grad()
                (-log_density / len(rows)).backward()
                optimizer.step()
                total += float(log_density.detach())
            history.append(total / len(x))
        arrays = {name: logits.detach().numpy().copy() for name, logits in self._logits()}
        return arrays, {"log_likelihood": history}

    @structure.torch_defaults()
    @torch.no_grad()
    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        """Log-probability of the images' bytes."""
        circuit = self._trained()
        x = structure.to_bytes(images).split(_BATCH)
        if known is None:
            parts = [circuit(batch) for batch in x]
        else:
            unknown = torch.from_numpy(~structure.by_channel(known)).split(_BATCH)
            query = IntegrateQuery(circuit)
            parts = [query(b, integrate_vars=u) for b, u in zip(x, unknown, strict=True)]
        return torch.cat(parts).flatten().double().numpy()

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        blank = np.zeros((n, *self.input_shape), "float32")
        return self._complete(blank, np.zeros(blank.shape, bool), seed=seed, noise=noise)

    @structure.torch_defaults()
    @torch.no_grad()
    def _complete(
        self, images: np.ndarray, known: np.ndarray, *, seed: int, noise: bool
    ) -> np.ndarray:
        circuit, generator = self._trained(), torch.Generator().manual_seed(seed)
        x = structure.to_bytes(images).split(_DRAWN)
        mask = torch.from_numpy(structure.by_channel(known)).split(_DRAWN)
        drawn = [
            drawing.complete(circuit, batch, seen, generator, noise)
            for batch, seen in zip(x, mask, strict=True)
        ]
        return structure.to_images(torch.cat(drawn), self.input_shape)

    @cached_property
    @structure.torch_defaults()
    def _circuit(self) -> TorchCircuit:
        return structure.build(self.settings.units, self.input_shape)

    def _logits(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        for number, logits in enumerate(self._circuit.parameters()):
            yield f"sums{number}" if number else "leaves", logits

    @torch.no_grad()
    def _trained(self) -> TorchCircuit:
        """The circuit with the trained logits."""
        for name, logits in self._logits():
            logits.copy_(torch.from_numpy(self.arrays[name]))
        return self._circuit
