"""Test sets: always the same bytes, sealed in their place, and a reason where one cannot be had."""

import errno
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.data import datasets, foreign, png, preparation, registry
from workflow.data import make_test_sets as program
from workflow.data import test_sets as sets
from workflow.data.download import DownloadError

ROOT = Path(__file__).parents[2]
# Of the images made of the shipped MNIST; blurs, glyphs and enlarged digits rest on the locked
# SciPy and Pillow, the others on integers.
DIGESTS = {
    "test": "6973118ee26132cec5e8bca46303f598e8d7f3fd72a7056c43f828e761c432f0",
    "inverted": "cbd37a2557ff86debfcdab1eb12e419457f5aae1ea02c7b74cb5cb8c26668514",
    "contrast": "92a975e90471e8f94b31c7cf328463cdcf29fd600644a5a3dd0af5c6a4b4833e",
    "blurred": "5df7e279f2503856a8d1dacf3ef086b418c7f716fb19cfbc1278196b0adbe7c7",
    "shuffled": "feb8cb4b61a2f375bc15e1fc418848f8d59e574eab3a0d86495850714fdb6830",
    "constant": "8ff574003af8d0b20b380c689645470eb429af69e59705a0dd3766d22ac1a333",
    "fashion_mnist": "3d7f6d64869a3f2d1afe64ae33ffb9b20670a91b31e3bbf0657e3999ec7b35cf",
    "glyphs": "0b4c7d02e7daf3c7f3225f77b1d5ba5ab485ba147dd49df3c558be52198e9d1f",
    "digits8x8": "626b2ecb71a505fbd627de74e5b265408b4dcd4f2e5fc126e2dba780156cfe68",
}


@pytest.fixture(scope="module")
def shipped():
    """The two shipped grey datasets, as if they were the whole, so that sets are not reduced."""
    return {
        name: replace(preparation.prepare(name, "subset", "nowhere"), source="full")
        for name in ("mnist", "fashion_mnist")
    }


@pytest.fixture(scope="module")
def made(shipped):
    """Every shipped set of MNIST."""
    others = {"fashion_mnist": shipped["fashion_mnist"]}
    return {name: program.build(name, shipped["mnist"], others=others) for name in sets.shipped()}


def small(name="mnist", n=30):
    """A dataset of few images, to be quick."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 28, 28, 1), dtype=np.uint8)
    labels = np.arange(n) % 10
    return datasets.Dataset(name, "subset", images, labels, images, labels, {})


# What is made.


def test_the_bytes_are_always_the_same(made):
    assert {name for name, one in made.items() if not one.reason} == DIGESTS.keys()
    assert {name: made[name].digest for name in DIGESTS} == DIGESTS


def test_sets_have_the_size_of_the_dataset(made):
    for one in made.values():
        assert one.images.shape[1:] == (28, 28, 1)
        assert len(one.images) == (0 if one.reason else 256 if one.name == "constant" else 1000)
        assert (one.dataset, one.source) == ("mnist", "full")
        assert one.title == sets.table()[one.name].title
        assert one.compressor == png.compressor()


def test_labels_and_images_of_the_dataset_are_kept(made, shipped):
    own = shipped["mnist"]
    for name in ("test", "inverted", "contrast", "blurred", "shuffled"):
        np.testing.assert_array_equal(made[name].labels, own.y_test)
    np.testing.assert_array_equal(made["test"].images, own.x_test)
    np.testing.assert_array_equal(255 - made["inverted"].images, own.x_test)
    np.testing.assert_array_equal(made["fashion_mnist"].labels, shipped["fashion_mnist"].y_test)
    for name in ("glyphs", "digits8x8"):  # legible at MNIST's place: some agreement with its mean
        mean = made[name].images.mean(axis=0).ravel()
        assert np.corrcoef(mean, own.x_test.mean(axis=0).ravel())[0, 1] > 0.6


def test_sizes_are_those_of_png_files_and_order_the_sets(made):
    medians = {name: np.median(one.compressed_bits) for name, one in made.items() if not one.reason}
    assert min(medians, key=medians.get) == "constant"
    assert medians["test"] < medians["shuffled"] and medians["test"] < medians["blurred"]
    for i in (0, 500):
        assert made["test"].compressed_bits[i] == 8 * len(png.encode(made["test"].images[i]))


@pytest.mark.parametrize(("source", "most"), [("full", 1000), ("subset", 50)])
def test_more_images_are_taken_evenly_but_all_as_the_test_set(source, most):
    dataset = replace(small(n=2300), source=source)
    assert len(program.build("test", dataset).images) == 2300
    levels = program.build("constant", dataset).labels.tolist()
    assert levels == ([*range(256)] if source == "full" else [*range(0, 256, 16), 255])
    made = program.build("inverted", dataset)
    chosen = np.arange(1000) * 23 // 10
    expected = chosen if source == "full" else chosen[np.arange(50) * 20]
    np.testing.assert_array_equal(255 - made.images, dataset.x_test[expected])


@given(st.integers(0, 5000), st.integers(1, 2000))
def test_evenly_spaced_indices(n, count):
    chosen = sets.evenly_spaced(n, count)
    assert len(chosen) == min(n, count) and chosen.dtype == np.int64
    if n:
        assert chosen[0] == 0 and chosen[-1] < n
        assert n - chosen[-1] <= -(-n // len(chosen))
        steps = np.diff(chosen)
        assert not len(steps) or (steps.min() >= 1 and np.ptp(steps) <= 1)


# Reasons.


def test_a_dataset_is_no_set_of_its_own(made):
    assert made["mnist"].reason == "MNIST is the dataset itself; its images are the set 'test'"


def test_grey_sets_are_none_of_a_colour_dataset():
    images = np.zeros((20, 32, 32, 3), np.uint8)
    labels = np.arange(20)
    colour = datasets.Dataset("svhn", "full", images, labels, images, labels, {})
    made = {name: program.build(name, colour) for name in sets.shipped()}
    assert {name for name, one in made.items() if one.reason} == {
        "mnist", "fashion_mnist", "glyphs", "digits8x8"
    }  # fmt: skip
    for name in ("mnist", "glyphs"):
        assert made[name].reason == (
            f"the images of {name} are 28x28x1 and those of svhn 32x32x3; leave the set out for "
            "svhn"
        )
    assert made["constant"].images.shape == (256, 32, 32, 3)


def test_a_failed_download_is_one_sentence(monkeypatch):
    error = DownloadError("no mirror delivered a.gz:\n  http://x: HTTP 404\nput a.gz into data/a")
    monkeypatch.setattr(foreign, "published", lambda *a, **k: (_ for _ in ()).throw(error))
    one = program.build("kmnist", small())
    assert one.reason == "no mirror delivered a.gz; put a.gz into data/a"
    assert one.images.shape == (0, 28, 28, 1) and one.compressed_bits.shape == (0,)


def test_a_damaged_published_file_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv(preparation.DATA_DIR_VARIABLE, raising=False)
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10/cifar-10-binary.tar.gz").write_bytes(b"damaged")
    reason = program.build("cifar10_grey", small(), data_dir=tmp_path).reason
    assert "cifar-10-binary.tar.gz is a file with the sha256" in reason
    assert reason.endswith("remove the file or put the right one in its place")


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_full_disk_is_a_trouble_and_no_reason(monkeypatch, wrapped):
    def fail(*arguments, **options):
        full = OSError(errno.ENOSPC, "No space left on device")
        if wrapped:
            raise DownloadError("cannot download") from full
        raise full

    monkeypatch.setattr(foreign, "published", fail)
    with pytest.raises(OSError, match="No space left"):
        program.build("kmnist", small())


# A user's mistakes, and images.


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("kmnits", None, "unknown test set 'kmnits'; did you mean 'kmnist'?"),
        ("glyphs", "mine", "the test set 'glyphs' is one of the suite; give yours another name"),
        ("My set", "mine", "the test set 'My set' needs a name of small letters, digits and und"),
        ("fashion_mnist", None, "the test set 'fashion_mnist' needs the prepared dataset fashion"),
    ],
)
def test_a_wrong_configuration_is_an_error(name, path, message):
    with pytest.raises(ValueError) as caught:
        program.build(name, small(), path=path and Path(path))
    assert str(caught.value).startswith(message)


def test_a_users_folder_is_a_set(tmp_path):
    images = 255 - small().x_test[:3]
    for i, image in enumerate(images):
        (tmp_path / f"{i}.png").write_bytes(png.encode(image))
    mine = program.build("mine", small(), path=tmp_path)
    np.testing.assert_array_equal(mine.images, images)
    assert (mine.title, mine.reason) == ("mine", "")
    (tmp_path / "1.png").write_bytes(b"no image")
    mine = program.build("mine", small(), path=tmp_path)
    assert mine.reason == f"{tmp_path}/1.png is damaged or no PNG file; convert or remove it"


# Images that are in the dataset, too.


def test_images_in_common_are_found():
    dataset = small()
    other = np.full((1, 28, 28, 1), 77, np.uint8)
    images = np.concatenate([dataset.x_test[[4, 9]], other, dataset.x_test[[4]]])
    assert sets.in_common(images, dataset).tolist() == [0, 1, 3]
    assert sets.in_common(other, dataset).dtype == np.int64


def test_shipped_sets_have_no_image_in_common_with_mnist(made, shipped):
    for name, one in made.items():
        common = sets.in_common(one.images, shipped["mnist"])
        assert len(common) == (1000 if name == "test" else 0), name


def test_a_users_set_holds_no_test_image(tmp_path):
    dataset = small()
    images = np.concatenate([np.full((1, 28, 28, 1), 77, np.uint8), dataset.x_test[:2]])
    np.savez(tmp_path / "mine.npz", images=images)
    one = program.build("mine", dataset, path=tmp_path / "mine.npz")
    assert one.reason.startswith(f"{tmp_path}/mine.npz has 2 images that are test images of mnist")
    assert not len(one.images)


# The file.


def test_save_and_load(made, tmp_path):
    for name in ("glyphs", "mnist"):
        path = tmp_path / f"results/data/sets/mnist-full/{name}.npz"
        made[name].save(path)
        loaded = sets.load(path)
        for key in ("images", "labels", "compressed_bits"):
            np.testing.assert_array_equal(getattr(loaded, key), getattr(made[name], key))
        for key in ("name", "title", "dataset", "source", "compressor", "reason", "digest"):
            assert getattr(loaded, key) == getattr(made[name], key)
    assert loaded.digest == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("mnist-full/inverted", "is of set glyphs, but its place is that of inverted"),
        ("fashion_mnist-full/glyphs", "is of dataset mnist, but its place is that of fashion_mn"),
        ("mnist-subset/glyphs", "is of source full, but its place is that of subset"),
    ],
)
def test_a_copy_in_another_place_is_refused(made, tmp_path, place, message):
    path = tmp_path / f"results/data/sets/{place}.npz"
    made["glyphs"].save(path)
    with pytest.raises(ValueError, match=message):
        sets.load(path)


def test_another_file_is_no_test_set(tmp_path):
    small().save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz is not a test set .*; remove it and run again"):
        sets.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 4, 4, 1))}, "images are float64"),
        ({"images": np.zeros((2, 4, 4), np.uint8)}, "must be uint8 .n, H, W, C."),
        ({"labels": np.zeros(3, int)}, r"labels are int64 \(3,\), they must be int64 \(2,\)"),
        ({"compressed_bits": np.zeros(2)}, "compressed_bits are float64"),
        ({"reason": "none"}, "has 2 images and the reason 'none'"),
    ],
)
def test_arrays_that_do_not_belong_together(change, message):
    fields = {
        "images": np.zeros((2, 4, 4, 1), np.uint8),
        "labels": np.zeros(2, int),
        "compressed_bits": np.zeros(2, int),
        "reason": "",
    }
    with pytest.raises(ValueError, match=message):
        sets.TestSet("a", "a", "toy", "full", compressor="", **fields | change)


def test_loading_needs_numpy_alone():
    code = (
        "import sys; sys.modules.update(requests=None, PIL=None, scipy=None, sklearn=None)\n"
        "from workflow.data.test_sets import load, in_common"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# The table, and the program.


def test_the_table_is_whole():
    table = sets.table()
    assert all(all(entry[:4]) and entry.licence for entry in table.values())
    assert all(program.NAME.fullmatch(name) for name in table)
    assert sets.other_datasets("mnist") == ["fashion_mnist"]
    assert sets.other_datasets("fashion_mnist") == ["mnist"]
    assert sets.other_datasets("svhn") == sets.other_datasets("toy") == []
    grey = {name for name in registry.of_channels(1) if registry.table()[name].ships}
    assert grey <= table.keys()


def test_the_guide_lists_the_sets():
    text = (ROOT / "docs/running.md").read_text("utf-8")
    for name, entry in sets.table().items():
        assert f"| `{name}` | {entry.images} | {entry.labels} | {entry.licence} |\n" in text


def test_the_program_writes_sets_and_reasons(tmp_path, capsys):
    replace(small(), source="full").save(tmp_path / "mnist.npz")
    small("fashion_mnist").save(tmp_path / "fashion.npz")
    out = tmp_path / "sets"
    data = ["--data", str(tmp_path / "mnist.npz"), "--out", str(out)]
    program.main(
        [*data, "--others", str(tmp_path / "fashion.npz"), "--sets", "constant", "fashion_mnist"]
    )
    assert sorted(path.name for path in out.iterdir()) == ["constant.npz", "fashion_mnist.npz"]
    assert "constant.npz: 256 images, sha256 8ff574" in capsys.readouterr().out
    program.main([*data, "--sets", "mine", "--path", str(tmp_path / "gone")])
    reason = sets.load(out / "mine.npz").reason
    assert reason == (
        f"{tmp_path}/gone is missing; put a folder of PNG files or an .npz there; "
        f"then remove {out}/mine.npz and run again"
    )
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "kmnits"], "make_test_sets: unknown test set 'kmnits'; did you mean 'kmnist'?"),
        (["--sets", "a", "b", "--path", "x"], 2),
    ],
)
def test_the_program_refuses_a_wrong_command(tmp_path, arguments, message):
    small().save(tmp_path / "mnist.npz")
    with pytest.raises(SystemExit) as caught:
        program.main(["--data", str(tmp_path / "mnist.npz"), "--out", str(tmp_path), *arguments])
    assert caught.value.code == message or str(caught.value.code).endswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
