"""DGCSPN through the contract of a method."""

import os
import subprocess
import sys

import numpy as np
import pytest

from baselines.dgcspn import DGCSPN
from baselines.dgcspn.network import Network
from baselines.interface import CAPABILITIES, DivergenceError, Method
from tests import saved

SIZE = (6, 5, 1)
SMALL = {
    "sums": 3,
    "components": 2,
    "levels": 4,
    "epochs": 2,
    "batch_size": 16,
    "step": 0.1,
    "input_shape": SIZE,
}


def make(**settings):
    return DGCSPN(**(SMALL | settings))


def images_of(n=32, shape=SIZE, seed=0):
    """Images of two kinds: the upper rows light, or the lower ones."""
    rng = np.random.default_rng(seed)
    images = 0.3 * rng.random((n, *shape))
    images[::2, : shape[0] // 2] += 0.6
    images[1::2, shape[0] // 2 :] += 0.6
    return images.astype("float32")


@pytest.fixture(scope="module")
def fitted():
    """A fitted model, not to be fitted again, its images and its history."""
    model, images = make(), images_of()
    return model, images, model.fit(images, seed=3)


def test_the_contract_is_met(fitted):
    model, images, history = fitted
    assert isinstance(model, Method)
    assert model.capabilities == CAPABILITIES
    assert [len(entries) for entries in history.values()] == [2, 2]
    assert model.score_samples(images).shape == (len(images),)
    assert model.estimated_seconds(100) > 0


def test_table_3_counts_the_parameters():
    assert DGCSPN(sums=16).n_parameters == 7_560_576
    assert DGCSPN(sums=32).n_parameters == 23_202_944
    assert DGCSPN(sums=64).n_parameters == 78_751_872


@pytest.mark.parametrize("settings", [{}, {"input_shape": (3, 9, 2), "sums": 2, "levels": 5}])
def test_the_network_has_the_parameters_that_are_counted(settings):
    model = make(**settings)
    network = model._network(np.zeros(model.settings.shapes["numerators"]), seed=0)
    assert sum(array.size for array in network.arrays.values()) == model.n_parameters
    assert {n: a.shape for n, a in network.arrays.items()} == model.settings.shapes
    assert all((array > 0).all() for n, array in network.arrays.items() if n != "numerators")


def test_memory_is_as_measured():
    measured = {(4, 128): 1.07, (16, 128): 1.85, (32, 128): 2.85, (64, 128): 4.90, (32, 16): 1.27}
    for (sums, batch), gigabytes in measured.items():
        estimate = DGCSPN(sums=sums, batch_size=batch).estimated_memory / 1e9
        assert estimate == pytest.approx(gigabytes, rel=0.15)


def test_em_raises_the_likelihood():
    model, images = make(epochs=6, dropout=0), images_of()
    history = model.fit(images)["log_likelihood"]
    assert history == sorted(history)
    assert model.score_samples(images).mean() > history[0] + 1


def test_weightless_images_train_nothing_and_stagnation_halves_the_step():
    images = images_of()
    scores, history = {}, {}
    for epochs, weight in [(1, 0), (6, 0), (6, 1)]:
        model = make(epochs=epochs)
        history[epochs, weight] = model.fit(images, sample_weight=np.full(len(images), weight))
        scores[epochs, weight] = model.score_samples(images)
    np.testing.assert_allclose(scores[6, 0], scores[1, 0], atol=1e-3)
    assert (scores[6, 1] > scores[1, 0] + 1).mean() > 0.9
    still = history[6, 0]
    np.testing.assert_allclose(still["step"], [0.1, 0.1, 0.1, 0.05, 0.05, 0.025], rtol=1e-6)
    # The history is that of unweighted images.
    assert still["log_likelihood"][0] == pytest.approx(scores[1, 0].mean(), rel=0.2)


def test_images_that_weigh_more_become_likelier():
    images = images_of()
    upper, lower = slice(None, None, 2), slice(1, None, 2)
    scores = []
    for heavy in (upper, lower):
        weight = np.ones(len(images))
        weight[heavy] = 9
        model = make(epochs=6)
        model.fit(images, sample_weight=weight)
        scores.append(model.score_samples(images))
    gain = scores[0] - scores[1]
    assert gain[upper].mean() > 8
    assert gain[lower].mean() < -8


def test_a_seed_gives_the_same_bits_with_global_locations():
    """With those of each image, the contract asks for it."""
    images, first, second = images_of(), make(locations="global"), make(locations="global")
    assert first.fit(images, seed=5) == second.fit(images, seed=5)
    np.testing.assert_array_equal(first.score_samples(images), second.score_samples(images))
    np.testing.assert_array_equal(first.sample(3, seed=1), second.sample(3, seed=1))
    assert (first.sample(3, seed=1) != first.sample(3, seed=2)).any()
    second.fit(images, seed=6)
    assert (first.score_samples(images) != second.score_samples(images)).all()


def test_a_saved_model_scores_and_draws_the_same(fitted, tmp_path):
    model, images, _ = fitted
    model.save(tmp_path / "model")
    again = DGCSPN.load(tmp_path / "model")
    np.testing.assert_array_equal(again.score_samples(images), model.score_samples(images))
    np.testing.assert_array_equal(again.sample(4), model.sample(4))
    assert again.settings == model.settings


def test_a_damaged_model_is_refused(fitted, tmp_path):
    model, _, _ = fitted
    model.save(tmp_path / "model")
    about, _ = saved.content(tmp_path / "model")
    assert about.keys() == {"format", "method", "settings", "mean", "std"}
    saved.describe(tmp_path / "model", mean="0.3")
    with pytest.raises(ValueError, match=r"damaged .*mean or std is no number"):
        DGCSPN.load(tmp_path / "model")
    saved.describe(tmp_path / "model", mean=0.3, settings=about["settings"] | {"sums": 4})
    with pytest.raises(ValueError, match=r"damaged .*sum0 has shape"):
        DGCSPN.load(tmp_path / "model")


def test_without_evidence_the_log_density_is_0(fitted):
    model, images, _ = fitted
    scores = model.score_samples(images, known=np.zeros((6, 5, 1), bool))
    np.testing.assert_allclose(scores, 0, atol=1e-5)


def test_unknown_pixels_do_not_matter(fitted):
    model, images, _ = fitted
    known = np.zeros((6, 5, 1), bool)
    known[3:] = True
    other = np.where(known, images, 0.5)
    np.testing.assert_array_equal(
        model.score_samples(images, known), model.score_samples(other, known)
    )
    assert (model.score_samples(images) == model.score_samples(images, np.array(True))).all()


@pytest.mark.parametrize("noise", [True, False])
def test_draws_are_images(fitted, noise):
    model, images, _ = fitted
    drawn = model.sample(70, noise=noise)
    assert drawn.shape == (70, *SIZE)
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    known = np.zeros((len(images), 6, 5, 1), bool)
    known[:, :2] = True
    known[0] = False  # nothing known of this one
    filled = model.inpaint(images, known, noise=noise)
    np.testing.assert_array_equal(filled[known], images[known])
    assert filled.min() >= 0
    assert filled.max() <= 1
    assert (filled[~known] != images[~known]).all()


def test_a_divergence_is_told(monkeypatch):
    monkeypatch.setattr(Network, "learn", lambda *_: (np.nan, np.nan))
    model = make()
    with pytest.raises(DivergenceError, match="nan in epoch 1"):
        model.fit(images_of())
    with pytest.raises(ValueError, match="call fit first"):
        model.score_samples(images_of())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sums": 1}, "sums must be a whole number of at least 2, but is 1"),
        ({"components": 2.0}, "components must be a whole number"),
        ({"levels": 3}, "levels must be at least 4"),
        ({"input_shape": (9, 2, 1)}, None),
        ({"input_shape": (10, 2, 1)}, "levels must be at least 5"),
        ({"input_shape": (8, 8)}, r"input_shape must be \(H, W, C\)"),
        ({"step": 0}, r"step must lie in \(0, 1\], but is 0"),
        ({"step": "fast"}, "step must lie in .* but is 'fast'"),
        ({"dropout": 1}, r"dropout must lie in \[0, 1\)"),
        ({"locations": "mean"}, "locations must be one of image, global, but is 'mean'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    if message is None:
        make(**settings)
        return
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(3), r"\[32\], but is \(3,\)"),
        (-np.ones(32), "at least 0"),
        (np.full(32, np.nan), "finite"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        make().fit(images_of(), sample_weight=weight)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="1 images are too few"):
        make().fit(images_of(1))


def test_tensorflow_waits_for_the_first_network_and_keras_3_is_refused():
    code = """if True:
        import sys
        from baselines.dgcspn import DGCSPN
        model = DGCSPN()
        assert "tensorflow" not in sys.modules
        import tensorflow as tf
        assert tf.keras.layers.Dense  # Keras 3, from now on
        model.estimated_seconds(1)
    """
    environment = {name: text for name, text in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert "ImportError: DGCSPN needs Keras 2, but tf.keras is already Keras 3" in done.stderr
