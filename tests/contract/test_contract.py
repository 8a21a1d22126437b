"""What `baselines.interface` asks of every method, on images of 8x8."""

import inspect
import json

import numpy as np
import pytest

from baselines.interface import CAPABILITIES, INPAINT, MARGINALS, SAMPLE, SCORE, Method
from baselines.interface import SAMPLE_WEIGHT as WEIGHT

TOP_LEFT = np.zeros((8, 8, 1), bool)
TOP_LEFT[:4, :4] = True
UNKNOWN = [np.nan, np.inf, -np.inf, -5, 255, 1e30, 1e300]


def absent(method, *arguments, **keywords):
    """That a method is not there, does not take these arguments, or says that it is not made."""
    if method is None:
        return
    try:
        inspect.signature(method).bind(*arguments, **keywords)
    except TypeError:
        return
    with pytest.raises(NotImplementedError):
        method(*arguments, **keywords)


def assert_are_images(x, n):
    assert x.shape == (n, 8, 8, 1)
    assert x.dtype == np.float32
    assert np.isfinite(x).all() and x.min() >= 0 and x.max() <= 1


def assert_close(scores, expected):
    """Equal to the rounding of sums in float32."""
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-3)


class TestDescription:
    def test_follows_the_contract(self, subject, capabilities):
        assert capabilities <= CAPABILITIES
        if subject.name != "dcgmm":
            assert isinstance(subject.make(), Method)

    def test_the_folder_is_complete(self, subject):
        if subject.name == "dcgmm":
            pytest.skip("dcgmm is no folder of baselines/")
        for file in ("__init__.py", "method.toml", "params.schema.yaml", "README.md"):
            assert (subject.folder / file).is_file(), f"{file} is missing"
        described = subject.description
        assert described["title"] and described["environment"]
        assert isinstance(described["holdout"], bool)
        assert set(described["protocols"]) == {"paper", "corrected"}
        for protocol in described["protocols"].values():
            assert protocol["evidence"] in ("all", "bottom_half")

    def test_the_schema_describes_the_settings(self, subject):
        if subject.name == "dcgmm":
            pytest.skip("dcgmm is no folder of baselines/")
        yaml = pytest.importorskip("yaml")
        jsonschema = pytest.importorskip("jsonschema")
        schema = yaml.safe_load((subject.folder / "params.schema.yaml").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        properties = schema["properties"]
        jsonschema.validate(subject.description["contract"], schema)
        jsonschema.validate({name: value["default"] for name, value in properties.items()}, schema)
        named = {*subject.description["symbols"], *subject.description["variants"]}
        assert named <= set(properties)

    def test_what_is_not_declared_is_not_implemented(self, fitted, capabilities, images, top_half):
        if SCORE not in capabilities:
            absent(fitted.score_samples, images)
        if MARGINALS not in capabilities:
            absent(fitted.score_samples, images, known=top_half)
        if SAMPLE not in capabilities:
            absent(getattr(fitted, "sample", None), 1)
        if INPAINT not in capabilities:
            absent(getattr(fitted, "inpaint", None), images, top_half)
        if WEIGHT not in capabilities:
            absent(type(fitted).fit, fitted, images, sample_weight=np.ones(len(images)))

    def test_the_number_of_parameters_is_known_before_the_fit(self, subject, fitted):
        before = subject.make().n_parameters
        assert isinstance(before, (int, np.integer)) and before > 0
        assert fitted.n_parameters == before

    def test_costs_are_positive_where_they_are_estimated(self, subject):
        model = subject.make()
        if hasattr(model, "estimated_memory"):
            assert model.estimated_memory > 0
        if hasattr(model, "estimated_seconds"):
            assert model.estimated_seconds(60) > 0


class TestFit:
    def test_the_history_is_finite_and_the_likelihood_rises(self, needs, fit, images, noise):
        needs(SCORE)
        model, history = fit
        assert all(isinstance(values, list) for values in history.values())
        json.dumps(history, allow_nan=False)  # as records keep it
        likelihood = history.get("log_likelihood", [])
        assert np.isfinite(likelihood).all()
        if len(likelihood) > 1:
            assert likelihood[-1] > likelihood[0]
        else:
            assert model.score_samples(images).mean() > model.score_samples(noise).mean()

    def test_images_like_those_trained_on_score_above_noise(self, needs, fitted, unseen, noise):
        needs(SCORE)
        assert np.median(fitted.score_samples(unseen)) > np.median(fitted.score_samples(noise))

    def test_the_same_seed_gives_the_same_bits_and_nothing_is_left_of_an_earlier_fit(
        self, subject, capabilities, fitted, images, noise, unseen
    ):
        model = subject.make()
        model.fit(noise, seed=8)
        model.fit(images, seed=3)
        if SCORE in capabilities:
            assert np.array_equal(model.score_samples(unseen), fitted.score_samples(unseen))
        if SAMPLE in capabilities:
            assert np.array_equal(model.sample(9, seed=4), fitted.sample(9, seed=4))

    def test_large_seeds_are_seeds(self, subject, capabilities, images, unseen, top_half):
        large, largest = 2**31 + 5, 2**32 - 1
        models = [subject.make() for _ in range(3)]
        for model, seed in zip(models, (large, np.uint32(large), largest), strict=True):
            model.fit(images, seed=seed)
        one, again, other = models
        if SCORE in capabilities:
            scores = one.score_samples(unseen)
            assert np.isfinite([scores, other.score_samples(unseen)]).all()
            assert np.array_equal(again.score_samples(unseen), scores)
        for seed in (large, largest):
            if SAMPLE in capabilities:
                drawn = one.sample(5, seed=seed)
                assert np.array_equal(again.sample(5, seed=np.uint64(seed)), drawn)
                assert not np.array_equal(one.sample(5, seed=seed - 1), drawn)
            if INPAINT in capabilities:
                assert_are_images(other.inpaint(unseen, top_half, seed=seed), len(unseen))

    def test_images_are_not_changed(self, subject, fitted, capabilities, images, top_half):
        given, known = images.copy(), top_half.copy()
        subject.make().fit(given, seed=1)
        if SCORE in capabilities:
            fitted.score_samples(given)
        if MARGINALS in capabilities:
            fitted.score_samples(given, known=known)
        if INPAINT in capabilities:
            fitted.inpaint(given, known)
        assert np.array_equal(given, images) and np.array_equal(known, top_half)

    def test_weights_are_taken(self, needs, subject, images, unseen):
        needs(WEIGHT, SCORE)
        model = subject.make()
        model.fit(images, seed=3, sample_weight=np.arange(len(images)) % 3)
        assert np.isfinite(model.score_samples(unseen)).all()


class TestScores:
    @pytest.fixture(autouse=True)
    def _scoring(self, needs):
        needs(SCORE)

    def test_every_image_has_a_finite_score(self, fitted, images, noise):
        for x in (images, noise, images[:1], np.zeros_like(images), np.ones_like(images)):
            scores = fitted.score_samples(x)
            assert scores.shape == (len(x),)
            assert np.issubdtype(scores.dtype, np.floating)
            assert np.isfinite(scores).all()

    def test_scores_do_not_depend_on_batches(self, fitted, unseen):
        parts = [fitted.score_samples(part) for part in (unseen[:1], unseen[1:13], unseen[13:])]
        assert_close(np.concatenate(parts), fitted.score_samples(unseen))

    @pytest.mark.parametrize("type_", ["uint8", "int64", "bool"])
    def test_black_is_black_in_every_type(self, fitted, images, type_):
        black = np.zeros_like(images[:3])
        scores = fitted.score_samples(black.astype(type_))
        assert np.array_equal(scores, fitted.score_samples(black))

    @pytest.mark.parametrize("type_", ["bool", "int64", "float64"])
    def test_one_and_true_are_white(self, fitted, images, type_):
        light = images > 0.5
        expected = fitted.score_samples(light.astype("float32"))
        assert np.array_equal(fitted.score_samples(light.astype(type_)), expected)

    def test_scores_do_not_depend_on_how_images_lie_in_memory(self, fitted, unseen):
        strided = np.asfortranarray(unseen.astype("float64"))[::-1]
        assert_close(fitted.score_samples(strided)[::-1], fitted.score_samples(unseen))


class TestMarginals:
    @pytest.fixture(autouse=True)
    def _marginals(self, needs):
        needs(MARGINALS)

    def test_all_pixels_known_is_the_whole_image(self, fitted, unseen):
        known = np.ones((8, 8, 1), bool)
        assert_close(fitted.score_samples(unseen, known=known), fitted.score_samples(unseen))

    def test_no_pixel_known_has_probability_one(self, fitted, unseen):
        known = np.zeros((8, 8, 1), bool)
        assert_close(fitted.score_samples(unseen, known=known), 0)

    @pytest.mark.parametrize("value", UNKNOWN)
    def test_what_unknown_pixels_hold_does_not_matter(self, fitted, unseen, top_half, value):
        scores = fitted.score_samples(unseen, known=top_half)
        assert np.isfinite(scores).all()
        other = np.where(top_half, unseen.astype("float64"), value)
        assert np.array_equal(fitted.score_samples(other, known=top_half), scores)

    def test_every_image_can_have_a_mask_of_its_own(self, fitted, unseen, top_half):
        first = np.arange(len(unseen)) % 2 == 0
        known = np.where(first[:, None, None, None], top_half, TOP_LEFT)
        expected = np.where(
            first,
            fitted.score_samples(unseen, known=top_half),
            fitted.score_samples(unseen, known=TOP_LEFT),
        )
        assert_close(fitted.score_samples(unseen, known=known), expected)


class TestDraws:
    @pytest.mark.parametrize("noise", [True, False])
    def test_samples_are_images(self, needs, fitted, noise):
        needs(SAMPLE)
        assert_are_images(fitted.sample(7, seed=1, noise=noise), 7)
        assert_are_images(fitted.sample(1, noise=noise), 1)

    def test_the_seed_decides_the_samples(self, needs, fitted):
        needs(SAMPLE)
        first, again, other = (fitted.sample(7, seed=seed) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    @pytest.mark.parametrize("noise", [True, False])
    def test_inpainting_keeps_what_is_known(self, needs, fitted, unseen, top_half, noise):
        needs(INPAINT)
        own = np.broadcast_to(top_half, unseen.shape).copy()
        own[::2] = ~own[::2]
        for known in (top_half, own, np.ones((8, 8, 1), bool), np.zeros((8, 8, 1), bool)):
            filled = fitted.inpaint(unseen, known, seed=1, noise=noise)
            assert_are_images(filled, len(unseen))
            where = np.broadcast_to(known, unseen.shape)
            assert np.array_equal(filled[where], unseen[where])

    @pytest.mark.parametrize("value", UNKNOWN)
    @pytest.mark.parametrize("noise", [True, False])
    def test_inpainting_does_not_look_at_unknown_pixels(
        self, needs, fitted, unseen, top_half, noise, value
    ):
        needs(INPAINT)
        other = np.where(top_half, unseen.astype("float64"), value)
        filled = fitted.inpaint(unseen, top_half, seed=1, noise=noise)
        assert np.array_equal(fitted.inpaint(other, top_half, seed=1, noise=noise), filled)

    def test_the_seed_decides_what_is_filled_in(self, needs, fitted, unseen, top_half):
        needs(INPAINT)
        first, again, other = (fitted.inpaint(unseen, top_half, seed=s) for s in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
