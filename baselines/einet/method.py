"""The contract of `baselines.interface` over a circuit; subclasses say what its structure is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import torch
from tqdm import tqdm

from baselines import persistence
from baselines.checks import as_count, as_evidence, as_images, as_seed, numpy_defaults
from baselines.einet import cost, learning, region_graph, replay, sampling, timing
from baselines.einet.circuit import Circuit
from baselines.einet.families import family
from baselines.einet.region_graph import RegionGraph
from baselines.einet.settings import Settings
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE, DivergenceError

# Which of a seed's random streams.
_STRUCTURE, _PARAMETERS, _ORDER, _DRAWS = range(4)

_TIMED = 2**29  # bytes of a circuit that is built to time its steps


class SumProductNetwork(ABC):
    """A density of images by a circuit.

    Args:
        device: `cpu`, `cuda` or `auto`, which takes a GPU where there is one.
        settings: see `Settings`.
    """

    name: str
    structure: dict[str, Any]
    """Constructor arguments of the subclass that shape the region graph."""
    capabilities = frozenset({SCORE, MARGINALS, SAMPLE, INPAINT})

    def __init__(self, *, device: str = "auto", **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.device = _device(device)
        self.leaf = family(self.settings.leaf, self.settings.scaling)
        self._fitted: Circuit | None = None
        self._plan = self.region_graph(seed=0)  # refuses a structure that does not fit the image

    @abstractmethod
    def region_graph(self, seed: int) -> RegionGraph:
        """The structure for a seed."""

    @numpy_defaults
    def fit(self, images: Any, *, seed: int = 0, progress: bool = False) -> dict[str, list]:
        """Train from scratch by the settings' optimizer.

        Args:
            images: [n, H, W, C] in [0, 1].
            seed: of the structure, the initial parameters and the order of images.
            progress: whether to show a bar, if standard error is a terminal.

        Returns:
            `log_likelihood`, for each epoch the mean over its images in nats, each image scored
            just before the step that used it.

        Raises:
            ValueError: for images of the wrong shape or range.
            DivergenceError: as soon as the log-likelihood is not finite.
        """
        images, seed = as_images(images, self.settings.input_shape), as_seed(seed)
        self._fitted = None  # an earlier fit would double the memory
        circuit = self._circuit(self.region_graph(seed), _generator(seed, _PARAMETERS))
        rule = learning.RULES[self.settings.optimizer](circuit, self.settings.step)
        resident = torch.from_numpy(images).to(self.device)  # or a GPU would wait for every batch
        step = replay.stepper(circuit, rule, self.settings.batch_size)
        base = torch.cat([circuit.log_base(x) for x in self._batches(resident)]).mean().item()
        order = _generator(seed, _ORDER)
        history: dict[str, list] = {"log_likelihood": []}
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
        self._fitted = circuit
        return history

    @numpy_defaults
    def score_samples(self, images: Any, known: Any = None) -> np.ndarray:
        """Log-density of every image in nats, [n].

        With binomial leaves fed bytes, and with categorical ones, it is a log-probability: divided
        by -V log 2, V the pixels times channels, it is in bits per dimension.

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images; the log-density is that of the known
                pixels, the others being integrated out. None knows all.
        """
        mask = None
        if known is None:
            images = as_images(images, self.settings.input_shape)
        else:
            images, mask = as_evidence(images, known, self.settings.input_shape)
        scores = [
            self.circuit.log_density(x, self._mask(mask, part))
            for part, x in zip(self._parts(len(images)), self._batches(images), strict=True)
        ]
        return torch.cat(scores).cpu().numpy()

    @numpy_defaults
    def sample(self, n: int, *, seed: int = 0, noise: bool = True) -> np.ndarray:
        """New images, [n, H, W, C], clipped to [0, 1].

        Args:
            n: how many.
            seed: of the draws.
            noise: whether leaves are drawn, as released, or give their means.
        """
        n, seed = as_count("n", n), as_seed(seed)
        generator = _generator(seed, _DRAWS, self.device)
        parts = self._parts(n)
        drawn = [
            sampling.sample(self.circuit, part.stop - part.start, generator, noise=noise)
            for part in parts
        ]
        return self._images(torch.cat(drawn))

    @numpy_defaults
    def inpaint(
        self, images: Any, known: Any, *, seed: int = 0, noise: bool = True, best: bool = False
    ) -> np.ndarray:
        """Images with unknown pixels drawn given the known ones, [n, H, W, C].

        Args:
            images: [n, H, W, C] in [0, 1].
            known: boolean, broadcastable to the images.
            seed: of the draws.
            noise: whether leaves are drawn, or give their means.
            best: take the most probable completion instead of a draw; uses no seed.
        """
        images, mask = as_evidence(images, known, self.settings.input_shape)
        generator = _generator(as_seed(seed), _DRAWS, self.device)
        filled = []
        for part, x in zip(self._parts(len(images)), self._batches(images), strict=True):
            seen = self._mask(mask, part)
            filled.append(
                sampling.most_probable(self.circuit, x, seen)
                if best
                else sampling.conditional(self.circuit, x, seen, generator, noise=noise)
            )
        return np.where(mask, images, self._images(torch.cat(filled)))

    @property
    def circuit(self) -> Circuit:
        """The fitted circuit.

        Raises:
            ValueError: before `fit`.
        """
        if self._fitted is None:
            raise ValueError(f"this {self.name} model has no parameters yet: call fit first")
        return self._fitted

    @property
    def n_parameters(self) -> int:
        """Trainable numbers; known before `fit`."""
        return cost.count_parameters(
            self._plan, self.settings.components, self.leaf, self.settings.input_shape[2]
        )

    @property
    def estimated_memory(self) -> int:
        """Peak bytes of tensors in training, known before `fit`."""
        return cost.estimated_memory(
            self._plan,
            self.settings.components,
            self.leaf,
            self.settings.input_shape[2],
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
            graph = type(self)(**structure, input_shape=self.settings.input_shape)._plan
        step = timing.step_seconds(graph, self.settings, self.leaf, batch, self.device)
        return step * repetitions / few * self.settings.epochs * -(-n // batch)

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted model to a folder, replacing a model that is there."""
        arrays = {name: t.cpu().numpy() for name, t in self.circuit.tensors().items()}
        arrays |= region_graph.as_arrays(self.circuit.graph)
        description = {
            "method": self.name,
            "structure": self.structure,
            "settings": asdict(self.settings),
            "layers": len(self.circuit.graph.layers),
        }
        persistence.write(folder, description, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike, *, device: str = "auto") -> Self:
        """Read a model that `save` wrote; scores come out equal to the bit on the same device.

        Raises:
            ValueError: naming what is missing or damaged.
        """
        description, arrays = persistence.read(folder, cls.name)
        _device(device)  # refuses what has nothing to do with the folder
        with persistence.restoring(folder):
            model = cls(**description["structure"], **description["settings"], device=device)
            structure = {name: a for name, a in arrays.items() if region_graph.is_part(name)}
            graph = region_graph.from_arrays(structure, model._plan)
        circuit = model._circuit(graph, None)
        tensors = circuit.tensors()
        with persistence.restoring(folder):
            parameters = {name: a for name, a in arrays.items() if name not in structure}
            shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            persistence.check_shapes(parameters, shapes)
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(arrays[name]))
        model._fitted = circuit
        return model

    def _circuit(self, graph: RegionGraph, generator: torch.Generator | None) -> Circuit:
        return Circuit(
            graph,
            self.settings.components,
            self.leaf,
            self.settings.input_shape[2],
            generator=generator,
            device=self.device,
        )

    def _parts(self, n: int) -> list[slice]:
        size = self.settings.batch_size
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def _batches(
        self, images: np.ndarray | torch.Tensor, order: torch.Tensor | None = None
    ) -> Iterator[torch.Tensor]:
        """Batches in the leaves' domain, [B, V]."""
        images = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
        for part in self._parts(len(images)):
            batch = images[part] if order is None else images[order[part]]
            x = batch.to(self.device).flatten(1)
            yield x if self.leaf.scale == 1 else (x * self.leaf.scale).round_()

    def _mask(self, known: np.ndarray | None, part: slice) -> torch.Tensor | None:
        if known is None:
            return None
        return torch.from_numpy(known[part].copy()).to(self.device).flatten(1)

    def _images(self, x: torch.Tensor) -> np.ndarray:
        x = (x / self.leaf.scale).clamp_(0, 1)
        return x.unflatten(1, self.settings.input_shape).cpu().numpy()


def _generator(seed: int, stream: int, device: str | torch.device = "cpu") -> torch.Generator:
    state = int(np.random.SeedSequence((seed, stream)).generate_state(1, np.uint64)[0])
    return torch.Generator(device).manual_seed(state % 2**63)


def structure_seed(seed: int) -> tuple[int, int]:
    """The seed of a random structure, apart from those of parameters and order."""
    return (seed, _STRUCTURE)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but there is none: use 'cpu' or 'auto'")
    return torch.device(name)
