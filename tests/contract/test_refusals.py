"""What a method refuses, and that it says so in one sentence."""

import re
import shutil

import numpy as np
import pytest

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


def test_weights(needs, subject, images):
    needs(SAMPLE_WEIGHT)
    ones = np.ones(len(images))
    for wrong in (ones[1:], ones[:, None], -ones, ones * np.nan):
        refused(subject.make().fit, images, sample_weight=wrong)


def test_what_is_no_model_is_refused(subject, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(subject.load, tmp_path / "empty")
    refused(subject.load, tmp_path / "nowhere")


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_damaged_model_is_refused(subject, folder, tmp_path, kept):
    shutil.copytree(folder, tmp_path / "model")
    arrays = tmp_path / "model" / "arrays.npz"
    content = arrays.read_bytes()
    arrays.write_bytes(content[: int(kept * len(content))])
    refused(subject.load, tmp_path / "model")


def test_a_model_without_its_arrays_is_refused(subject, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    np.savez(tmp_path / "model" / "arrays.npz")
    refused(subject.load, tmp_path / "model")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', '{"format": 1, "method": "x"}'])
def test_another_description_is_refused(subject, folder, tmp_path, text):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "model.json").write_text(text, "utf-8")
    refused(subject.load, tmp_path / "model")
