"""What a record says of the commit that it was made by."""

import subprocess
from pathlib import Path

import pytest

from workflow.evaluation import provenance


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a source file and a published result, both committed."""
    for name in ("dcgmm/model.py", "results/all_runs.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("as committed\n", "utf-8")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, *author, "commit", "--quiet", "--message", "Begin")
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


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
