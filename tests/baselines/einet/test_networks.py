"""RAT-SPN and PD-SPN through the contract of a method."""

import numpy as np
import pytest
import torch

from baselines.einet import learning
from baselines.interface import CAPABILITIES, SAMPLE_WEIGHT, DivergenceError, Method
from baselines.pdspn import PDSPN
from baselines.ratspn import RATSPN
from tests import saved

SIZE = (6, 4, 1)
SMALL = {"components": 3, "epochs": 3, "batch_size": 10, "input_shape": SIZE, "device": "cpu"}
MAKE = {
    "ratspn": lambda **s: RATSPN(depth=2, repetitions=2, **(SMALL | s)),
    "pdspn": lambda **s: PDSPN(delta=2, **(SMALL | s)),
}
METHODS = pytest.mark.parametrize("method", MAKE)
LEAVES = pytest.mark.parametrize("leaf", ["binomial", "normal", "categorical"])


def bytes_of(n=25, shape=SIZE, seed=0):
    """Images of two kinds, whole bytes divided by 255."""
    rng = np.random.default_rng(seed)
    light = rng.integers(0, 2, (n, 1, 1, 1)) * 150
    return ((rng.integers(0, 100, (n, *shape)) + light) / 255).astype("float32")


@pytest.fixture(scope="module", params=MAKE)
def fitted(request):
    """A fitted model, not to be fitted again, and its images."""
    model = MAKE[request.param]()
    images = bytes_of()
    model.fit(images)
    return model, images


@METHODS
@LEAVES
@pytest.mark.parametrize("scaling", ["bytes", "unit"])
def test_fitting_raises_the_likelihood(method, leaf, scaling):
    model = MAKE[method](leaf=leaf, scaling=scaling, epochs=5)
    history = model.fit(bytes_of(), seed=1)["log_likelihood"]
    assert len(history) == 5
    assert history[-1] > history[0]
    assert model.score_samples(bytes_of()).mean() > history[0]


@METHODS
@pytest.mark.parametrize("optimizer", ["full_em", "adam"])
def test_other_optimizers_raise_the_likelihood(method, optimizer):
    model = MAKE[method](optimizer=optimizer, epochs=8)
    history = model.fit(bytes_of())["log_likelihood"]
    assert history[-1] > history[0]


def test_the_contract_is_met(fitted):
    model, images = fitted
    assert isinstance(model, Method)
    assert model.capabilities == CAPABILITIES - {SAMPLE_WEIGHT}
    scores = model.score_samples(images)
    assert scores.shape == (25,) and np.isfinite(scores).all()
    for noise in (True, False):
        drawn = model.sample(13, seed=1, noise=noise)
        assert drawn.shape == (13, *SIZE) and drawn.dtype == np.float32
        assert 0 <= drawn.min() <= drawn.max() <= 1


def test_scores_do_not_depend_on_the_batch(fitted):
    model, images = fitted
    whole = model.score_samples(images)
    alone = np.concatenate([model.score_samples(image[None]) for image in images])
    np.testing.assert_allclose(whole, alone, rtol=1e-6)


@METHODS
@LEAVES
def test_colour_images_of_another_size(method, leaf):
    model = MAKE[method](leaf=leaf, input_shape=(8, 8, 3), epochs=2)
    images = bytes_of(12, (8, 8, 3))
    model.fit(images)
    assert np.isfinite(model.score_samples(images)).all()
    assert model.sample(2).shape == (2, 8, 8, 3)
    known = np.zeros((8, 8, 1), bool)
    known[4:] = True
    filled = model.inpaint(images, known)
    np.testing.assert_array_equal(filled[:, 4:], images[:, 4:])


@METHODS
def test_the_same_seed_gives_the_same_bits(method):
    images = bytes_of()
    first, again, other = (MAKE[method]() for _ in range(3))
    histories = [m.fit(images, seed=s) for m, s in ((first, 3), (again, 3), (other, 4))]
    assert histories[0] == histories[1] != histories[2]
    np.testing.assert_array_equal(first.score_samples(images), again.score_samples(images))
    np.testing.assert_array_equal(first.sample(5, seed=2), again.sample(5, seed=2))
    assert not np.array_equal(first.sample(5, seed=2), first.sample(5, seed=3))


def test_a_saved_model_scores_and_draws_as_before_to_the_bit(fitted, tmp_path):
    model, images = fitted
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.score_samples(images), model.score_samples(images))
    np.testing.assert_array_equal(loaded.sample(4, seed=1), model.sample(4, seed=1))
    assert loaded.settings == model.settings
    assert loaded.n_parameters == model.n_parameters
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_saved_model_has_the_names_of_earlier_ones(fitted, tmp_path):
    model, _ = fitted
    model.save(tmp_path / "model")
    about, arrays = saved.content(tmp_path / "model")
    assert about.keys() == {"format", "method", "structure", "settings", "layers"}
    assert about["settings"].keys() == {
        "components", "leaf", "scaling", "epochs", "batch_size", "step", "optimizer", "input_shape",
    }  # fmt: skip
    layers = range(about["layers"])
    structure = {"graph/pixels", "graph/sizes", *(f"graph/children{i}" for i in layers)}
    mixing = {"mixing1"} if model.name == "ratspn" else set()  # one split needs none
    assert arrays.keys() == {"leaves", *(f"sums{i}" for i in layers)} | structure | mixing


def test_half_image_scores_are_marginals(fitted):
    model, images = fitted
    bottom = np.zeros(SIZE, bool)
    bottom[3:] = True
    scores = model.score_samples(images, known=bottom)
    altered = images.copy()
    altered[:, :3] = 0.5
    np.testing.assert_array_equal(model.score_samples(altered, known=bottom), scores)
    assert (scores > model.score_samples(images)).all()  # a marginal probability is larger
    nothing = model.score_samples(images, known=np.zeros((1, 1, 1), bool))
    np.testing.assert_allclose(nothing, 0, atol=1e-5)
    everything = model.score_samples(images, known=np.ones(SIZE, bool))
    np.testing.assert_allclose(everything, model.score_samples(images), rtol=1e-6)


def test_inpainting_keeps_what_is_known(fitted):
    model, images = fitted
    known = np.zeros((len(images), *SIZE[:2], 1), bool)
    known[:12, :3], known[12:, 3:] = True, True
    for options in ({}, {"noise": False}, {"best": True}):
        filled = model.inpaint(images, known, seed=5, **options)
        np.testing.assert_array_equal(filled[known], images[known])
        assert 0 <= filled.min() <= filled.max() <= 1
        np.testing.assert_array_equal(filled, model.inpaint(images, known, seed=5, **options))
        hidden = np.where(known, images, 0)
        np.testing.assert_array_equal(filled, model.inpaint(hidden, known, seed=5, **options))


def test_inpainting_does_not_round_what_is_known(fitted):
    images = np.random.default_rng(0).random((4, *SIZE), "float32")  # no whole bytes
    known = np.ones(SIZE, bool)
    known[2] = False
    filled = fitted[0].inpaint(images, known)
    np.testing.assert_array_equal(filled[:, known], images[:, known])


def test_inpainting_continues_the_kind_of_image_it_sees():
    model = MAKE["ratspn"](epochs=15)
    images = bytes_of(200)
    model.fit(images)
    known = np.zeros(SIZE, bool)
    known[:3] = True
    filled = model.inpaint(images, known, best=True)
    light = images.mean((1, 2, 3)) > 0.5
    assert filled[light, 3:].mean() > filled[~light, 3:].mean() + 0.3


def test_a_likelihood_that_is_not_finite_ends_the_fit(monkeypatch):
    learn = learning.learn
    monkeypatch.setattr(learning, "learn", lambda *batch: learn(*batch) * np.nan)
    model = MAKE["ratspn"]()
    with pytest.raises(DivergenceError, match="log-likelihood is nan after epoch 1: lower step"):
        model.fit(bytes_of())
    with pytest.raises(ValueError, match="call fit first"):
        model.sample(1)


def test_defaults_are_the_released_ones():
    model = RATSPN(device="cpu")
    settings = model.settings
    assert (settings.batch_size, settings.step, settings.epochs) == (100, 0.1, 20)
    assert (model.structure, settings.components) == ({"depth": 4, "repetitions": 10}, 10)
    assert model.n_parameters == 219_410
    assert PDSPN(components=40, leaf="normal", device="cpu").n_parameters == 515_683
    assert model.estimated_memory < 2**27


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: RATSPN(depth=10), "depth 10 is too large for an image of 28x28"),
        (lambda: PDSPN(delta=5), "delta 5 does not divide the 28 pixels"),
        (lambda: PDSPN(delta=7.0), r"delta must be a whole number .* but is 7\.0"),
        (lambda: RATSPN(components=0), "components must be a whole number of at least 1"),
        (lambda: RATSPN(epochs=0), "epochs must be"),
        (lambda: RATSPN(leaf="gamma"), "leaf must be one of binomial, normal, categorical"),
        (lambda: RATSPN(scaling="half"), "scaling must be 'bytes' or 'unit'"),
        (lambda: RATSPN(step=0), r"step must lie in \(0, 1\]"),
        (lambda: RATSPN(optimizer="sgd"), "optimizer must be one of online_em"),
        (lambda: RATSPN(input_shape=(28, 28)), "input_shape must be"),
        (lambda: RATSPN(input_shape=(28, 0, 1)), "every side of input_shape must be"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((3, 4, 6, 1)), r"built for .* \(6, 4, 1\)"),
        (np.zeros((6, 4, 1)), "shape"),
        (np.zeros((0, *SIZE)), "there are no images"),
        (np.full((3, *SIZE), 255), r"\[255, 255\], but must lie in \[0, 1\]"),
        (np.full((3, *SIZE), np.nan), "must lie in"),
    ],
)
def test_bad_images_are_refused_in_one_sentence(fitted, images, message):
    model, _ = fitted
    for use in (model.fit, model.score_samples, lambda x: model.inpaint(x, np.ones(SIZE, bool))):
        with pytest.raises(ValueError, match=message):
            use(images)


def test_bad_masks_and_counts_are_refused_in_one_sentence(fitted):
    model, images = fitted
    with pytest.raises(ValueError, match="must be boolean, but is float64"):
        model.score_samples(images, known=np.ones(SIZE))
    with pytest.raises(ValueError, match="does not broadcast"):
        model.inpaint(images, np.ones((5, 4, 1), bool))
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        model.sample(0)


@METHODS
def test_a_model_without_parameters_says_so(method, tmp_path):
    model = MAKE[method]()
    for use in (
        lambda: model.score_samples(bytes_of()),
        lambda: model.sample(1),
        lambda: model.save(tmp_path / "model"),
    ):
        with pytest.raises(ValueError, match=f"this {method} model has no parameters yet"):
            use()


def test_damaged_models_are_refused_in_one_sentence(fitted, tmp_path):
    model, _ = fitted
    folder = tmp_path / "model"

    def refused(message, cls=None):
        with pytest.raises(ValueError, match=message):
            (cls or type(model)).load(folder)

    refused("holds no model")
    model.save(folder)
    refused(f"holds a {model.name} model, not", {"ratspn": PDSPN, "pdspn": RATSPN}[model.name])
    whole = (folder / "model.npz").read_bytes()

    def damage(change, *arguments, **keywords):
        (folder / "model.npz").write_bytes(whole)
        change(folder, *arguments, **keywords)
        refused("damaged")

    (folder / "model.npz").write_bytes(whole[:100])
    refused("damaged")
    (folder / "model.npz").write_bytes(whole)
    about, arrays = saved.content(folder)
    damage(saved.describe, settings=about["settings"] | {"components": 2})
    damage(saved.rewrite, [], arrays)
    damage(saved.replace, leaves=None)
    damage(saved.replace, more=arrays["leaves"])
    for name in ("pixels", "sizes", "children0"):
        damage(saved.replace, **{f"graph/{name}": arrays[f"graph/{name}"] + 1})
    (folder / "model.npz").write_bytes(whole)
    saved.describe(folder, format=3)
    refused("not of format")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_missing_is_no_damage(fitted, tmp_path):
    model, _ = fitted
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match=r"^device 'cuda' was asked for, but there is none"):
        type(model).load(tmp_path / "model", device="cuda")
