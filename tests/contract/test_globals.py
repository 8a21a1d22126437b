"""What a caller has set for a whole process changes no result, and is as it was afterwards."""

import contextlib
import random
import sys

import numpy as np
import pytest

from baselines.interface import INPAINT, MARGINALS, SAMPLE, SCORE


def usual(module):
    """The settings of Keras, of either generation: what they are, and how one is set."""
    config = getattr(module, "config", None)
    if hasattr(config, "set_floatx"):
        return config, config.dtype_policy, config.set_dtype_policy
    precision = module.mixed_precision
    return module.backend, precision.global_policy, precision.set_global_policy


def keras_modules():
    return [sys.modules[name] for name in ("keras", "tf_keras") if name in sys.modules]


@contextlib.contextmanager
def keras_set(floatx, policy):
    """Other types, another order of axes, another epsilon and another seed."""
    with contextlib.ExitStack() as stack:
        for module in keras_modules():
            config, get_policy, set_policy = usual(module)
            for name, value in (
                ("floatx", floatx), ("image_data_format", "channels_first"), ("epsilon", 0.1),
            ):  # fmt: skip
                change = getattr(config, f"set_{name}")
                stack.callback(change, getattr(config, name)())
                change(value)
            stack.callback(set_policy, get_policy())
            set_policy(policy)
            module.utils.set_random_seed(5)
        yield


@contextlib.contextmanager
def torch_set(dtype):
    torch = sys.modules["torch"]
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    torch.manual_seed(5)
    try:
        with torch.no_grad(), torch.device("meta"):
            yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def jax_set():
    jax = sys.modules["jax"]
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


@contextlib.contextmanager
def numpy_set():
    """NumPy, and scikit-learn where it is used."""
    np.random.seed(5)  # noqa: NPY002 (the global one is meant)
    random.seed(5)
    with np.errstate(all="raise"), contextlib.ExitStack() as stack:
        if "sklearn" in sys.modules:
            config_context = sys.modules["sklearn"].config_context
            stack.enter_context(config_context(transform_output="pandas", assume_finite=True))
        yield


def state():
    """All that a process has but once, as far as a method could change it."""
    found = {
        "numpy": [repr(part) for part in np.random.get_state()],  # noqa: NPY002
        "errors": np.geterr(),
        "random": random.getstate(),
    }
    for module in keras_modules():
        config, get_policy, _ = usual(module)
        found[module.__name__] = (
            config.floatx(), config.image_data_format(), config.epsilon(), get_policy().name,
        )  # fmt: skip
    if "tensorflow" in sys.modules:
        from tensorflow.python.eager import context

        rng = getattr(context.context(), "_rng", None)
        found["tensorflow"] = context.global_seed(), rng and rng.getstate()
        found["eagerly"] = sys.modules["tensorflow"].config.functions_run_eagerly()
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        found["torch"] = torch.get_default_dtype(), torch.is_grad_enabled()
        found["torch's numbers"] = torch.get_rng_state().tolist()
    if "jax" in sys.modules:
        found["jax"] = sys.modules["jax"].config.jax_enable_x64
    return found


@contextlib.contextmanager
def eagerly():
    config = sys.modules["tensorflow"].config
    config.run_functions_eagerly(True)
    try:
        yield
    finally:
        config.run_functions_eagerly(False)


SETTINGS = {
    "numpy": ("numpy", numpy_set),
    "keras, wide": ("keras", lambda: keras_set("float64", "float64")),
    "keras, narrow": ("keras", lambda: keras_set("float16", "mixed_bfloat16")),
    "tensorflow": ("tensorflow", eagerly),
    "torch, wide": ("torch", lambda: torch_set("float64")),
    "torch, narrow": ("torch", lambda: torch_set("float16")),
    "jax": ("jax", jax_set),
}


@pytest.fixture
def compiled_anew(subject):
    """A DCGMM shares what it has compiled with others of its kind: not with those of this test."""
    caches = []
    if subject.name == "dcgmm":
        from dcgmm import network

        caches = [network._compiled]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_set_for_all_changes_a_result_or_is_changed(
    subject, fitted, capabilities, images, unseen, top_half, tmp_path, compiled_anew, setting
):
    library, change = SETTINGS[setting]
    if library not in sys.modules:
        pytest.skip(f"{subject.name} does not use {library}")
    if (subject.name, setting) == ("dcgmm", "tensorflow"):
        pytest.skip("debugging it is allowed to change the last digits")
    expected = results(fitted, capabilities, unseen, top_half)
    with change():
        before = state()
        model = subject.make()
        model.fit(images, seed=3)
        found = results(model, capabilities, unseen, top_half)
        model.save(tmp_path / "model")
        loaded = results(subject.load(tmp_path / "model"), capabilities, unseen, top_half)
        after = state()
    assert after == before
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
        np.testing.assert_array_equal(loaded[name], values, err_msg=name)


def results(model, capabilities, unseen, top_half):
    """What a fitted model gives."""
    found = {}
    if SCORE in capabilities:
        found["scores"] = model.score_samples(unseen)
    if MARGINALS in capabilities:
        found["marginals"] = model.score_samples(unseen, known=top_half)
    for noise in (True, False):
        if SAMPLE in capabilities:
            found[f"samples, noise {noise}"] = model.sample(5, seed=2, noise=noise)
        if INPAINT in capabilities:
            found[f"filled, noise {noise}"] = model.inpaint(unseen, top_half, seed=2, noise=noise)
    if INPAINT in capabilities and hasattr(model, "recipe"):
        found["marginal"] = model.inpaint(unseen, top_half, seed=2, method="marginal", sharpen=True)
    return found
