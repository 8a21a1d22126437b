"""The commands of the README and of the guides: each is tried as far as a dry run goes."""

import ast
import functools
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.workflow import asked
from tests.workflow.conftest import copy

PAGES = (  # docs/adding-a-baseline.md has a test of its own, which does what it says
    "README.md",
    "docs/running.md",
    "docs/protocols.md",
    "baselines/README.md",
    "benchmarks/README.md",
    "profiles/slurm/README.md",
)
COMMANDS = ("make", "snakemake", "workflow/run/in_env.sh", "python")
ABBREVIATED = re.compile(r"<\w+>|\.\.\.|\bNAME\b|\bFILE\b")


def blocks(page, language):
    """Fenced blocks of a page."""
    text = Path(page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands():
    """Every command that a reader may type, in shell blocks or between backticks."""
    found = []
    for page in PAGES:
        lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
        prose = re.sub(r"^```.*?^```$", "", Path(page).read_text("utf-8"), flags=re.M | re.S)
        lines += [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", prose)]
        found += [line.partition(" #")[0].strip() for line in lines]
    known = [line for line in found if line.split(" ")[0] in COMMANDS and " " in line]
    return sorted({line for line in known if not ABBREVIATED.search(line)})


def made_by(command):
    """What `make` would run."""
    result = subprocess.run([*shlex.split(command), "-n"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def plans(command):
    """Calls of Snakemake in a command, as words."""
    text = made_by(command) if command.startswith("make") else command
    calls = [shlex.split(line) for line in text.splitlines() if re.search(r"\bsnakemake ", line)]
    return [words[words.index("snakemake") + 1 :] for words in calls if "snakemake" in words]


def test_there_are_commands_to_try():
    assert {"make report", "make test"} <= {*commands()}
    assert len(commands()) > 10


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory):
    """Gives the end of a call's dry run, of a single seed where it has a configuration."""
    project = copy(tmp_path_factory.mktemp("readme"))
    (project.folder / "seed.yaml").write_text("seeds: [0]")

    @functools.cache
    def ended(*arguments):
        given = [*arguments]
        if "--configfile" in given:
            given.insert(given.index("--configfile") + 2, "seed.yaml")
        return asked.snakemake(project.folder, [*given, "--dry-run", "--quiet", "rules"])

    return ended


@pytest.mark.parametrize("command", commands())
def test_command_is_one(command, dry_run):
    for module in re.findall(r"python -m ([\w.]+)", command):
        assert importlib.util.find_spec(module), f"there is no module {module}"
    for name in re.findall(r"in_env\.sh (\w[\w-]*)", command):
        assert Path("envs", f"{name}.lock").is_file(), f"there is no environment {name}"
    for arguments in plans(command):
        if "--unlock" in arguments or "profiles/slurm" in arguments:
            continue  # the one plans nothing, the other has a test of its own: tests/slurm
        result = dry_run(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
    if command.startswith("make"):
        assert made_by(command)


@pytest.mark.parametrize("page", PAGES)
def test_python_of_a_page_parses_and_its_links_lead_somewhere(page):
    for block in blocks(page, "python"):
        ast.parse(block)
    for link in re.findall(r"\]\(([^)#\s]+)\)", Path(page).read_text("utf-8")):
        if "://" not in link:
            assert (Path(page).parent / link).exists(), f"{page} links to {link}"
