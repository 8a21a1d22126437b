"""VAE through the contract of a method."""

import numpy as np
import pytest

from baselines.interface import DivergenceError
from baselines.vae import VAE
from baselines.vae.network import Network
from tests import saved

SIZE = (16, 14, 1)
SMALL = {
    "width": 0.0625,
    "latent": 2,
    "epochs": 12,
    "batch_size": 8,
    "learning_rate": 0.003,
    "draws": 3,
    "input_shape": SIZE,
}


def make(**settings):
    return VAE(**(SMALL | settings))


def images_of(n=64, seed=0):
    """Images of two kinds: the upper rows light, or the lower ones."""
    rng = np.random.default_rng(seed)
    images = 0.2 * rng.random((n, *SIZE))
    images[::2, :8] += 0.7
    images[1::2, 8:] += 0.7
    return images.astype("float32")


@pytest.fixture(scope="module")
def fitted():
    """A fitted model, not to be fitted again, its images and its history."""
    model, images = make(), images_of()
    return model, images, model.fit(images, seed=3)


def test_it_learns_both_kinds(fitted):
    model, images, history = fitted
    assert [len(entries) for entries in history.values()] == [12, 12]
    assert history["elbo"][-1] > history["elbo"][0] + 40
    assert history["kl"][-1] > 0.7  # the code says which kind: log 2
    chequered = np.where(np.arange(16)[:, None, None] % 2, images, 1 - images)
    assert model.score_samples(images).min() > model.score_samples(chequered).max()
    means = model.sample(200, noise=False)
    lighter_above = (means[:, :8].mean((1, 2, 3)) > means[:, 8:].mean((1, 2, 3))).mean()
    assert 0.2 < lighter_above < 0.8


def test_the_score_is_about_the_bound_of_training(fitted):
    model, images, history = fitted
    assert model.score_samples(images).mean() == pytest.approx(history["elbo"][-1], abs=3)


def test_a_score_takes_as_many_draws_as_are_set(fitted, monkeypatch):
    model, images, _ = fitted
    taken = []
    monkeypatch.setattr(
        "baselines.vae.model.importance_weighted_bound",
        lambda network, images, noise: taken.append(noise) or np.zeros(len(images)),
    )
    model.score_samples(images.repeat(2, axis=0))  # in two batches
    assert [noise.shape for noise in taken] == [(3, 2), (3, 2)]
    np.testing.assert_array_equal(*taken)
    many = make(draws=5000)
    many._trained = model.trained
    many.score_samples(images)
    assert abs(np.cov(taken[-1].T) - np.eye(2)).max() < 0.1
    assert abs(taken[-1].mean(0)).max() < 0.1


def test_drawn_pixels_have_the_means_of_their_codes(fitted):
    """Pixel noise is not shared, so sums over many images and pixels are close to expectation."""
    model, _, _ = fitted
    means, drawn = (model.sample(400, seed=1, noise=noise) for noise in (False, True))
    assert set(np.unique(drawn)) == {0, 1}
    deviation = np.sqrt((means * (1 - means)).sum(0))
    assert (abs((drawn - means).sum(0)) < 4.5 * deviation).all()
    correlation = np.corrcoef((drawn - means)[:, 7:9, :2].reshape(400, 4).T)
    assert abs(correlation - np.eye(4)).max() < 0.25


@pytest.mark.parametrize("noise", [True, False])
def test_the_first_images_do_not_depend_on_n(fitted, noise):
    model, _, _ = fitted
    few, many = model.sample(7, seed=2, noise=noise), model.sample(130, seed=2, noise=noise)
    np.testing.assert_allclose(few, many[:7], atol=1e-6)
    assert len(np.unique(many.reshape(130, -1), axis=0)) == 130


def test_a_second_fit_starts_anew_and_compiles_nothing(fitted, monkeypatch):
    first, images, history = fitted
    model = make()
    assert model.estimated_seconds(100) > 0
    assert model.fit(images, seed=8) != history
    monkeypatch.setattr(Network, "__init__", None)  # another network would fail
    assert model.fit(images, seed=3) == history
    np.testing.assert_array_equal(model.score_samples(images), first.score_samples(images))
    step = model.trained.trainer.train_function
    if hasattr(step, "experimental_get_tracing_count"):  # TensorFlow
        assert step.experimental_get_tracing_count() == 1


def test_beta_weighs_the_divergence(fitted):
    _, images, history = fitted
    heavy = make(beta=30).fit(images, seed=3)
    assert heavy["kl"][-1] < 0.2 * history["kl"][-1]


class Listener:
    """Stands in for a network, and keeps the images of every step."""

    def __init__(self, loss=1.0):
        self.seen, self.loss = [], loss

    def reset(self, seed):
        pass

    def start_epoch(self):
        pass

    def learn(self, images, noise):
        assert noise.shape == (len(images), 2)
        self.seen.append(images)
        return self.loss, 0.0


def test_the_remainder_of_an_epoch_is_left_out():
    model, images = make(epochs=2), images_of(20)
    model._network = listener = Listener()
    model.fit(images, seed=1)
    assert [len(batch) for batch in listener.seen] == [8] * 4
    which = [
        {
            int(abs(images - x).sum((1, 2, 3)).argmin())
            for x in np.concatenate(listener.seen[i : i + 2])
        }
        for i in (0, 2)
    ]
    assert [len(chosen) for chosen in which] == [16, 16]
    assert which[0] != which[1]


def test_fewer_images_than_a_batch_are_one_batch():
    model = make(batch_size=500, epochs=2)
    model._network = listener = Listener()
    model.fit(images_of(9))
    assert [len(batch) for batch in listener.seen] == [9, 9]


def test_an_estimate_leaves_the_fitted_model_alone(fitted):
    model, images, _ = fitted
    before = model.score_samples(images)
    assert model.estimated_seconds(100) > 0
    np.testing.assert_array_equal(model.score_samples(images), before)


def test_a_saved_model_scores_and_draws_the_same(fitted, tmp_path):
    model, images, _ = fitted
    model.save(tmp_path / "model")
    again = VAE.load(tmp_path / "model")
    np.testing.assert_array_equal(again.score_samples(images), model.score_samples(images))
    np.testing.assert_array_equal(again.sample(4), model.sample(4))
    assert again.settings == model.settings


def test_a_model_of_another_size_is_refused(fitted, tmp_path):
    model, _, _ = fitted
    model.save(tmp_path / "model")
    about, _ = saved.content(tmp_path / "model")
    saved.describe(tmp_path / "model", settings=about["settings"] | {"latent": 4})
    with pytest.raises(ValueError, match=r"damaged .*posterior_kernel has shape"):
        VAE.load(tmp_path / "model")


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_divergence_is_told(loss):
    model = make()
    model._network = listener = Listener(loss)
    with pytest.raises(DivergenceError, match=f"{loss} in epoch 1: lower learning_rate"):
        model.fit(images_of())
    assert len(listener.seen) == 1
    with pytest.raises(ValueError, match="call fit first"):
        model.score_samples(images_of())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent": 0}, "latent must be a whole number of at least 1, but is 0"),
        ({"draws": 1.5}, "draws must be a whole number"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"width": 0}, "width must be a number above 0, but is 0"),
        ({"width": "wide"}, "width must be a number above 0, but is 'wide'"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"beta": -1}, "beta must be a number above 0, but is -1"),
        ({"input_shape": (8, 8)}, r"input_shape must be \(H, W, C\)"),
        ({"input_shape": (33, 8, 1)}, r"at most 32x32 pixels, but input_shape is \(33, 8, 1\)"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)
