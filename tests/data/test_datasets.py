"""Datasets: the order of sources, the prepared file, the shipped subset, the two steps."""

import functools
import gzip
import hashlib
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from workflow.data import datasets, idx, make_subset, originals, preparation
from workflow.data import make_dataset as data_step
from workflow.data.download import DownloadError

NAMES = ("mnist", "fashion_mnist")
PUBLISHED = {"train": (60000, 28, 28, 1), "test": (10000, 28, 28, 1)}
ORIGINALS = os.environ.get(preparation.DATA_DIR_VARIABLE)


def have_originals():
    """Whether every published file is there, so that no test asks the network for one."""
    folders = ((row, Path(ORIGINALS or "") / row.dataset) for row in originals.read_table())
    return bool(ORIGINALS) and all(
        (folder / row.file).is_file() or (folder / row.file.removesuffix(".gz")).is_file()
        for row, folder in folders
        if row.dataset in NAMES
    )


needs_originals = pytest.mark.skipif(
    not have_originals(), reason="set DCGMM_DATA_DIR to the folder of the published files"
)

rng = np.random.default_rng(0)
TOY = {
    "train-images.gz": rng.integers(0, 256, (6, 4, 5), dtype=np.uint8),
    "train-labels.gz": np.array([0, 1, 2, 0, 1, 2], dtype=np.uint8),
    "test-images.gz": rng.integers(0, 256, (3, 4, 5), dtype=np.uint8),
    "test-labels.gz": np.array([2, 1, 0], dtype=np.uint8),
}


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without logging."""

    def log_message(self, *arguments):
        """Keep pytest's output clean."""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Three folders that may hold the toy's files, and its table: user's, mirror's, system's."""
    monkeypatch.delenv(preparation.DATA_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folders = {name: tmp_path / name for name in ("user/toy", "mirror", "system")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    handler = functools.partial(Quiet, directory=folders["mirror"])
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        lines = ["dataset\tsplit\tkind\tfile\tsha256\tlicence\tfolders\turls"]
        for file, array in TOY.items():
            split, kind = file.removesuffix(".gz").split("-")
            digest = hashlib.sha256(idx.encode(array)).hexdigest()
            cells = ["toy", split, kind, file, digest, "none", folders["system"]]
            lines.append("\t".join(map(str, [*cells, f"{address}/gone/{file} {address}/{file}"])))
        table = tmp_path / "toy.tsv"
        table.write_text("\n".join(lines) + "\n")
        yield folders | {"data_dir": tmp_path / "user", "table": table}
        server.shutdown()


def put(folder, files=tuple(TOY), pack=gzip.compress, suffix=".gz"):
    for file in files:
        (folder / file.replace(".gz", suffix)).write_bytes(pack(idx.encode(TOY[file])))


def prepare_toy(places):
    return preparation.prepare("toy", "full", places["data_dir"], table=places["table"])


def assert_toy(dataset):
    np.testing.assert_array_equal(dataset.x_train[..., 0], TOY["train-images.gz"])
    np.testing.assert_array_equal(dataset.y_train, TOY["train-labels.gz"])
    np.testing.assert_array_equal(dataset.x_test[..., 0], TOY["test-images.gz"])
    np.testing.assert_array_equal(dataset.y_test, TOY["test-labels.gz"])
    assert (dataset.x_train.dtype, dataset.y_train.dtype) == (np.uint8, np.int64)


# The order of sources.


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, ".gz"), (bytes, ""), (bytes, ".gz")])
def test_users_files_come_first(places, pack, suffix):
    put(places["user/toy"], pack=pack, suffix=suffix)
    before = sorted(places["user/toy"].iterdir())
    assert_toy(prepare_toy(places))
    assert sorted(places["user/toy"].iterdir()) == before


def test_mirror_delivers_into_the_users_folder(places):
    put(places["mirror"])
    assert_toy(prepare_toy(places))
    assert sorted(path.name for path in places["user/toy"].iterdir()) == sorted(TOY)


def test_only_missing_files_are_downloaded(places):
    put(places["user/toy"], files=list(TOY)[:3])
    put(places["mirror"], files=list(TOY)[3:])
    assert_toy(prepare_toy(places))


def test_system_folder_comes_last(places):
    put(places["system"])
    assert_toy(prepare_toy(places))
    assert list(places["user/toy"].iterdir()) == []


def test_environment_wins_over_the_configured_folder(places, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    (mine / "toy").mkdir(parents=True)
    put(mine / "toy")
    (places["user/toy"] / "train-images.gz").write_bytes(b"never read")
    monkeypatch.setenv(preparation.DATA_DIR_VARIABLE, str(mine))
    assert_toy(prepare_toy(places))


def test_wrong_file_of_the_user_is_refused_and_kept(places):
    put(places["user/toy"])
    put(places["mirror"])
    wrong = places["user/toy"] / "train-labels.gz"
    wrong.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"train-labels\.gz has content") as caught:
        prepare_toy(places)
    for content in (b"something else", idx.encode(TOY["train-labels.gz"])):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert wrong.read_bytes() == b"something else"


def test_nowhere_to_be_had(places):
    with pytest.raises(DownloadError) as caught:
        prepare_toy(places)
    message = str(caught.value)
    assert "HTTP 404" in message
    assert f"the folder {places['user/toy']} by hand" in message
    assert f"not in {places['system']} either" in message


def test_svhn_is_read_from_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.delenv(preparation.DATA_DIR_VARIABLE, raising=False)
    (tmp_path / "svhn").mkdir()
    lines = ["dataset\tsplit\tkind\tfile\tsha256\tlicence\tfolders\turls"]
    images = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    for split in ("train", "test"):
        path = tmp_path / "svhn" / f"{split}_32x32.mat"
        savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": np.array([[10], [1], [9]])})
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append("\t".join(["svhn", split, "both", path.name, digest, "none", "", ""]))
    table = tmp_path / "table.tsv"
    table.write_text("\n".join(lines) + "\n")
    dataset = preparation.prepare("svhn", "full", tmp_path, table=table)
    np.testing.assert_array_equal(dataset.x_train, images)
    assert dataset.y_test.tolist() == [0, 1, 9]
    assert set(dataset.sha256) == {"train_32x32.mat", "test_32x32.mat"}

    for reader in ("loadmat", "whosmat"):  # which damaged bytes may crash
        monkeypatch.setattr(f"scipy.io.{reader}", lambda *a, **k: pytest.fail("was read"))
    (tmp_path / "svhn/train_32x32.mat").write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"the train images and labels of svhn have"):
        preparation.prepare("svhn", "full", tmp_path, table=table)


def test_what_stands_in_for_svhn_is_named(places):
    table = places["table"].read_text().replace("toy\t", "svhn\t")
    places["table"].write_text(table)
    with pytest.raises(DownloadError, match=r"HTTP 404(.|\n)*the dataset colour_digits"):
        preparation.prepare("svhn", "full", places["data_dir"], table=places["table"])


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("mnits", "full", "unknown dataset 'mnits'; did you mean 'mnist'?"),
        ("fashion", "subset", "unknown dataset 'fashion'; did you mean 'fashion_mnist'?"),
        (
            "imagenet",
            "full",
            "unknown dataset 'imagenet'; choose from mnist, fashion_mnist, svhn, colour_digits",
        ),
        ("svhm", "full", "unknown dataset 'svhm'; did you mean 'svhn'?"),
        ("mnist", "sub", "unknown source 'sub'; did you mean 'subset'?"),
    ],
)
def test_unknown_names(name, source, message):
    with pytest.raises(ValueError) as caught:
        preparation.prepare(name, source, "data")
    assert str(caught.value) == message


def test_table_is_whole():
    rows = originals.read_table()
    assert list(dict.fromkeys(row.dataset for row in rows)) == [*NAMES, "svhn"]
    for name in NAMES:
        mine = {(row.split, row.kind) for row in rows if row.dataset == name}
        assert mine == {(s, k) for s in ("train", "test") for k in ("images", "labels")}
    assert all(len(row.sha256) == 64 and row.licence for row in rows)
    assert all(row.urls and all(u.endswith(row.file) for u in row.urls) for row in rows)
    assert all(len(row.urls) >= 3 for row in rows if row.dataset in NAMES)
    svhn = {(row.split, row.kind) for row in rows if row.dataset == "svhn"}
    assert svhn == {("train", "both"), ("test", "both")}


# The prepared file.


@pytest.fixture(scope="module")
def subset():
    """The two shipped datasets."""
    return {name: preparation.prepare(name, "subset", "nowhere") for name in NAMES}


def test_save_and_load(subset, tmp_path):
    path = tmp_path / "new" / "mnist.npz"
    subset["mnist"].save(path)
    loaded = datasets.load(path)
    for key in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(subset["mnist"], key))
    assert (loaded.name, loaded.source) == ("mnist", "subset")
    assert loaded.sha256 == subset["mnist"].sha256
    assert loaded.digest == subset["mnist"].digest != subset["fashion_mnist"].digest
    assert [path.name for path in path.parent.iterdir()] == ["mnist.npz"]


def test_failed_save_leaves_the_old_file(subset, tmp_path, monkeypatch):
    path = tmp_path / "mnist.npz"
    path.write_bytes(b"old")

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space"):
        subset["mnist"].save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def damage(path, kind):
    """Spoil a prepared file, or put something else in its place."""
    content = bytearray(path.read_bytes())
    if kind == "flipped":
        content[len(content) // 2] ^= 1
    elif kind == "cut":
        del content[len(content) // 2 :]
    elif kind == "text":
        content = b"not an archive"
    elif kind == "empty":
        content = b""
    path.write_bytes(content)
    if kind == "other":
        np.savez(path, x=np.zeros(3))
    elif kind == "objects":
        np.savez(path, about=np.array([{}], dtype=object))
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))


@pytest.mark.parametrize("kind", ["flipped", "cut", "text", "empty", "other", "objects", "npy"])
def test_load_refuses_anything_else(subset, tmp_path, kind):
    path = tmp_path / "mnist.npz"
    subset["mnist"].save(path)
    damage(path, kind)
    with pytest.raises(ValueError, match=r"mnist\.npz is damaged \(.*\); remove it and run again"):
        datasets.load(path)


def test_loading_needs_numpy_alone():
    code = (
        "import sys; sys.modules.update(requests=None, tqdm=None, fcntl=None)\n"
        "from workflow.data.datasets import load, by_classes, as_float"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((2, 4, 5, 1))}, "float64"),
        ({"x_train": np.zeros((2, 4, 5), np.uint8)}, "H, W, C"),
        ({"y_test": np.zeros(2, np.int64)}, "3 test images and 2 test labels"),
        ({"x_test": np.zeros((3, 5, 4, 1), np.uint8)}, "sizes must be equal"),
    ],
)
def test_arrays_that_do_not_belong_together(change, message):
    fields = {
        "x_train": np.zeros((2, 4, 5, 1), np.uint8),
        "y_train": np.zeros(2, np.int64),
        "x_test": np.zeros((3, 4, 5, 1), np.uint8),
        "y_test": np.zeros(3, np.int64),
    }
    datasets.Dataset("toy", "full", **fields, sha256={})
    with pytest.raises(ValueError, match=message):
        datasets.Dataset("toy", "full", **(fields | change), sha256={})


# Selection and scaling.


def test_by_classes():
    labels = np.array([0, 7, 3, 0, 7])
    for classes, expected in [
        ("all", [1, 1, 1, 1, 1]),
        ("not0", [0, 1, 1, 0, 1]),
        ("only7", [0, 1, 0, 0, 1]),
    ]:
        mask = datasets.by_classes(labels, classes)
        assert mask.dtype == bool
        assert mask.tolist() == [bool(x) for x in expected]


@pytest.mark.parametrize(
    "classes",
    ["", "none", "not", "only-1", "not 0", "not07", "All", "7", "not٣", "not0_", "only0_1"],
)
def test_by_classes_refuses_bad_strings(classes):
    with pytest.raises(ValueError, match=f"unknown classes '{classes}'; write 'all'"):
        datasets.by_classes(np.arange(10), classes)


def test_a_second_class_may_be_held_out():
    labels = np.array([0, 1, 2, 1, 0, 3])
    assert datasets.by_classes(labels, "not0_1").nonzero()[0].tolist() == [2, 5]
    assert (datasets.before_test("not0_1"), datasets.held_out("not0_1")) == ("not0", [1])
    assert (datasets.before_test("not0"), datasets.held_out("not0")) == ("not0", [])
    assert datasets.held_out("all") == datasets.held_out("only3") == []


@pytest.mark.parametrize("classes", ["only5", "not10", "not0_5"])
def test_by_classes_refuses_an_empty_class(classes):
    with pytest.raises(ValueError, match=f"'{classes}' names an empty class; the labels hold 0, 7"):
        datasets.by_classes(np.array([7, 0, 0]), classes)


def test_as_float():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    scaled = datasets.as_float(pixels)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(np.rint(scaled * 255).astype(np.uint8), pixels)
    with pytest.raises(ValueError, match="float32"):
        datasets.as_float(scaled)


# The shipped subset.


@pytest.mark.parametrize("row", originals.read_table(originals.SUBSET_TABLE), ids=lambda r: r.file)
def test_shipped_files_have_their_checksums(row):
    path = originals.SUBSET / row.dataset / row.file
    assert hashlib.sha256(idx.read_content(path)).hexdigest() == row.sha256
    assert path.stat().st_size < 4 << 20


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("split", "count"), make_subset.PER_CLASS.items())
def test_shipped_counts(subset, name, split, count):
    images, labels = getattr(subset[name], f"x_{split}"), getattr(subset[name], f"y_{split}")
    assert images.shape == (10 * count, 28, 28, 1)
    assert np.bincount(labels).tolist() == [count] * 10
    places = np.loadtxt(originals.SUBSET / name / f"{split}-indices.txt", dtype=int)
    assert len(places) == 10 * count
    assert (np.diff(places) > 0).all()


@needs_originals
@pytest.mark.parametrize("name", NAMES)
def test_subset_equals_the_originals(subset, name):
    full = preparation.prepare(name, "full", ORIGINALS)
    for split, shape in PUBLISHED.items():
        places = np.loadtxt(originals.SUBSET / name / f"{split}-indices.txt", dtype=int)
        images, labels = getattr(full, f"x_{split}"), getattr(full, f"y_{split}")
        assert images.shape == shape
        np.testing.assert_array_equal(getattr(subset[name], f"x_{split}"), images[places])
        np.testing.assert_array_equal(getattr(subset[name], f"y_{split}"), labels[places])
        for c in range(10):  # the first of each class, none left out
            chosen = places[labels[places] == c]
            np.testing.assert_array_equal(chosen, np.flatnonzero(labels == c)[: len(chosen)])


@needs_originals
def test_make_subset_rebuilds_it(tmp_path, capsys):
    arguments = ["--data-dir", ORIGINALS, "--out", str(tmp_path)]
    make_subset.main(arguments)
    make_subset.main([*arguments, "--check"])
    assert "all 13 files equal" in capsys.readouterr().out
    built = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(built) == 13
    assert (tmp_path / "subset.tsv").read_bytes() == originals.SUBSET_TABLE.read_bytes()
    assert (
        make_subset.compare(
            {str(path.relative_to(tmp_path)): content for path, content in built.items()},
            originals.SUBSET,
        )
        == []
    )


def test_first_per_class():
    labels = np.array([1, 0, 0, 1, 0, 1])
    assert make_subset.first_per_class(labels, 2).tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="class 0 has 3 of 4"):
        make_subset.first_per_class(labels, 4)


def test_compare_sees_content_not_compression(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"content", 1))
    assert make_subset.compare({"a.gz": gzip.compress(b"content", 9)}, tmp_path) == []
    differences = make_subset.compare({"a.gz": gzip.compress(b"other"), "b": b""}, tmp_path)
    assert len(differences) == 2
    assert "a.gz differs" in differences[0]
    assert "No such file" in differences[1]


# The step.


def test_step_writes_the_dataset(tmp_path, capsys):
    out = tmp_path / "data" / "mnist-subset.npz"
    data_step.main(["--dataset", "mnist", "--source", "subset", "--out", str(out)])
    assert "6000 training and 1000 test images" in capsys.readouterr().out
    assert datasets.load(out).x_train.shape == (6000, 28, 28, 1)


def test_step_fails_in_one_sentence(tmp_path):
    out = tmp_path / "x.npz"
    step = [sys.executable, "-m", "workflow.data.make_dataset"]
    result = subprocess.run(
        [*step, "--dataset", "mnits", "--source", "subset", "--out", str(out)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr == (
        "python -m workflow.data.make_dataset: unknown dataset 'mnits'; did you mean 'mnist'?\n"
    )
    assert not out.exists()
