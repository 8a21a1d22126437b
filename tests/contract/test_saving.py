"""Saving touches its own file and nothing else; what is no whole model of ours is refused."""

import errno
import io
import re
import shutil
import threading
import zipfile

import numpy as np
import pytest

from baselines.interface import SAMPLE, SCORE
from tests import saved


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the saved model, to be changed."""
    return shutil.copytree(folder, tmp_path / "model")


@pytest.fixture
def same(subject, fitted, capabilities, unseen):
    """That a folder holds the fitted model, to the bit."""

    def check(folder):
        loaded = subject.load(folder)
        assert loaded.n_parameters == fitted.n_parameters
        if SCORE in capabilities:
            assert np.array_equal(loaded.score_samples(unseen), fitted.score_samples(unseen))
        if SAMPLE in capabilities:
            assert np.array_equal(loaded.sample(5, seed=2), fitted.sample(5, seed=2))

    return check


def contents(folder):
    """Every file below a folder and what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused(error, call, folder):
    with pytest.raises(error) as caught:
        call(folder)
    assert re.fullmatch(r"[^\n]{10,400}", str(caught.value)), str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_loaded_model_is_the_same_to_the_bit(folder, same):
    same(folder)
    same(str(folder))


def test_saving_makes_the_folders_and_leaves_nothing_beside_them(fitted, same, tmp_path):
    for _ in range(2):
        fitted.save(tmp_path / "a" / "model")
        assert contents(tmp_path).keys() == {"a", "a/model", "a/model/model.npz"}
    same(tmp_path / "a" / "model")


def test_saving_replaces_a_model_and_touches_no_other_file(fitted, copy, same):
    before = contents(copy)
    (copy / "plots").mkdir()
    (copy / "plots" / "thesis.tex").write_text("three years of work")
    (copy / ".model.npz.0123.part").write_text("of a process that was killed")
    others = contents(copy)
    fitted.save(copy)
    assert {name: others[name] for name in others.keys() - before} == {
        name: value for name, value in contents(copy).items() if name not in before
    }
    same(copy)


def test_a_save_that_was_killed_is_no_hindrance(fitted, same, tmp_path):
    (tmp_path / ".model.npz.0123.part").write_text("the first bytes")
    fitted.save(tmp_path)
    same(tmp_path)


def foreign_archive(folder):
    np.savez(folder / "model.npz", about=np.array("my data"), x=np.zeros(3))


def compressed(folder):
    saved.rewrite(folder, *saved.content(folder), save=np.savez_compressed)


FOREIGN = {
    "a file": lambda folder: (folder / "notes.txt").write_text("notes"),
    "a hidden file": lambda folder: (folder / ".git").mkdir(),
    "a model of an older format": lambda folder: (folder / "model.json").write_text("{}"),
    "another file of this name": lambda folder: (folder / "model.npz").write_text("mine"),
    "an archive of this name": foreign_archive,
    "a folder of this name": lambda folder: (folder / "model.npz").mkdir(),
    "a link of this name": lambda folder: (folder / "model.npz").symlink_to("elsewhere"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_folder_that_is_no_model_is_left_as_it_is(fitted, tmp_path, what):
    folder = tmp_path / "theirs"
    folder.mkdir()
    FOREIGN[what](folder)
    before = contents(folder)
    refused(FileExistsError, fitted.save, folder)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_a_file_and_a_link_to_nothing_are_left_as_they_are(fitted, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nothing")
    for name in ("file", "link"):
        refused(FileExistsError, fitted.save, tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_link_to_a_model_is_followed(fitted, copy, same, tmp_path):
    (tmp_path / "link").symlink_to(copy)
    fitted.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    same(copy)


def test_a_failed_save_leaves_the_old_model_and_nothing_else(
    fitted, copy, same, tmp_path, monkeypatch
):
    def fail(file, **_):
        file.write(b"a part")
        raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(tmp_path)
    monkeypatch.setattr(np, "savez", fail)
    for folder in (copy, tmp_path / "new"):
        with pytest.raises(OSError, match="No space left on device") as caught:
            fitted.save(folder)
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(folder / "model.npz")
    assert contents(tmp_path) == before
    same(copy)


def test_writers_at_once_damage_nothing(subject, fitted, same, tmp_path):
    folder, errors = tmp_path / "model", []

    def save_often():
        try:
            for _ in range(10):
                fitted.save(folder)
                saved.content(folder)
        except Exception as error:
            errors.append(error)

    writers = [threading.Thread(target=save_often) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not errors
    assert contents(folder).keys() == {"model.npz"}
    same(folder)


def test_what_is_no_model_is_refused(subject, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file")
    for name in ("empty", "nowhere", "file"):
        refused(ValueError, subject.load, tmp_path / name)


def test_a_model_of_an_older_format_is_to_be_fitted_or_saved_again(subject, tmp_path):
    (tmp_path / "model.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match=r"older format.*: fit or save it again"):
        subject.load(tmp_path)


def rewritten(about=None, **changes):
    """What changes the description, given as text or by its keys."""

    def damage(folder):
        known, arrays = saved.content(folder)
        saved.rewrite(folder, known | changes if about is None else about, arrays)

    return damage


def first(change):
    """What changes the first array."""

    def damage(folder):
        name, array = next(iter(saved.content(folder)[1].items()))
        saved.replace(folder, **{name: change(array)})

    return damage


def cut(kept):
    def damage(folder):
        content = (folder / "model.npz").read_bytes()
        (folder / "model.npz").write_bytes(content[: int(kept * len(content))])

    return damage


def flipped(folder):
    content = bytearray((folder / "model.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / "model.npz").write_bytes(content)


def doubled(folder):
    with zipfile.ZipFile(folder / "model.npz", "a") as archive, pytest.warns(UserWarning):
        archive.writestr("about.npy", archive.read("about.npy"))


def enlarged(folder):
    """An array that says to be larger than the disk."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, header)
    with zipfile.ZipFile(folder / "model.npz", "a") as archive:
        archive.writestr("huge.npy", content.getvalue())


DAMAGES = {
    "nothing left": cut(0),
    "half": cut(0.5),
    "the end lost": cut(0.99),
    "a byte changed": flipped,
    "no archive": lambda folder: (folder / "model.npz").write_text("rubbish"),
    "no file": lambda folder: (folder / "model.npz").unlink(),
    "compressed": compressed,
    "an array twice": doubled,
    "an array larger than the file": enlarged,
    "foreign": foreign_archive,
    "an array lost": first(lambda array: None),
    "an array more": lambda folder: saved.replace(folder, more=np.zeros(2, "float32")),
    "another shape": first(lambda array: array[None]),
    "objects": first(lambda array: array.astype(object)),
    "text": first(lambda array: array.astype(str)),
    "NaN": first(lambda array: array * np.nan),
    "infinity": first(lambda array: array + np.inf),
    "no description": rewritten(""),
    "an empty description": rewritten("{}"),
    "a list": rewritten("[1, 2]"),
    "deep": rewritten("[" * 100_000),
    "a description alone": rewritten('{"format": 2}'),
    "another format": rewritten(format=3),
    "another method": lambda folder: rewritten('{"format": 2, "method": "x"}')(folder),
    "NaN in the description": rewritten(number=np.nan),
    "infinity in the description": rewritten('{"format": 2, "x": 1e999}'),
    "a key twice": rewritten('{"format": 2, "format": 2}'),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_or_foreign_model_is_refused_in_one_sentence(subject, copy, what):
    DAMAGES[what](copy)
    refused(ValueError, subject.load, copy)


@pytest.mark.parametrize("error", [MemoryError, PermissionError])
def test_trouble_of_the_machine_is_not_taken_for_damage(subject, folder, monkeypatch, error):
    def fail(*_, **__):
        raise error("of the machine")

    monkeypatch.setattr("zipfile.ZipFile.read", fail)
    with pytest.raises(error, match="of the machine"):
        subject.load(folder)
