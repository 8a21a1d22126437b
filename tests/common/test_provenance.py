"""What a record says of the commit that it was made by."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow.common import provenance


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a source file and a published result, both committed."""
    for name in ("dcgmm/model.py", "results/all_runs.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("as committed\n", "utf-8")
    _git(tmp_path, "init", "--quiet")
    _commit(tmp_path)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_a_machine_with_a_gpu_is_another_than_one_of_its_name_without() -> None:
    host = {"id": "5bce98f7", "gpu": None}
    assert provenance.machine(host) == "5bce98f7"
    assert provenance.machine(host | {"gpu": "NVIDIA H100"}) == "5bce98f7, NVIDIA H100"


def test_a_clean_checkout_has_its_commit(checkout: Path) -> None:
    assert provenance.commit() == {"hash": _git(checkout, "rev-parse", "HEAD"), "changed": False}


@pytest.mark.parametrize(
    ("name", "changed"), [("dcgmm/model.py", True), ("results/all_runs.csv", False)]
)
def test_a_changed_source_counts_and_a_result_does_not(
    checkout: Path, name: str, changed: bool
) -> None:
    (checkout / name).write_text("edited\n", "utf-8")
    assert provenance.commit()["changed"] is changed


def test_outside_of_git_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.commit() == {"hash": None, "changed": None}


def _write(folder: Path, name: str, text: str = "edited\n") -> None:
    (folder / name).write_text(text, "utf-8")


def _commit_of(name: str, folder: Path) -> None:
    _write(folder, name)
    _commit(folder)


def _stage(folder: Path) -> None:
    _write(folder, "dcgmm/model.py")
    _git(folder, "add", ".")


def _edit_and_revert(folder: Path) -> None:
    _write(folder, "dcgmm/model.py")
    _write(folder, "dcgmm/model.py", "as committed\n")


def _commit_and_revert(folder: Path) -> None:
    _commit_of("dcgmm/model.py", folder)
    _write(folder, "dcgmm/model.py", "as committed\n")
    _commit(folder)


def _another_branch(folder: Path) -> None:
    _git(folder, "checkout", "--quiet", "-b", "other")
    _commit_of("dcgmm/model.py", folder)
    _git(folder, "rebase", "--quiet", "HEAD~1")


def _detach(folder: Path) -> None:
    _git(folder, "checkout", "--quiet", "--detach")


HAPPENINGS = [
    (lambda folder: None, False),
    (lambda folder: _write(folder, "dcgmm/model.py"), True),
    (_stage, True),
    (lambda folder: (folder / "dcgmm/model.py").unlink(), True),
    (lambda folder: _commit_of("dcgmm/model.py", folder), True),
    (lambda folder: _commit_of("dcgmm/new.py", folder), True),
    (_another_branch, True),
    (lambda folder: _write(folder, "results/all_runs.csv"), False),
    (lambda folder: _commit_of("results/all_runs.csv", folder), False),
    (lambda folder: _write(folder, "dcgmm/model.py", "as committed\n"), False),
    (_edit_and_revert, False),
    (_commit_and_revert, False),
    (_detach, False),
    (lambda folder: _write(folder, "lock", "another\n"), True),
    (lambda folder: (folder / "lock").unlink(), True),
]


@pytest.mark.parametrize(("happens", "changed"), HAPPENINGS)
def test_what_happens_during_a_fit_is_marked_and_its_commit_is_that_of_its_start(
    checkout: Path, happens: Callable[[Path], object], changed: bool
) -> None:
    lock = checkout / "lock"  # untracked, so that git does not tell of it
    lock.write_text("one\n")
    begun = provenance.begin(None, lock)
    head = _git(checkout, "rev-parse", "HEAD")
    happens(checkout)
    ended = provenance.end(begun, lock)
    assert ended["commit"] == {"hash": head, "changed": changed}
    assert ended["environment"]["lock_sha256"] == hashlib.sha256(b"one\n").hexdigest()


def test_a_change_before_the_start_stays_one(checkout: Path) -> None:
    _write(checkout, "dcgmm/model.py")
    begun = provenance.note()["commit"]
    _write(checkout, "dcgmm/model.py", "as committed\n")
    assert provenance.recheck_commit(begun)["changed"] is True


def test_what_was_noted_before_a_program_began_counts(checkout: Path) -> None:
    lock = checkout / "envs/any.lock"
    lock.parent.mkdir()
    lock.write_text("one\n")
    noted = provenance.note()
    lock.write_text("another\n")
    begun = provenance.begin(noted, lock)
    assert begun["environment"]["lock_sha256"] == hashlib.sha256(b"one\n").hexdigest()
    assert provenance.end(begun, lock)["commit"]["changed"] is True


def test_what_git_cannot_tell_at_the_end_is_unknown(checkout: Path) -> None:
    begun = provenance.note()["commit"]
    (checkout / ".git").rename(checkout / "gone")
    assert provenance.recheck_commit(begun) == {"hash": begun["hash"], "changed": None}


def test_an_untracked_copy_in_another_repository_has_no_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "copy").mkdir()
    monkeypatch.setattr(provenance, "ROOT", checkout / "copy")
    assert provenance.commit() == {"hash": None, "changed": None}
    assert provenance.recheck_commit(provenance.commit())["changed"] is None


def _commit(folder: Path) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    _git(folder, "add", "dcgmm", "results")
    _git(folder, *author, "commit", "--quiet", "--message", "Go on")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
