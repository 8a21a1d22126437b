"""Published images: read from toy archives of the published forms, all others refused."""

import gzip
import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from sklearn.datasets import load_digits

from workflow.data import foreign, idx, originals
from workflow.data import test_sets as sets

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([5, 3, 1, 0, 2, 4], np.uint8)
CIFAR = "cifar-10-batches-bin/test_batch.bin"


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def drawing(ink):
    """A PNG of Omniglot's kind: black ink on white, one bit."""
    file = io.BytesIO()
    Image.fromarray(~ink).save(file, "PNG")
    return file.getvalue()


def emnist(images=GREY, labels=LABELS, **other):
    turned = images.transpose(0, 2, 1)
    return zipped(
        {
            "gzip/emnist-letters-test-images-idx3-ubyte.gz": gzip.compress(idx.encode(turned)),
            "gzip/emnist-letters-test-labels-idx1-ubyte.gz": gzip.compress(idx.encode(labels)),
        }
        | other
    )


def cifar(images=COLOUR):
    records = [bytes([i]) + image.transpose(2, 0, 1).tobytes() for i, image in enumerate(images)]
    return tarred({"cifar-10-batches-bin/readme.html": b"x", CIFAR: b"".join(records)})


def mat(images=COLOUR):
    file = io.BytesIO()
    labels = np.arange(1, len(images) + 1)[:, None]
    savemat(file, {"X": images.transpose(1, 2, 3, 0), "y": labels}, do_compression=True)
    return file.getvalue()


def pair(images=GREY, labels=LABELS):
    return {
        "images": gzip.compress(idx.encode(images)),
        "labels": gzip.compress(idx.encode(labels)),
    }


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Puts files into the data folder, with a table that has their digests; reads them."""
    monkeypatch.delenv("DCGMM_DATA_DIR", raising=False)

    def write(name, files, digests=None, digest_of="file"):
        header = "dataset\tsplit\tkind\tfile\tsha256\tdigest_of\tlicence\tfolders\turls"
        lines, folder = [header], tmp_path / name
        folder.mkdir(exist_ok=True)
        for kind, content in files.items():
            (folder / f"{kind}.gz").write_bytes(content)
            digest = (digests or {}).get(kind, hashlib.sha256(content).hexdigest())
            lines.append(f"{name}\ttest\t{kind}\t{kind}.gz\t{digest}\t{digest_of}\tfree\t\t")
        table = tmp_path / "table.tsv"
        table.write_text("\n".join(lines) + "\n")
        return lambda: foreign.published(name, tmp_path, tables=(table,))

    return write


@pytest.mark.parametrize("name", ["kmnist", "notmnist"])
def test_idx_files_are_read_as_they_are(publish, name):
    images, labels = publish(name, pair())()
    np.testing.assert_array_equal(images[..., 0], GREY)
    assert labels.tolist() == LABELS.tolist()
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)


def test_emnist_is_turned_upright(publish):
    images, labels = publish("emnist", {"archive": emnist()})()
    np.testing.assert_array_equal(images[..., 0], GREY)
    assert labels.tolist() == LABELS.tolist()


def test_omniglot_is_light_on_black_and_labelled_by_folder(publish):
    ink = np.zeros((105, 105), bool)
    ink[10:50, 20:40] = True
    members = {
        "e/Z_(script)/character02/9_1.png": drawing(ink),
        "e/A/character02/1_1.png": drawing(ink.T),
        "e/A/character01/2_2.png": drawing(~ink),
        "e/A/character01/2_1.png": drawing(ink),
        "e/A/readme.txt": b"no drawing",
    }
    images, labels = publish("omniglot", {"archive": zipped(members)})()
    assert labels.tolist() == [0, 0, 1, 2]
    assert images.shape == (4, 28, 28, 1)
    first, second = images[0, ..., 0], images[1, ..., 0]
    assert (
        (first[4:12, 7:9] == 255).all() and (first[16:] == 0).all() and (first[:, 13:] == 0).all()
    )
    assert np.abs(first.astype(int) + second - 255).max() <= 1
    assert np.abs(images[2, ..., 0].astype(int) - first.T).max() <= 8  # rounded between its axes
    assert abs(first.mean() - 255 * ink.mean()) < 1


@pytest.mark.parametrize(
    ("name", "kind", "pack"), [("cifar10", "archive", cifar), ("svhn", "both", mat)]
)
def test_colour_images_are_grey_and_reduced(publish, name, kind, pack):
    content = {kind: pack()}
    images, labels = publish(name, content)()
    assert (images.shape, images.dtype) == ((4, 28, 28, 1), np.uint8)
    assert labels.tolist() == ([0, 1, 2, 3] if name == "cifar10" else [1, 2, 3, 4])
    luma = COLOUR.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(images.mean(axis=(1, 2, 3)) - luma.mean(axis=(1, 2))).max() < 1.5
    flat = np.broadcast_to(np.array([200, 100, 50], np.uint8), (2, 32, 32, 3))
    images, _ = publish(name, {kind: pack(flat)})()
    assert (images == 124).all()  # 0.299 * 200 + 0.587 * 100 + 0.114 * 50


def test_at_most_a_thousand_are_taken_evenly(publish):
    many = np.zeros((2500, 28, 28), np.uint8)
    many[:, 0, 0], many[:, 0, 1] = np.divmod(np.arange(2500), 256)
    images, labels = publish("kmnist", pair(many, np.arange(2500).astype(np.uint8)))()
    numbers = images[:, 0, :2, 0].astype(int) @ [256, 1]
    assert numbers.tolist() == [i * 5 // 2 for i in range(1000)]
    assert labels.tolist() == [number % 256 for number in numbers]


def test_small_digits_are_enlarged():
    images, labels = foreign.enlarged_digits()
    digits = load_digits()
    chosen = sets.evenly_spaced(1797)
    assert images.shape == (1000, 28, 28, 1)
    assert labels.tolist() == digits.target[chosen].tolist()
    small = [
        np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BOX))
        for image in images[:50, ..., 0]
    ]
    for image, digit in zip(small, digits.images[chosen], strict=False):
        assert np.corrcoef(image.ravel(), digit.ravel())[0, 1] > 0.97


def test_a_digest_of_the_file_is_not_that_of_its_content(publish):
    files = pair()
    digests = {kind: hashlib.sha256(gzip.decompress(x)).hexdigest() for kind, x in files.items()}
    images, _ = publish("notmnist", files, digests, digest_of="content")()
    np.testing.assert_array_equal(images[..., 0], GREY)
    with pytest.raises(
        ValueError, match=r"images\.gz is a file with the sha256 \w+, the test imag"
    ):
        publish("notmnist", files, digests)()


BAD = [
    ("kmnist", pair(labels=LABELS[:3]), "6 images and 3 labels do not belong together"),
    ("kmnist", {"images": b"x", "labels": b"y"}, "begins with the bytes"),
    ("emnist", {"archive": b"no zip"}, "archive.gz is no zip archive"),
    ("emnist", {"archive": zipped({"a": b""})}, "damaged or lacks gzip/emnist-letters-test-images"),
    ("emnist", {"archive": emnist(labels=LABELS[:2])}, "6 images and 2 labels"),
    ("omniglot", {"archive": zipped({"a/b.txt": b""})}, "holds no PNG file"),
    ("omniglot", {"archive": zipped({"a/b.png": b""})}, "a/b.png is damaged or no PNG file"),
    ("omniglot", {"archive": zipped({"a.png": drawing(GREY[0] > 0)})}, "has 28x28 pixels"),
    ("cifar10", {"archive": b"no archive"}, f"is damaged or lacks {CIFAR}"),
    ("cifar10", {"archive": cifar()[:-300]}, f"is damaged or lacks {CIFAR}"),
    ("cifar10", {"archive": tarred({"b": b"x"})}, f"is damaged or lacks {CIFAR}"),
    ("cifar10", {"archive": tarred({CIFAR: b"x" * 3072})}, "has 3072 bytes, no multiple of 3073"),
    ("cifar10", {"archive": tarred({CIFAR: b""})}, "has 0 bytes"),
    ("svhn", {"both": b"no file of MATLAB"}, "damaged or no file of MATLAB"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "files", "message"), BAD)
def test_other_files_are_refused_in_a_sentence(publish, name, files, message):
    with pytest.raises(ValueError, match=message) as caught:
        publish(name, files)()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["emnist", "omniglot", "cifar10"])
def test_nothing_but_the_published_archive_is_opened(publish, name, monkeypatch):
    for opener in ("zipfile.ZipFile", "tarfile.open"):
        monkeypatch.setattr(opener, lambda *a, **k: pytest.fail("was opened"))
    with pytest.raises(ValueError, match=r"archive\.gz is a file with the sha256") as caught:
        publish(name, {"archive": b"altered"}, digests={"archive": 64 * "a"})()
    for digest in (64 * "a", hashlib.sha256(b"altered").hexdigest()):
        assert digest in str(caught.value)


def test_a_missing_file_is_named(publish, tmp_path):
    read = publish("cifar10", {"archive": b""})
    (tmp_path / "cifar10/archive.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"cifar10/archive\.gz is missing"):
        read()


def test_an_unpacked_file_has_no_published_digest(publish, tmp_path):
    read = publish("kmnist", pair())
    for kind in ("images", "labels"):
        path = tmp_path / f"kmnist/{kind}.gz"
        path.rename(path.with_suffix(""))
    with pytest.raises(FileNotFoundError, match=r"images\.gz is missing"):
        read()


def test_the_table_is_whole():
    rows = originals.read_table(originals.TEST_SETS_TABLE)
    assert {row.split for row in rows} == {"test"}
    assert all(len(row.sha256) == 64 and row.licence and row.urls for row in rows)
    assert all(row.digest_of in ("content", "file") for row in rows)
    assert all(u.endswith(row.file) for row in rows for u in row.urls)
    named = {row.dataset for row in [*rows, *originals.read_table()]}
    needed = {entry.files for entry in sets.table().values() if entry.files}
    assert needed == foreign.READERS.keys() and needed <= named
