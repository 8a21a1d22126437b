"""The method over a circuit; subclasses say what its structure is."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from tqdm import tqdm

from baselines.base import Arrays, Baseline, History, Shapes
from baselines.checks import batches, numpy_defaults
from baselines.einet import cost, learning, region_graph, replay, sampling, timing
from baselines.einet.circuit import Circuit, tensor_shapes
from baselines.einet.families import family
from baselines.einet.region_graph import RegionGraph
from baselines.einet.settings import Settings
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE, DivergenceError

# Which of a seed's random streams.
_STRUCTURE, _PARAMETERS, _ORDER, _DRAWS = range(4)

_TIMED = 2**29  # bytes of a circuit that is built to time its steps


class SumProductNetwork(Baseline):
    """A density of images by a circuit.

    The history has, for each epoch, `log_likelihood`, the mean over its images in nats, each image
    scored just before the step that used it. With binomial leaves fed bytes, and with categorical
    ones, a score is a log-probability: divided by -V log 2, V the pixels times channels, it is in
    bits per dimension. Without noise, leaves give their means. `inpaint(..., best=True)` takes the
    most probable completion instead of a draw, and uses no seed.

    Args:
        device: `cpu`, `cuda` or `auto`, which takes a GPU where there is one.
        settings: see `Settings`.
    """

    structure: dict[str, Any]
    """Constructor arguments of the subclass that shape the region graph."""
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})
    Settings = Settings

    def __init__(self, *, device: str | torch.device = "auto", **settings: Any) -> None:
        super().__init__(**settings)
        self.device = _device(device)
        self.leaf = family(self.settings.leaf, self.settings.scaling)
        self._plan = self.region_graph(seed=0)  # refuses a structure that does not fit the image

    @abstractmethod
    def region_graph(self, seed: int) -> RegionGraph:
        """The structure for a seed."""

    @property
    def shapes(self) -> Shapes:
        """Of the circuit's tensors and of its structure."""
        components, channels = self.settings.components, self.input_shape[2]
        structure = region_graph.as_arrays(self._plan)
        return tensor_shapes(self._plan, components, self.leaf, channels) | {
            name: array.shape for name, array in structure.items()
        }

    def _learn(self, images: np.ndarray, *, seed: int, progress: bool) -> tuple[Circuit, History]:
        circuit = self._circuit(self.region_graph(seed), _generator(seed, _PARAMETERS))
        rule = learning.RULES[self.settings.optimizer](circuit, self.settings.step)
        resident = torch.from_numpy(images).to(self.device)  # or a GPU would wait for every batch
        step = replay.stepper(circuit, rule, self.settings.batch_size)
        base = torch.cat([circuit.log_base(x) for x in self._batches(resident)]).mean().item()
        order = _generator(seed, _ORDER)
        history: History = {"log_likelihood": []}
        for epoch in tqdm(
            range(self.settings.epochs), "epochs", disable=None if progress else True
        ):
            shuffled = torch.randperm(len(images), generator=order, device="cpu").to(self.device)
            total = torch.zeros((), dtype=torch.float64, device=self.device)
            for x in self._batches(resident, shuffled):
                total += step(x).sum()
            rule.end_epoch()
            mean = total.item() / len(images) + base
            if not np.isfinite(mean):
                raise DivergenceError(
                    f"the log-likelihood is {mean} after epoch {epoch + 1}: lower step"
                )
            history["log_likelihood"].append(mean)
        return circuit, history

    def _log_density(self, images: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        scores = [self.trained.log_density(x, seen) for x, seen in self._evidence(images, known)]
        return torch.cat(scores).cpu().numpy()

    def _draw(self, n: int, *, seed: int, noise: bool) -> np.ndarray:
        generator = _generator(seed, _DRAWS, self.device)
        drawn = [
            sampling.sample(self.trained, part.stop - part.start, generator, noise=noise)
            for part in batches(n, self.settings.batch_size)
        ]
        return self._pixels(torch.cat(drawn))

    def _complete(
        self,
        images: np.ndarray,
        known: np.ndarray,
        *,
        seed: int,
        noise: bool,
        best: bool = False,
    ) -> np.ndarray:
        generator = _generator(seed, _DRAWS, self.device)
        completed = [
            sampling.most_probable(self.trained, x, seen)
            if best
            else sampling.conditional(self.trained, x, seen, generator, noise=noise)
            for x, seen in self._evidence(images, known)
        ]
        return self._pixels(torch.cat(completed))

    def _saved(self) -> tuple[dict[str, Any], Arrays]:
        circuit = self.trained
        arrays = {name: tensor.cpu().numpy() for name, tensor in circuit.tensors().items()}
        arrays |= region_graph.as_arrays(circuit.graph)
        return {"structure": self.structure, "layers": len(circuit.graph.layers)}, arrays

    @classmethod
    def _arguments(cls, description: dict[str, Any]) -> dict[str, Any]:
        return {**description["structure"], **description["settings"]}

    def _check(self, description: dict[str, Any], arrays: Arrays, shapes: Shapes) -> None:
        super()._check(description, arrays, shapes)
        self._saved_graph(arrays)

    def _restored(self, description: dict[str, Any], arrays: Arrays) -> Circuit:
        circuit = self._circuit(self._saved_graph(arrays), None)
        for name, tensor in circuit.tensors().items():
            tensor.copy_(torch.from_numpy(arrays[name]))
        return circuit

    def _saved_graph(self, arrays: Arrays) -> RegionGraph:
        structure = {name: array for name, array in arrays.items() if region_graph.is_part(name)}
        return region_graph.from_arrays(structure, self._plan)

    @classmethod
    def load(cls, folder: str | os.PathLike, *, device: str | torch.device = "auto") -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit on the same device.

        Raises:
            ValueError: naming what is missing or damaged, or a device that is missing.
        """
        return super().load(folder, device=_device(device))

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`."""
        return cost.count_parameters(
            self._plan, self.settings.components, self.leaf, self.input_shape[2]
        )

    @property
    def estimated_memory(self) -> int:
        """Peak bytes of tensors in training, known before `fit`."""
        return cost.estimated_memory(
            self._plan,
            self.settings.components,
            self.leaf,
            self.input_shape[2],
            batch=self.settings.batch_size,
            optimizer=self.settings.optimizer,
            device=self.device.type,
        )

    @numpy_defaults
    def estimated_seconds(self, n: int) -> float:
        """Duration of a fit to n images on this machine, from steps on random images.

        Time is proportional to repetitions: where there are many, a large circuit has fewer here.
        """
        batch, graph = min(n, self.settings.batch_size), self._plan
        repetitions = self.structure.get("repetitions", 1)
        few = max(1, min(repetitions, repetitions * _TIMED // self.estimated_memory))
        if few < repetitions:
            structure = {**self.structure, "repetitions": few}
            graph = type(self)(**structure, input_shape=self.input_shape)._plan
        step = timing.step_seconds(graph, self.settings, self.leaf, batch, self.device)
        return step * repetitions / few * self.settings.epochs * -(-n // batch)

    def _circuit(self, graph: RegionGraph, generator: torch.Generator | None) -> Circuit:
        return Circuit(
            graph,
            self.settings.components,
            self.leaf,
            self.input_shape[2],
            generator=generator,
            device=self.device,
        )

    def _batches(
        self, images: torch.Tensor, order: torch.Tensor | None = None
    ) -> Iterator[torch.Tensor]:
        """Batches in the leaves' domain, [B, V]."""
        for part in batches(len(images), self.settings.batch_size):
            batch = images[part] if order is None else images[order[part]]
            x = batch.to(self.device).flatten(1)
            yield x if self.leaf.scale == 1 else (x * self.leaf.scale).round_()

    def _evidence(
        self, images: np.ndarray, known: np.ndarray | None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        """Batches in the leaves' domain, each with its mask [B, V], if there is one."""
        parts = batches(len(images), self.settings.batch_size)
        for part, x in zip(parts, self._batches(torch.from_numpy(images)), strict=True):
            mask = None if known is None else torch.from_numpy(known[part].copy())
            yield x, mask if mask is None else mask.to(self.device).flatten(1)

    def _pixels(self, x: torch.Tensor) -> np.ndarray:
        """What leaves give, [n, V], as images."""
        return (x / self.leaf.scale).unflatten(1, self.input_shape).cpu().numpy()


def _generator(seed: int, stream: int, device: str | torch.device = "cpu") -> torch.Generator:
    state = int(np.random.SeedSequence((seed, stream)).generate_state(1, np.uint64)[0])
    return torch.Generator(device).manual_seed(state % 2**63)


def structure_seed(seed: int) -> tuple[int, int]:
    """The seed of a random structure, apart from those of parameters and order."""
    return (seed, _STRUCTURE)


def _device(name: str | torch.device) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but there is none: use 'cpu' or 'auto'")
    return torch.device(name)
