"""What a method refuses, and that it says so in one sentence."""

import re

import numpy as np
import pytest

from baselines.base import Baseline
from baselines.interface import INPAINT, MARGINALS, SAMPLE, SAMPLE_WEIGHT, SCORE

WRONG_IMAGES = {
    "rank": lambda x: x[..., 0],
    "one image": lambda x: x[0],
    "height": lambda x: x[:, 1:],
    "channels": lambda x: x.repeat(3, axis=3),
    "empty": lambda x: x[:0],
    "bytes": lambda x: x * 255,
    "negative": lambda x: x - 0.5,
    "NaN": lambda x: np.where(x > 0.5, np.nan, x),
    "infinity": lambda x: np.where(x > 0.5, np.inf, x),
    "bytes of 0 and 1": lambda x: (x > 0.5).astype("uint8"),
    "numbers as text": lambda x: x.astype(str),
    "complex numbers": lambda x: x.astype(complex),
    "objects": lambda x: np.full(x.shape, {}, object),
}
WRONG_MASKS = {
    "numbers": np.ones((8, 8, 1), "float32"),
    "integers": np.ones((8, 8, 1), int),
    "size": np.ones((5, 5, 1), bool),
    "other count": np.ones((2, 8, 8, 1), bool),
    "rank": np.ones((1, 1, 8, 8, 1), bool),
}


def refused(call, *arguments, **keywords):
    """That a call is refused in one sentence, in one line."""
    with pytest.raises(ValueError) as caught:
        call(*arguments, **keywords)
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]{10,400}", message), message


@pytest.mark.parametrize("wrong", WRONG_IMAGES)
def test_images(subject, fitted, capabilities, images, top_half, wrong):
    x = WRONG_IMAGES[wrong](images)
    refused(subject.make().fit, x)
    if SCORE in capabilities:
        refused(fitted.score_samples, x)
    if INPAINT in capabilities:
        refused(fitted.inpaint, x, top_half)


@pytest.mark.parametrize("wrong", WRONG_MASKS)
def test_masks(fitted, capabilities, images, wrong):
    known = WRONG_MASKS[wrong]
    if MARGINALS in capabilities:
        refused(fitted.score_samples, images, known=known)
    if INPAINT in capabilities:
        refused(fitted.inpaint, images, known)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 2])
def test_known_pixels_are_checked(fitted, capabilities, images, top_half, value):
    x = images.copy()
    x[3, 1, 1] = value  # in the upper half
    if MARGINALS in capabilities:
        refused(fitted.score_samples, x, known=top_half)
    if INPAINT in capabilities:
        refused(fitted.inpaint, x, top_half)


WRONG_SEEDS = [2**32, 2**40, -1, 1.5, 1.0, True, "1", None, np.nan, np.float32(1), [1]]


@pytest.mark.parametrize("seed", WRONG_SEEDS, ids=repr)
def test_seeds(subject, fitted, capabilities, images, top_half, seed):
    def refused_as_seed(call, *arguments):
        with pytest.raises(ValueError, match=r"^seed is .*, but must be an integer from 0 to 2"):
            call(*arguments, seed=seed)

    refused_as_seed(subject.make().fit, images)
    if SAMPLE in capabilities:
        refused_as_seed(fitted.sample, 2)
    if INPAINT in capabilities:
        refused_as_seed(fitted.inpaint, images, top_half)


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_a_number_of_samples_that_is_none(needs, fitted, n):
    needs(SAMPLE)
    refused(fitted.sample, n)


def test_use_before_the_fit(subject, capabilities, images, top_half, tmp_path):
    if subject.name == "dcgmm":
        pytest.skip("dcgmm has its initial parameters before the fit")
    model = subject.make()
    refused(model.save, tmp_path / "model")
    if SCORE in capabilities:
        refused(model.score_samples, images)
    if SAMPLE in capabilities:
        refused(model.sample, 1)
    if INPAINT in capabilities:
        refused(model.inpaint, images, top_half)


def test_what_a_method_cannot_do_is_refused_beside_what_it_can(
    fitted, capabilities, images, top_half
):
    if not isinstance(fitted, Baseline):
        pytest.skip("it does not stand on the skeleton")
    calls = {
        SCORE: lambda: fitted.score_samples(images),
        MARGINALS: lambda: fitted.score_samples(images, known=top_half),
        SAMPLE: lambda: fitted.sample(1),
        INPAINT: lambda: fitted.inpaint(images, top_half),
        SAMPLE_WEIGHT: lambda: fitted.fit(images, sample_weight=np.ones(len(images))),
    }
    able = re.escape(", ".join(sorted(capabilities)))
    for missing in calls.keys() - capabilities:
        message = (
            f"^{fitted.name} cannot [a-z ]+: its capabilities are {able}; its README says why$"
        )
        with pytest.raises(NotImplementedError, match=message):
            calls[missing]()


def test_weights(needs, subject, images):
    needs(SAMPLE_WEIGHT)
    ones = np.ones(len(images))
    for wrong in (ones[1:], ones[:, None], -ones, ones * np.nan):
        refused(subject.make().fit, images, sample_weight=wrong)
