"""The method under test, by `--method NAME`, and images for it.

`python -m pytest tests/contract --method ratspn`, in the environment of that method.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BASELINES = Path(__file__).parents[2] / "baselines"
SHAPE = (8, 8, 1)


def pytest_addoption(parser):
    parser.addoption("--method", metavar="NAME", help="folder of baselines/, or dcgmm")


class Subject:
    """A method: what its folder says of it, and how it is made.

    Attributes:
        name: the folder's, or `dcgmm`.
        description: what `method.toml` holds; nothing for `dcgmm`.
        make: gives an unfitted model for images of 8x8.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = BASELINES / name
        self.description: dict[str, Any] = {}
        self.make: Callable[[], Any] = _dcgmm
        if name != "dcgmm":
            self.description = tomllib.loads((self.folder / "method.toml").read_text("utf-8"))
            self.make = self._baseline

    def _baseline(self) -> Any:
        package = importlib.import_module(f"baselines.{self.name}")
        settings = self.description["contract"]
        return getattr(package, self.description["class"])(**settings, input_shape=SHAPE)

    @property
    def load(self) -> Callable[[Path], Any]:
        return type(self.make()).load


def _dcgmm() -> Any:
    from dcgmm import DCGMM
    from dcgmm.recipes import Annealing, Recipe

    annealing = Annealing(window=3, tolerance=0.7)
    recipe = Recipe(epochs=40, batch_size=10, waits=(0.0, 0.3), annealing=annealing)
    return DCGMM("F(3,1)-G(4)-F(6,1)-G(9)", recipe, SHAPE)


@pytest.fixture(scope="session")
def subject(request):
    name = request.config.getoption("--method", default=None)
    if name is None:
        pytest.skip("no method is named: pytest tests/contract --method NAME")
    if name != "dcgmm" and not (BASELINES / name / "method.toml").exists():
        known = sorted(path.parent.name for path in BASELINES.glob("*/method.toml"))
        pytest.exit(f"unknown method {name!r}; known are dcgmm, {', '.join(known)}", returncode=4)
    return Subject(name)


@pytest.fixture(scope="session")
def capabilities(subject):
    return getattr(subject.make(), "capabilities", frozenset({"score"}))


@pytest.fixture
def needs(capabilities):
    """Skips a test of something that the method does not claim to do."""

    def check(*wanted: str) -> None:
        missing = sorted(set(wanted) - capabilities)
        if missing:
            pytest.skip(f"without {', '.join(missing)}")

    return check


def two_kinds(n: int, seed: int) -> np.ndarray:
    """Discs and stripes on a dark ground, whole bytes / 255, [n, 8, 8, 1]."""
    rng = np.random.default_rng(seed)
    row, column = np.indices(SHAPE[:2])
    disc = (row - 3.5) ** 2 + (column - 3.5) ** 2 < 8
    stripes = column % 4 < 2
    shapes = np.where(np.arange(n)[:, None, None] % 2 == 0, disc, stripes)
    levels = 30 + 170 * shapes + rng.integers(-25, 26, (n, *SHAPE[:2]))
    return (levels / 255).astype("float32")[..., None]


@pytest.fixture(scope="session")
def images():
    return two_kinds(60, seed=0)


@pytest.fixture(scope="session")
def unseen():
    return two_kinds(23, seed=1)


@pytest.fixture(scope="session")
def noise():
    levels = np.random.default_rng(2).integers(0, 256, (60, *SHAPE))
    return (levels / 255).astype("float32")


@pytest.fixture(scope="session")
def fit(subject, images):
    """A model and the history of its fit with seed 3; not to be fitted again."""
    model = subject.make()
    history = model.fit(images.copy(), seed=3)
    return model, history


@pytest.fixture(scope="session")
def fitted(fit):
    return fit[0]


@pytest.fixture(scope="session")
def folder(fitted, tmp_path_factory):
    """Where the fitted model is saved; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    fitted.save(folder)
    return folder


@pytest.fixture
def top_half():
    """A mask that knows the upper half, [8, 8, 1]."""
    known = np.zeros(SHAPE, bool)
    known[: SHAPE[0] // 2] = True
    return known
