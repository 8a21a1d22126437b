"""Snakemake's cache goes to the repository where the user's folder takes none."""

import pytest

from workflow.run import launch


@pytest.mark.parametrize("home", ["/dev/null", "/proc", "{file}", "{file}/below"])
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_a_folder_that_takes_no_cache_is_found_out(tmp_path, monkeypatch, home, variable):
    file = tmp_path / "file"
    file.write_text("in the way")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert launch.holds_a_cache(), "a folder that is not there yet is made"
    monkeypatch.setenv(variable, home.format(file=file))
    assert not launch.holds_a_cache()
