"""Files: whole or absent whoever writes them, sealed, and read only where they belong."""

import json
import multiprocessing
import shutil
import time
import zipfile

import numpy as np
import pytest

from tests.example_record import fit_of, record
from workflow.common import files, npz, places
from workflow.fit import curves, records
from workflow.fit import scores as saved_scores
from workflow.pictures import drawings
from workflow.samples import sample_files

FIT = {"dataset": "mnist", "classes": "not0", "seed": 0, "point": "B-paper", "method": "dcgmm"}
IMAGES = np.zeros((2, 4, 4, 1), np.uint8)


def rewrite(path, number, until):
    """Write one mapping over and over."""
    while time.monotonic() < until:
        files.write_json(path, {"writer": number, "text": str(number) * 10_000 * (number + 1)})


def test_readers_never_see_half_of_what_several_write(tmp_path):
    path = tmp_path / "value.json"
    files.write_json(path, {"writer": -1})
    context, until = multiprocessing.get_context("fork"), time.monotonic() + 1
    writers = [context.Process(target=rewrite, args=(path, n, until)) for n in range(3)]
    for writer in writers:
        writer.start()
    seen = set()
    while time.monotonic() < until:
        seen.add(files.read_json(path)["writer"])
    for writer in writers:
        writer.join()
    assert len(seen) > 1, "the writers did write meanwhile"
    assert {*tmp_path.iterdir()} == {path}


def test_what_fails_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as file:
        file.write(b"ne")
        raise RuntimeError
    assert path.read_text() == "old" and {*tmp_path.iterdir()} == {path}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": [{"b": -Infinity}]}', "-Infinity is not a JSON number"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' occurs twice"),
        ('{"a": 1', "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"a": 1}', "altered after it was written"),
        ("", "is damaged"),
    ],
)
def test_json_that_is_not_what_was_written_is_refused(tmp_path, text, says):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"a\.json.*{says}"):
        files.read_json(path)


def put(run, write, name, seed=0):
    """A file of a fit where a run has it."""
    path = run / f"fit/dcgmm/B-paper/mnist/not0/seed{seed}/{name}"
    write(path)
    return path


READ = {
    "fit.json": (lambda path: files.write_json(path, fit_of(record())), records.read),
    "scores.npz": (
        lambda path: saved_scores.write(path, record(), np.arange(3), {}),
        saved_scores.read,
    ),
    "curve.npz": (
        lambda path: curves.write(path, record(), curves.NO_SCORES, np.arange(3), np.empty(0, int)),
        curves.read,
    ),
    "draws.npz": (
        lambda path: drawings.write(path, {"samples": (record(), {"sample": IMAGES})}),
        drawings.read,
    ),
    "samples.npz": (
        lambda path: sample_files.write(path, sample_files.metadata(record()), {"full/0": IMAGES}),
        sample_files.read,
    ),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("dcgmm/B-paper/mnist/not0/seed1", "is of seed 0, but its place is that of 1"),
        ("dcgmm/B-paper/fashion_mnist/not0/seed0", "is of dataset mnist"),
        ("dcgmm/A-paper/mnist/not0/seed0", "is of grid_point B-paper"),
        ("ratspn/B-paper/mnist/not0/seed0", "is of method dcgmm"),
        ("dcgmm/B-paper/mnist/not1/seed0", "is of classes not0"),
    ],
)
def test_a_file_in_the_place_of_another_fit_is_refused(tmp_path, name, wrong, says):
    write, read = READ[name]
    path = put(tmp_path, write, name)
    read(path)
    if name == "samples.npz" and "classes" in says:
        pytest.skip("samples are of each class")
    elsewhere = tmp_path / "fit" / wrong / name
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(path, elsewhere)
    with pytest.raises(ValueError, match=f"{name}.*{says}.*put it back"):
        read(elsewhere)


def test_a_record_of_another_task_is_refused(tmp_path):
    path = put(tmp_path, lambda path: files.write_json(path, record()), "fit.json")
    with pytest.raises(ValueError, match=r"fit\.json is of task outliers"):
        records.read(path)


def test_a_judge_of_another_seed_or_dataset_is_refused(tmp_path):
    judge = {"dataset": {"name": "mnist", "source": "full"}, "seed": 0}
    for name, content in (("judge.json", judge), ("judgements.json", {"judge": judge, "rows": []})):
        for place in ("mnist/seed0", "mnist/seed1", "fashion_mnist/seed0"):
            path = tmp_path / "judges" / place / name
            files.write_json(path, content)
            if place == "mnist/seed0":
                places.read(path)
                continue
            with pytest.raises(ValueError, match="but its place is that of"):
                places.read(path)


def damaged_scores(**changes):
    """Scores of three images with some arrays changed."""
    arrays = {
        "labels": np.arange(3),
        "validation_labels": np.arange(2),
        "test/all/2": np.zeros(3),
        "validation/all/2": np.zeros(2, "float32"),
        "predicted/all/top": np.zeros(3, int),
        "inverted/all/2": np.array([0, np.inf, -np.inf, 1], "float32"),
    }
    return {k.replace("__", "/"): v for k, v in (arrays | changes).items() if v is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"test/all/2": np.array(["0", "1", "2"])},
        {"test/all/2": np.zeros(3, bool)},
        {"test/all/2": np.zeros(3, complex)},
        {"test/all/2": np.zeros(2)},
        {"test/all/2": np.zeros((3, 1))},
        {"test/all/2": np.array([0, np.nan, 1])},
        {"test/all/2": np.array([0, -np.inf, 1])},
        {"validation/all/2": np.zeros(3)},
        {"predicted/all/top": np.zeros(3)},
        {"labels": np.zeros(3)},
        {"labels": np.zeros(4, int)},
        {"labels": None},
        {"validation_labels": np.array(["a", "b"])},
        {"other/all/2": np.zeros(3)},
        {"inverted/all/2": np.zeros(3)},
        {"inverted/all/2": np.array([0, np.nan, 1, 1])},
        {"inverted/all/2": np.zeros(4, int)},
        {"test/all": np.zeros(3)},
    ],
    ids=str,
)
def test_arrays_that_are_no_scores_are_refused(tmp_path, changes):
    told = {key: record()[key] for key in saved_scores.FIT}
    told["sets"] = {"inverted": {"digest": "0", "images": 4}}
    npz.write(tmp_path / "scores.npz", told, damaged_scores())
    saved_scores.read(tmp_path / "scores.npz", record())
    npz.write(tmp_path / "scores.npz", told, damaged_scores(**changes))
    with pytest.raises(ValueError, match=r"scores\.npz is damaged \(.*\); remove it"):
        saved_scores.read(tmp_path / "scores.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"settings": {"epochs": 1}},
        {"dataset": record()["dataset"] | {"sha256": 64 * "c"}},
        {"training": {"holdout": True}},
    ],
)
def test_scores_of_another_fit_than_the_record_are_refused(tmp_path, changes):
    saved_scores.write(tmp_path / "scores.npz", record(), np.arange(3), {})
    (key,) = changes
    with pytest.raises(ValueError, match=f"is of another fit than the record beside it: {key} is"):
        saved_scores.read(tmp_path / "scores.npz", record(**changes))


def test_an_altered_array_is_refused_though_its_checksum_is_right(tmp_path):
    path = tmp_path / "a.npz"
    npz.write(path, FIT, {"x": np.arange(3.0)})
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for changed in (
        {"x": np.array([0.0, 1, 3])},
        {"x": np.arange(3)},
        {"x": np.arange(3.0).reshape(3, 1)},
        {"y": np.zeros(1)},
        {"about": np.array(json.dumps(FIT | {"sha256": "a", "seed": 1}))},
        {"about": np.array(json.dumps(FIT))},
    ):
        np.savez(path, **(arrays | changed))
        with pytest.raises(ValueError, match=r"a\.npz was altered"):
            npz.read(path)
    np.savez(path, **(arrays | {"about": np.array(json.dumps(FIT))}))
    assert npz.read(path, foreign=True)[0] == FIT, "who gave it no seal may be somebody else"


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(2**20))
        archive.getinfo("x.npy").file_size = 5 * 2**30  # as zeros that deflate to megabytes
    start = time.process_time()
    for read in (npz.read, sample_files.read, saved_scores.read, drawings.read):
        with pytest.raises(ValueError, match=r"bomb\.npz.* unpacks to 5\.0 GiB, more than 4"):
            read(path)
    assert time.process_time() - start < 1


def test_two_arrays_of_one_name_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    npz.write(path, FIT, {"x": np.arange(3.0)})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("x.npy", archive.read("x.npy"))
    with pytest.raises(ValueError, match="two of its arrays share a name"):
        npz.read(path)
