"""Set before Keras is imported: the backend, and quick compilation instead of quick code."""

import importlib.util
import os

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tests compile much and compute little.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

# The same examples everywhere: a test that turns red does so because of a change of ours.
settings.register_profile("repository", deadline=None, derandomize=True)
settings.load_profile("repository")

# The workflow's environment has no Keras; the model's tests run in the model's own.
_HAS_KERAS = importlib.util.find_spec("keras") is not None
collect_ignore = [] if _HAS_KERAS else ["dcgmm"]


def pytest_report_header():
    if _HAS_KERAS:
        return f"model: tests run on Keras with {os.environ['KERAS_BACKEND']}"
    return "model: most tests left out, this environment has no Keras"


@pytest.fixture(scope="session")
def fitted():
    """A small trained model, its images and its history; not to be fitted again."""
    from dcgmm import DCGMM
    from dcgmm.recipes import Annealing, Recipe

    annealing = Annealing(window=3, tolerance=0.7)
    recipe = Recipe(epochs=5, batch_size=10, waits=(0.0, 0.3), annealing=annealing)
    model = DCGMM("F(3,2)-G(4)-F(2,1)-G(9)", recipe, (7, 9, 1))
    images = np.random.default_rng(1).random((47, 7, 9, 1), "float32")
    return model, images, model.fit(images, seed=0)
