"""The CNN of Table VII: its shape, that it learns, and that it says when it does not."""

import json

import numpy as np
import pytest

from workflow.common import files, npz
from workflow.data.datasets import Dataset
from workflow.samples import judge_samples, sample_files
from workflow.samples import train_judge as step
from workflow.samples.judge import Attempt, Judge, train

SIDE, SEED = 24, 3


def toy(n, seed=0):
    """Noise with a bright left half (class 0) or a bright right half (class 1), and the classes."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = generator.integers(0, 100, (n, SIDE, SIDE, 1)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, label * SIDE // 2 : (label + 1) * SIDE // 2] += 120
    return images, labels


def unit(images):
    return np.float32(images) / 255


def silent(text):
    pass


def trained():
    images, labels = toy(40)
    how = {"seed": SEED, "epochs": 1, "learning_rates": [0.001], "report": silent}
    return train(unit(images), labels, 2, **how)


@pytest.fixture(scope="module")
def judge():
    return trained()[0]


def arrays(judge):
    return [weight.numpy() for weight in judge.network.weights]


def test_table7_has_these_shapes_and_parameters():
    judge = Judge((28, 28, 1), 10)
    convolutions = (9 * 1 + 1) * 64 + 3 * (9 * 64 + 1) * 64
    # Valid padding: 28, 26, 24, pooled 12, 10, pooled 5, 3, pooled 1.
    dense = (1 * 1 * 64 + 1) * 350 + 2 * (350 + 1) * 350 + (350 + 1) * 10
    assert judge.network.count_params() == convolutions + dense
    classes, features = judge.look(np.zeros((3, 28, 28, 1), "float32"))
    assert classes.shape == (3,)
    assert features.shape == (3, 350) and (features >= 0).all()
    kinds = [type(layer).__name__ for layer in judge.network.layers]
    short = {"Conv2D": "C", "MaxPooling2D": "P", "Dense": "D", "Dropout": "d", "Flatten": "f"}
    assert "".join(short[kind] for kind in kinds) == "dCCPCPCPfDdDDD"
    assert [layer.rate for layer in judge.network.layers if hasattr(layer, "rate")] == [0.1, 0.1]


def test_a_seed_decides_everything(judge):
    again, *_ = trained()
    assert all(map(np.array_equal, arrays(judge), arrays(again)))
    start, other = (arrays(Judge((SIDE, SIDE, 1), 2, seed)) for seed in (SEED, SEED + 1))
    assert not np.array_equal(arrays(judge)[0], start[0]), "it was trained"
    assert not np.array_equal(start[0], other[0])


def test_dead_units_are_a_collapse():
    # Ten classes, labels at random, a tiny step: no better than guessing, though all is finite.
    images, _ = toy(60)
    labels = np.random.default_rng(0).integers(0, 10, 60)
    how = {"seed": 0, "epochs": 2, "learning_rates": [1e-9], "report": silent}
    _, attempt, _ = train(unit(images), labels, 10, **how)
    assert attempt.collapsed == f"training accuracy is {attempt.accuracy[1]:.2%} in epoch 2"


def test_the_judge_that_learnt_most_is_taken(monkeypatch):
    ends = {0.1: (0.9, ""), 0.01: (0.95, ""), 0.001: (0.94, ""), 1.0: (0.99, "the loss is nan")}

    def fit(self, images, labels, *, learning_rate, **_):
        self.rate, (end, wrong) = learning_rate, ends[learning_rate]
        return Attempt(learning_rate, [1.0, 0.5], [0.99, end], wrong)

    monkeypatch.setattr(Judge, "fit", fit)
    images, labels = toy(4)
    how = {"seed": 0, "epochs": 2, "report": silent}
    best, chosen, attempts = train(unit(images), labels, 2, learning_rates=list(ends), **how)
    assert best.rate == chosen.learning_rate == 0.01
    assert [attempt.learning_rate for attempt in attempts] == list(ends)
    *_, chosen, attempts = train(unit(images), labels, 2, learning_rates=[1.0], **how)
    assert chosen.collapsed == "the loss is nan"


def test_weights_come_back(judge, tmp_path):
    npz.write(tmp_path / "weights.npz", {}, judge.arrays)
    again = Judge((SIDE, SIDE, 1), 2, seed=9)
    again.load(tmp_path / "weights.npz")
    images = unit(toy(6)[0])
    for one, two in zip(judge.look(images), again.look(images), strict=True):
        assert np.array_equal(one, two)
    (tmp_path / "weights.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"weights\.npz holds no such judge .*: train it again"):
        again.load(tmp_path / "weights.npz")
    with pytest.raises(ValueError, match="holds no such judge"):
        again.load(tmp_path / "missing.npz")


def test_images_may_be_too_small():
    with pytest.raises(ValueError, match=r"images are 20x28, the judge .* at least 24 pixels"):
        Judge((20, 28, 1), 10)
    assert Judge((SIDE, SIDE, 3), 10).network.output_shape == (None, 10)


def test_from_data_to_judgements(tmp_path, capsys):
    (x, y), (x_test, y_test) = toy(300), toy(40, 1)
    Dataset("toy", "full", x, y, x_test, y_test, {"file": 64 * "c"}).save(tmp_path / "data.npz")
    words = ["--data", str(tmp_path / "data.npz"), "--seed", "1", "--epochs", "4"]
    rates = ["--learning-rates", "1e25", "0.001"]
    step.main([*words, *rates, "--out", str(tmp_path / "judge")])
    record = json.loads((tmp_path / "judge/judge.json").read_text("utf-8"))
    assert record["status"] == "ok" and record["learning_rate"] == 0.001
    assert [bool(attempt["collapsed"]) for attempt in record["attempts"]] == [True, False]
    assert record["accuracy"]["test"] == 1
    assert "epoch 4 of 4" in capsys.readouterr().out

    about = {
        "method": "mine", "title": "Mine", "point": "p", "dataset": "toy", "seed": 0,
        "status": "ok", "reason": "", "published": "full",
    }  # fmt: skip
    swapped = {"full/0": toy(40, 2)[0][1::2], "full/1": toy(40, 3)[0][1::2]}
    sample_files.write(tmp_path / "samples.npz", about, swapped)
    judge_samples.main(
        [
            "--samples", str(tmp_path / "samples.npz"), "--judge", str(tmp_path / "judge"),
            "--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "judgements.json"),
        ]
    )  # fmt: skip
    result = json.loads((tmp_path / "judgements.json").read_text("utf-8"))
    assert result["judge"]["seed"] == 1
    found = {
        (row["title"], row["class"]): row["accuracy"] for row in result["rows"] if row["n"] == 20
    }
    assert found["Mine", "0"] == 0, "its images are of the other class"
    assert found["Mine", "1"] == 1
    assert found["Real test images", "0"] == found["Real test images", "1"] == 1


def test_a_judge_of_other_images_is_refused(tmp_path):
    x, y = toy(20)
    Dataset("toy", "full", x, y, x, y, {"file": 64 * "c"}).save(tmp_path / "data.npz")
    files.write_json(tmp_path / "judge.json", {"dataset": {"sha256": 64 * "d"}})
    with pytest.raises(SystemExit, match=r"was trained on other images than .*data\.npz"):
        judge_samples.main(
            [
                "--samples", "s.npz", "--judge", str(tmp_path),
                "--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "out.json"),
            ]
        )  # fmt: skip


@pytest.mark.parametrize("ended", [True, False])
def test_a_judge_whose_training_fails_is_a_record_and_its_rows_say_so(tmp_path, monkeypatch, ended):
    def fail(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr(step.judges, "train", fail)
    x, y = toy(20)
    Dataset("toy", "full", x, y, x, y, {"file": 64 * "c"}).save(tmp_path / "data.npz")
    data = ["--data", str(tmp_path / "data.npz")]
    words = [*data, "--seed", "1", "--epochs", "4", "--out", str(tmp_path / "judge")]
    how = {"status": "timeout", "reason": "too long", "cpu": 1.0, "memory_mb": 2.0}
    step.main([*words, *(["--ended", json.dumps(how)] if ended else [])])
    record = files.read_json(tmp_path / "judge/judge.json")
    raised = ("failed", "RuntimeError: no luck")
    expected = ("timeout", "too long") if ended else raised
    assert (record["status"], record["reason"]) == expected

    out = ["--judge", str(tmp_path / "judge"), "--out", str(tmp_path / "out.json")]
    judge_samples.main(["--samples", "a/b/c/d/e/samples.npz", *data, *out])
    (row,) = files.read_json(tmp_path / "out.json")["rows"]
    assert row["status"] == "failed"
    assert row["reason"] == f"the judge of seed 1 is of no use: {expected[1]}"


def test_a_judge_of_a_machine_in_trouble_is_no_record(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr(step.judges, "train", fail)
    x, y = toy(20)
    Dataset("toy", "full", x, y, x, y, {"file": 64 * "c"}).save(tmp_path / "data.npz")
    words = ["--data", str(tmp_path / "data.npz"), "--seed", "1", "--epochs", "4"]
    with pytest.raises(SystemExit, match="nothing is recorded"):
        step.main([*words, "--out", str(tmp_path / "judge")])
    assert not (tmp_path / "judge").exists()
