"""The quad-tree circuit against sums over all images of two pixels, and libcirkit's draws."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cirkit")

from cirkit.backend.torch.queries import IntegrateQuery, SamplingQuery  # noqa: E402

from baselines.circuit import QuadTreeCircuit, drawing, structure  # noqa: E402

SHAPE = (1, 2, 1)
LEFT = np.array([True, False])[None, :, None]  # [1, 2, 1]


@pytest.fixture(scope="module")
def model():
    """Of two pixels that are mostly both dark or both bright: two units for either."""
    model = QuadTreeCircuit(units=4, epochs=1, input_shape=SHAPE)
    model.fit(np.zeros((1, *SHAPE), "float32"))
    leaves, sums, root = model.arrays
    logits = np.random.default_rng(0).normal(0, 1, (2, 4, 256)).astype("float32")
    logits[:, :2, 128:] -= 6
    logits[:, 2:, :128] -= 6
    model.arrays[leaves] = logits
    model.arrays[sums] = np.broadcast_to(4 * np.eye(4, dtype="float32"), (2, 4, 4)).copy()
    model.arrays[root] = np.zeros((1, 1, 4), "float32")
    return model


@pytest.fixture(scope="module")
def joint(model):
    """Probability of every pair of levels, [256, 256]."""
    levels = np.stack(np.meshgrid(np.arange(256), np.arange(256), indexing="ij"), axis=-1)
    images = (levels.reshape(-1, *SHAPE) / 255).astype("float32")
    return np.exp(model.score_samples(images)).reshape(256, 256)


def test_probabilities_sum_to_one(joint):
    assert joint.sum() == pytest.approx(1, abs=1e-4)


def test_marginals_are_sums(model, joint):
    images = np.repeat(np.arange(256) / 255, 2).reshape(-1, *SHAPE).astype("float32")
    scores = model.score_samples(images, known=LEFT)
    np.testing.assert_allclose(np.exp(scores), joint.sum(axis=1), rtol=1e-3, atol=1e-7)


def test_draws_have_the_joint_distribution(model, joint):
    drawn = np.rint(model.sample(4000, seed=1).reshape(-1, 2) * 255).astype(int)
    coarse = joint.reshape(4, 64, 4, 64).sum(axis=(1, 3))
    counts = np.zeros((4, 4))
    np.add.at(counts, tuple(drawn.T // 64), 1)
    deviation = np.sqrt(4000 * coarse * (1 - coarse))
    assert (abs(counts - 4000 * coarse) < 5 * deviation + 1).all()


def test_pixels_are_filled_in_by_their_conditional_distribution(model, joint):
    conditional = joint / joint.sum(axis=1, keepdims=True)
    bright = conditional[:, 128:].sum(axis=1)
    for known in (bright.argmin(), bright.argmax()):
        assert abs(bright[known] - joint[:, 128:].sum()) > 0.1, "the known pixel tells"
        images = np.full((4000, *SHAPE), known / 255, "float32")
        filled = np.rint(model.inpaint(images, LEFT, seed=2)[:, 0, 1, 0] * 255)
        assert (filled >= 128).mean() == pytest.approx(bright[known], abs=0.03)
        calm = model.inpaint(images, LEFT, seed=2, noise=False)[:, 0, 1, 0] * 255
        assert calm.mean() == pytest.approx(conditional[known] @ np.arange(256), abs=4)


@pytest.fixture(scope="module")
def untrained():
    """A circuit of 7x5 images of two channels, whose halves are not alike, and some bytes."""
    circuit = structure.build(3, (7, 5, 2))
    structure.initialise(circuit, 1)
    return circuit, torch.randint(0, 256, (6, 70), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_evidence_is_as_the_library_integrates_it(untrained):
    circuit, x = untrained
    known = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    values = drawing.evaluate(circuit, x, known)[-1].flatten()
    expected = IntegrateQuery(circuit)(x, integrate_vars=~known).flatten()
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_draws_score_as_the_librarys_own_do(untrained):
    circuit, _ = untrained
    blank = torch.zeros((500, 70), dtype=torch.long)
    generator = torch.Generator().manual_seed(3)
    ours = drawing.complete(circuit, blank, blank.bool(), generator, True).long()
    torch.manual_seed(4)
    theirs, _ = SamplingQuery(circuit)(500)
    scores = [circuit(drawn).flatten() for drawn in (ours, theirs)]
    error = sum(score.var() / 500 for score in scores).sqrt()
    assert abs(scores[0].mean() - scores[1].mean()) < 4 * error


@torch.no_grad()
def test_images_are_told_apart_below_the_librarys_clamp():
    """It would lift all of them to the same -708."""
    circuit = structure.build(2, (20, 20, 1))
    x = torch.randint(0, 256, (5, 400), generator=torch.Generator().manual_seed(0))
    scores = circuit(x).flatten()
    assert (scores < -1500).all() and len(scores.unique()) == 5


def test_images_are_read_channel_by_channel():
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 2)) / 255
    x = structure.to_bytes(images.astype("float32"))
    assert x[1, 20 + 2 * 5 + 3] == np.rint(255 * images[1, 2, 3, 1])
    np.testing.assert_allclose(structure.to_images(x, (4, 5, 2)), images)


def test_global_randomness_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model = QuadTreeCircuit(units=2, epochs=1, input_shape=SHAPE)
    model.fit(np.zeros((4, *SHAPE), "float32"))
    model.sample(2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"units": 0}, "units"), ({"epochs": 1.5}, "epochs"), ({"learning_rate": 0}, "learning_rate")],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        QuadTreeCircuit(**settings)
