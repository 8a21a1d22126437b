"""The cGMM layer against scikit-learn, finite differences and automatic differentiation."""

import math

import numpy as np
import pytest
import reference
from keras import ops
from sklearn.mixture import GaussianMixture

from dcgmm.layers import GMM
from dcgmm.layers import gmm as mixture
from dcgmm.layers.gmm import Parameters

HEIGHT, WIDTH, CHANNELS, IMAGES, COMPONENTS = 2, 3, 5, 40, 9
POSITIONS = HEIGHT * WIDTH

sharing = pytest.mark.parametrize("independent", [False, True], ids=["shared", "independent"])


def random_parameters(sets, components=COMPONENTS, dimension=CHANNELS, seed=0):
    rng = np.random.default_rng(seed)
    return Parameters(
        mu=rng.uniform(0, 1, (sets, components, dimension)),
        root_precision=rng.uniform(1, 4.4, (sets, components, dimension)),
        logits=rng.normal(size=(sets, components)),
    )


def random_layer(independent):
    """A built layer, its parameters as float64 arrays, and an input."""
    layer = GMM(COMPONENTS, independent=independent)
    layer.build((HEIGHT, WIDTH, CHANNELS, IMAGES))
    parameters = random_parameters(POSITIONS if independent else 1)
    layer.parameters = Parameters(*(p.astype("float32") for p in parameters))
    x = np.random.default_rng(1).random((HEIGHT, WIDTH, CHANNELS, IMAGES), "float32")
    return layer, parameters, x


def weights_of(parameters):
    exponentials = np.exp(parameters.logits)
    return exponentials / exponentials.sum()


def sklearn_mixture(parameters, q):
    gmm = GaussianMixture(COMPONENTS, covariance_type="diag")
    gmm.means_ = parameters.mu[q]
    gmm.precisions_cholesky_ = parameters.root_precision[q]
    gmm.weights_ = weights_of(parameters)[q]
    return gmm


@pytest.mark.backend
@sharing
def test_log_densities_are_those_of_scikit_learn(independent):
    layer, parameters, x = random_layer(independent)
    log_joint = np.asarray(layer.log_scores(x)) + layer.log_constant
    for p, position in enumerate(x.reshape(POSITIONS, CHANNELS, IMAGES)):
        gmm = sklearn_mixture(parameters, p if independent else 0)
        expected = gmm._estimate_log_prob(position.T) + np.log(gmm.weights_)
        np.testing.assert_allclose(log_joint[p].T, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.backend
@sharing
def test_responsibilities_are_those_of_scikit_learn_and_sum_to_1(independent):
    layer, parameters, x = random_layer(independent)
    gamma = np.asarray(layer(x))
    assert gamma.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(gamma.sum(axis=2), 1, rtol=1e-5)
    for p in range(POSITIONS):
        h, w = divmod(p, WIDTH)
        expected = sklearn_mixture(parameters, p if independent else 0).predict_proba(x[h, w].T)
        np.testing.assert_allclose(gamma[h, w].T, expected, atol=1e-4)


@pytest.mark.backend
def test_responsibilities_stay_finite_where_every_density_underflows():
    scores = np.float32([[[-1e30, -5000], [-1e30, -4000], [-2e30, -4000]]])
    gamma = np.asarray(mixture.responsibilities(scores))
    np.testing.assert_array_equal(gamma, np.float32([[[0.5, 0], [0.5, 0.5], [0, 0.5]]]))


@sharing
def test_weights_sum_to_1_over_components_and_positions_with_weights_of_their_own(independent):
    layer, parameters, _ = random_layer(independent)
    parameters = parameters._replace(
        mu=np.zeros_like(parameters.mu), root_precision=np.ones_like(parameters.root_precision)
    )
    layer.parameters = Parameters(*(p.astype("float32") for p in parameters))
    at_the_centroid = np.zeros((HEIGHT, WIDTH, CHANNELS, 1), "float32")
    weights = np.exp(np.asarray(layer.log_scores(at_the_centroid)))[:, :, 0]  # [P, K]
    expected = np.broadcast_to(weights_of(parameters), weights.shape)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    total = weights.sum() if independent else weights[0].sum()
    assert total == pytest.approx(1, rel=1e-5)


def test_independent_parameters_at_one_position_are_shared_parameters():
    x = np.random.default_rng(0).random((1, 1, CHANNELS, IMAGES), "float32")
    scores = []
    for independent in (False, True):
        layer = GMM(COMPONENTS, independent=independent, seed=4)
        layer.build(x.shape)
        scores.append(np.asarray(layer.log_scores(x)))
    np.testing.assert_allclose(*scores, rtol=1e-6)


@pytest.mark.parametrize("root_precision", [1e-2, math.sqrt(20)])
@pytest.mark.parametrize("dimension", [1, 7, 8, 9, 784])
def test_scores_hold_at_both_bounds_of_the_precision(root_precision, dimension):
    layer = GMM(4)
    layer.build((1, 1, dimension, 3))
    parameters = random_parameters(1, 4, dimension)
    parameters = parameters._replace(root_precision=np.full((1, 4, dimension), root_precision))
    layer.parameters = Parameters(*(p.astype("float32") for p in parameters))
    x = np.random.default_rng(0).random((1, 1, dimension, 3), "float32")
    scores = np.asarray(layer.log_scores(x))[0].T
    expected = reference.log_scores(*parameters, x[0].transpose(2, 0, 1))[:, 0]
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5 * dimension)


@pytest.mark.backend
@sharing
def test_the_closed_form_gradient_is_that_of_finite_differences_and_of_autodiff(independent):
    sets = POSITIONS if independent else 1
    parameters = random_parameters(sets, components=4, dimension=2)
    x = np.random.default_rng(1).random((POSITIONS, 2, 7))  # [P, D, N]
    smoothing = reference.mask(4, 0.5)

    def best(mu, root_precision, logits):
        """Eq. 8, from the layer's own scores: a mean over positions and images."""
        features = mixture.features(ops.convert_to_tensor(x))
        scores = mixture.log_scores(Parameters(mu, root_precision, logits), features)
        smoothed = ops.einsum("kj,pjn->pkn", ops.convert_to_tensor(smoothing), scores)
        return ops.sum(ops.max(smoothed, axis=1)) / (7 * POSITIONS)

    with reference.double_precision():
        tensors = Parameters(*map(ops.convert_to_tensor, parameters))
        features = mixture.features(ops.convert_to_tensor(x))
        scores = np.asarray(mixture.log_scores(tensors, features))
        weights = np.asarray(mixture.winners(ops.convert_to_tensor(smoothing @ scores)))
        weights = smoothing.T @ weights
        moments = weights @ np.asarray(features).transpose(0, 2, 1) / 7
        counts = weights.mean(axis=2)
        if not independent:
            moments, counts = (m.mean(axis=0, keepdims=True) for m in (moments, counts))
        closed = mixture.gradients(tensors, *map(ops.convert_to_tensor, (moments, counts)))
        closed = [np.asarray(gradient) / sets for gradient in closed]

    _, automatic = reference.value_and_gradients(best, parameters)
    for name, ours, theirs in zip(Parameters._fields, closed, automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12, err_msg=name)
        assert np.abs(theirs).max() > 1e-3

    with reference.double_precision():
        for which, gradient in enumerate(closed):
            for entry in np.ndindex(gradient.shape):
                values = []
                for step in (1e-6, -1e-6):
                    moved = [np.array(p) for p in parameters]
                    moved[which][entry] += step
                    values.append(float(best(*map(ops.convert_to_tensor, moved))))
                difference = (values[0] - values[1]) / 2e-6
                assert gradient[entry] == pytest.approx(difference, rel=1e-5, abs=1e-8)


@pytest.mark.backend
def test_the_winner_takes_all_but_shares_a_tie():
    scores = np.float32([[[1, 5], [3, 5], [2, 4]]])  # [P, K, N]
    np.testing.assert_array_equal(mixture.winners(scores), [[[0, 0.5], [1, 0.5], [0, 0]]])


def test_the_loss_is_the_mean_over_positions_of_the_best_score():
    scores = np.float32([[[1], [3]], [[-2], [-5]]])
    np.testing.assert_array_equal(mixture.max_component(scores), [0.5])


def test_the_constant_is_that_of_a_standard_normal_of_d_dimensions():
    layer, _, _ = random_layer(False)
    assert layer.log_constant == pytest.approx(-0.5 * CHANNELS * math.log(2 * math.pi))


@pytest.mark.backend
@sharing
def test_weights_begin_as_in_the_release(independent):
    layer = GMM(COMPONENTS, independent=independent, mu_init=0.2, max_precision=16, seed=5)
    layer.build((HEIGHT, WIDTH, CHANNELS, None))
    sets = POSITIONS if independent else 1
    assert layer.count_params() == sets * COMPONENTS * (2 * CHANNELS + 1)
    assert [weight.shape for weight in layer.weights] == [
        (sets, COMPONENTS, CHANNELS),
        (sets, COMPONENTS, CHANNELS),
        (sets, COMPONENTS),
    ]
    mu, root_precision, logits = map(np.asarray, layer.parameters)
    assert -0.2 <= mu.min() < -0.15
    assert 0.15 < mu.max() <= 0.2
    np.testing.assert_array_equal(root_precision, 4)
    np.testing.assert_array_equal(np.asarray(layer.precision), 16)
    np.testing.assert_allclose(logits, 1 / COMPONENTS)


def test_the_seed_decides_the_centroids():
    def mu(seed):
        layer = GMM(4, seed=seed)
        layer.build((1, 1, 3, None))
        return np.asarray(layer.mu)

    np.testing.assert_array_equal(mu((3, 0, 2)), mu((3, 0, 2)))
    assert not np.array_equal(mu((3, 0, 2)), mu((3, 0, 4)))


def test_a_configuration_makes_the_layer_again():
    layer = GMM(16, independent=True, mu_init=0.3, max_precision=10.0, seed=3, name="g")
    copy = GMM.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.components, copy.independent, copy.seed, copy.name) == (16, True, 3, "g")
    assert (copy.mu_init, copy.max_precision) == (0.3, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"components": 5}, "components is 5, but must be a perfect square, such as 4 or 9"),
        ({"components": 4, "max_precision": 0.0}, "max_precision must be above 0, but is 0.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GMM(**arguments)
