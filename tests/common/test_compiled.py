"""Compiled programs that are kept: used only while they are what was written."""

import subprocess

import pytest

from workflow.common import compiled


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A folder of entries, of which one run has sealed two."""
    monkeypatch.setenv(compiled.FOLDER, str(tmp_path))
    with compiled.verified_cache():
        for name in "ab":
            (tmp_path / f"{name}.pb").write_bytes(name.encode() * 1000)
    return tmp_path


def entries(folder):
    return sorted(path.name for path in folder.glob("*.pb"))


def test_whole_entries_stay(cache):
    with compiled.verified_cache():
        assert entries(cache) == ["a.pb", "b.pb"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:10]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"b" + path.read_bytes()[1:]),
        lambda path: path.with_name("a.pb.sha256").unlink(),
        lambda path: path.with_name("a.pb.sha256").write_text("0"),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_entry_is_removed_and_made_again(cache, damage):
    damage(cache / "a.pb")
    with compiled.verified_cache():
        assert entries(cache) == ["b.pb"]
        (cache / "a.pb").write_bytes(b"new")
    with compiled.verified_cache():
        assert entries(cache) == ["a.pb", "b.pb"]
        assert (cache / "a.pb").read_bytes() == b"new"


def test_what_another_program_is_compiling_stays(cache):
    (cache / "c.pb").write_bytes(b"c")
    other = subprocess.Popen(
        ["flock", "--shared", str(cache / compiled.USERS), "sh", "-c", "echo; sleep 60"],
        stdout=subprocess.PIPE,
    )
    other.stdout.readline()
    (cache / "a.pb").write_bytes(b"damaged")
    try:
        with compiled.verified_cache():
            assert entries(cache) == ["b.pb", "c.pb"]
    finally:
        other.kill()
        other.wait()


def test_what_a_failing_program_has_compiled_is_kept_too(cache):
    with pytest.raises(ValueError, match="gone"), compiled.verified_cache():
        (cache / "c.pb").write_bytes(b"c")
        raise ValueError("gone")
    with compiled.verified_cache():
        assert entries(cache) == ["a.pb", "b.pb", "c.pb"]


def test_without_a_cache_nothing_is_done(monkeypatch):
    monkeypatch.delenv(compiled.FOLDER, raising=False)
    with compiled.verified_cache():
        pass
