"""Both mixtures against scipy's dense Gaussians."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import kstest, multivariate_normal, norm
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from baselines.gmm import GMM
from baselines.interface import DivergenceError
from tests import saved

SHAPE = (3, 4, 1)
V = 12
SETTINGS = {
    "diagonal": {"components": 3},
    "full_pca": {"components": 3, "covariance": "full_pca", "dimensions": 4},
}


@pytest.fixture(scope="module")
def images():
    """Three kinds, with correlated pixels."""
    rng = np.random.default_rng(0)
    centre = rng.random((3, V)).repeat(60, axis=0)
    x = centre + rng.normal(0, 0.3, (180, 3)) @ rng.random((3, V)) + rng.normal(0, 0.05, (180, V))
    return x.clip(0, 1).astype("float32").reshape(-1, *SHAPE)


@pytest.fixture(scope="module", params=SETTINGS)
def model(request, images):
    model = GMM(**SETTINGS[request.param], input_shape=SHAPE)
    model.fit(images, seed=1)
    return model


@pytest.fixture(scope="module")
def dense(model):
    """Weights [K], means [K, V] and covariances [K, V, V], written out from what is saved."""
    density = model.trained
    mixture = density.mixture
    if model.settings.covariance == "diagonal":
        return (
            mixture.weights_,
            mixture.means_,
            np.stack([np.diag(c) for c in mixture.covariances_]),
        )
    w = density.axes
    off = np.eye(V) - w.T @ w
    covariances = [w.T @ c @ w + density.residual * off for c in mixture.covariances_]
    return mixture.weights_, density.origin + mixture.means_ @ w, np.stack(covariances)


def textbook(dense, x, known):
    """Log-density of known pixels with each component, [n, K], for one mask [V]."""
    return np.stack(
        [
            np.log(w) + multivariate_normal(m[known], c[np.ix_(known, known)]).logpdf(x[:, known])
            for w, m, c in zip(*dense, strict=True)
        ],
        axis=-1,
    )


def flat(images):
    return images.reshape(len(images), -1).astype("float64")


MASK = np.arange(V) % 3 == 0


def test_scores_are_the_dense_mixtures(model, dense, images):
    expected = logsumexp(textbook(dense, flat(images), np.ones(V, bool)), axis=1)
    np.testing.assert_allclose(model.score_samples(images), expected, rtol=1e-9)


def test_marginals_are_the_dense_mixtures(model, dense, images):
    expected = logsumexp(textbook(dense, flat(images), MASK), axis=1)
    scores = model.score_samples(images, known=MASK.reshape(SHAPE))
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


def test_the_density_of_a_pixel_integrates_to_one(model, dense):
    grid = np.linspace(0, 1, 2001, dtype="float32")
    images = np.zeros((2001, V), "float32")
    images[:, 5] = grid
    known = (np.arange(V) == 5).reshape(SHAPE)
    density = np.exp(model.score_samples(images.reshape(-1, *SHAPE), known=known))
    pixel = norm(dense[1][:, 5], np.sqrt(dense[2][:, 5, 5]))
    inside = pixel.cdf(1) - pixel.cdf(0)  # what lies outside [0, 1] is not on the grid
    assert np.trapezoid(density, grid) == pytest.approx(dense[0] @ inside, rel=1e-4)


def test_draws_have_the_mixtures_moments(model, dense):
    weights, means, covariances = dense
    component = np.random.default_rng(2).choice(3, 40_000, p=weights)
    x = model.trained.draw(component, np.random.default_rng(3))
    for k in range(3):
        own = x[component == k]
        error = np.sqrt(np.diag(covariances[k]) / len(own))
        assert (np.abs(own.mean(axis=0) - means[k]) < 5 * error).all()
        spread = np.sqrt(np.outer(np.diag(covariances[k]), np.diag(covariances[k])))
        assert np.abs((np.cov(own.T) - covariances[k]) / spread).max() < 6 / np.sqrt(len(own) / 2)


def test_components_are_drawn_by_their_weights(model, dense):
    drawn = flat(model.sample(20_000, seed=1, noise=False))
    nearest = ((drawn[:, None] - dense[1].clip(0, 1)) ** 2).sum(axis=2)
    assert nearest.min(axis=1).max() < 1e-12  # component means
    seen = np.bincount(nearest.argmin(axis=1), minlength=3) / 20_000
    np.testing.assert_allclose(seen, dense[0], atol=5 * 0.5 / np.sqrt(20_000))


def conditional(dense, x, k, known):
    """Mean and covariance of the unknown pixels of x [V] under component k."""
    _, means, covariances = dense
    oo, uo, uu = (
        covariances[k][np.ix_(a, b)] for a, b in ((known, known), (~known, known), (~known, ~known))
    )
    gain = uo @ np.linalg.inv(oo)
    return means[k][~known] + gain @ (x - means[k])[known], uu - gain @ uo.T


def test_without_noise_the_conditional_mean_of_a_likely_component_is_filled_in(
    model, dense, images
):
    filled = flat(model.inpaint(images, MASK.reshape(SHAPE), seed=4, noise=False))
    x = flat(images)
    for row in range(0, 180, 20):
        means = [conditional(dense, x[row], k, MASK)[0].clip(0, 1) for k in range(3)]
        assert min(np.abs(filled[row, ~MASK] - mean).max() for mean in means) < 1e-6


def test_components_are_filled_in_by_their_responsibilities(model, dense, images):
    known = np.arange(V) == 2  # one pixel leaves open which component it is
    responsibilities = softmax(textbook(dense, flat(images), known), axis=1)
    row = responsibilities.max(axis=1).argmin()  # the most doubtful image
    copies = np.repeat(images[[row]], 8_000, axis=0)
    filled = flat(model.inpaint(copies, known.reshape(SHAPE), seed=5, noise=False))
    means = [conditional(dense, flat(images)[row], k, known)[0].clip(0, 1) for k in range(3)]
    nearest = ((filled[:, None, ~known] - np.stack(means)) ** 2).sum(axis=2).argmin(axis=1)
    seen = np.bincount(nearest, minlength=3) / 8_000
    np.testing.assert_allclose(seen, responsibilities[row], atol=5 * 0.5 / np.sqrt(8_000))
    assert responsibilities[row].max() < 0.8


def test_filled_in_pixels_have_the_conditional_distribution(model, dense, images):
    x = np.repeat(flat(images)[:1], 20_000, axis=0)
    known = np.broadcast_to(MASK, x.shape)
    component = np.zeros(len(x), int)
    drawn = model.trained.draw(component, np.random.default_rng(6))
    filled = model.trained.complete(drawn, x, known, component)[:, ~MASK]
    mean, covariance = conditional(dense, x[0], 0, MASK)
    white = np.linalg.solve(np.linalg.cholesky(covariance), (filled - mean).T)
    assert np.abs(np.cov(white) - np.eye(len(mean))).max() < 6 / np.sqrt(len(x) / 2)
    for direction in white:
        assert kstest(direction, norm.cdf).pvalue > 1e-4


def test_the_fit_is_scikit_learns(images):
    x = flat(images)
    ours = GMM(**SETTINGS["diagonal"], input_shape=SHAPE)
    history = ours.fit(images, seed=2)["log_likelihood"]
    theirs = GaussianMixture(
        3, covariance_type="diag", reg_covar=1e-3, init_params="k-means++", random_state=2
    ).fit(x)
    np.testing.assert_array_equal(ours.score_samples(images), theirs.score_samples(x))
    assert history == theirs.lower_bounds_


def test_with_one_component_the_score_is_probabilistic_pcas(images):
    """Tipping and Bishop's density, where nothing is added to the variances."""
    x = flat(images)
    settings = {"components": 1, "covariance": "full_pca", "dimensions": 4}
    model = GMM(**settings, regularisation=1e-12, input_shape=SHAPE)
    model.fit(images)
    # scikit-learn's variances divide by n - 1, those of a likelihood by n.
    pca = PCA(4, svd_solver="full").fit(x)
    expected = multivariate_normal(pca.mean_, pca.get_covariance() * 179 / 180).logpdf(x)
    np.testing.assert_allclose(model.score_samples(images), expected, rtol=1e-6)


def test_the_history_is_the_mean_score_before_each_step(model, images):
    history = model.fit(images, seed=1)["log_likelihood"]
    # One more step changes less than the tolerance, if EM has ended by itself.
    assert len(history) < model.settings.epochs
    assert model.score_samples(images).mean() == pytest.approx(history[-1], abs=5e-3)


def test_all_axes_leave_nothing_off_them(images):
    model = GMM(components=2, covariance="full_pca", dimensions=V, input_shape=SHAPE)
    model.fit(images)
    known = np.ones(SHAPE, bool)
    np.testing.assert_allclose(
        model.score_samples(images, known=known), model.score_samples(images), rtol=1e-9
    )


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:sklearn")
def test_images_that_never_vary_are_no_harm():
    images = np.full((10, *SHAPE), 0.5, "float32")
    for settings in SETTINGS.values():
        model = GMM(**settings, input_shape=SHAPE)
        model.fit(images)
        assert np.isfinite(model.score_samples(images)).all()


def test_parameters_are_counted():
    assert GMM(components=3, input_shape=SHAPE).n_parameters == 3 * (1 + 12 + 12)
    full = GMM(**SETTINGS["full_pca"], input_shape=SHAPE)
    assert full.n_parameters == 3 * (1 + 4 + 10) + 4 * 12 + 12 + 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"components": 0}, "components must be a whole number of at least 1"),
        ({"dimensions": 2.5}, "dimensions must be a whole number"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"covariance": "tied"}, "one of diagonal, full_pca, but is 'tied'"),
        ({"initialisation": "magic"}, "one of k-means"),
        ({"regularisation": 0}, "regularisation must lie above 0"),
        ({"tolerance": -1}, "tolerance must be 0 or more"),
        ({"covariance": "full_pca", "dimensions": 13}, "at most the 12 numbers of an image"),
        ({"input_shape": (3, 0, 1)}, "every side of input_shape must be"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GMM(**{"input_shape": SHAPE} | settings)


def test_too_few_images_are_refused(images):
    with pytest.raises(ValueError, match="there are 3 images, but these settings need at least 4"):
        GMM(**SETTINGS["full_pca"], input_shape=SHAPE).fit(images[:3])


def test_a_failed_fit_is_a_divergence(images, monkeypatch):
    def fail(*_):
        raise ValueError("ill-defined empirical covariance")

    monkeypatch.setattr(GaussianMixture, "fit", fail)
    with pytest.raises(DivergenceError, match="raise regularisation"):
        GMM(**SETTINGS["diagonal"], input_shape=SHAPE).fit(images)


@pytest.mark.parametrize("error", [ValueError("no such seed"), TypeError("of another kind")])
def test_an_error_that_is_no_divergence_is_passed_on_as_it_is(images, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(GaussianMixture, "fit", fail)
    with pytest.raises(type(error)) as caught:
        GMM(**SETTINGS["diagonal"], input_shape=SHAPE).fit(images)
    assert caught.value is error


@pytest.mark.parametrize("covariance", SETTINGS)
def test_a_singular_covariance_is_a_divergence(images, covariance):
    settings = SETTINGS[covariance] | {"regularisation": 1e-300}
    with pytest.raises(DivergenceError, match="raise regularisation"):
        GMM(**settings, input_shape=SHAPE).fit(images[:2].repeat(90, axis=0))


def test_a_model_whose_arrays_do_not_fit_is_refused(model, tmp_path):
    model.save(tmp_path / "model")
    _, arrays = saved.content(tmp_path / "model")
    saved.replace(tmp_path / "model", means=arrays["means"][:, 1:])
    with pytest.raises(ValueError, match="means has shape"):
        GMM.load(tmp_path / "model")
