"""Overlays that Snakemake itself cannot read, or reads as another thing: one sentence, status 1."""

import subprocess

import pytest

COMMAND = ("workflow/run/in_env.sh", "workflow", "snakemake", "--dry-run", "--quiet")


def ended(*arguments):
    """What a command ends with."""
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty or only a comment: leave it out or add a key"),
        (b"run: caf\xe9\n", "line 1 is not UTF-8, it has the byte 0xe9: save the file as UTF-8"),
        (b"limits: {memory_gb: .nan}\n", "line 1: limits.memory_gb is .nan, but must be a finite"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    assert ended("--configfile", str(file)).startswith(f"{file}: {message}")


@pytest.mark.parametrize("value", ["threads=nan", "seeds=[0]"])
def test_the_command_line_is_blamed_for_its_own_values(value):
    assert ended("--config", value).startswith("--config: ")
