"""A copy of the suite to run and to break, beside the environments that are already built."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow import asked

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config.yaml", "config", "baselines", "dcgmm", "envs", "profiles", "workflow")
OVERLAY = "tests/workflow/tiny.yaml"


@dataclass
class Project:
    """A copy of the suite in a folder of its own."""

    folder: Path

    def snakemake(self, *arguments, overlay=OVERLAY):
        """Run the workflow as a user does; returns the finished process."""
        launcher = [self.folder / "workflow/run/in_env.sh", "workflow", "snakemake"]
        overlays = [overlay] if isinstance(overlay, str) else overlay
        command = [*launcher, *arguments, "--configfile", *overlays]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def ask(self, *arguments, overlay=OVERLAY):
        """Ask the workflow what it would do; returns the finished process."""
        overlays = [overlay] if isinstance(overlay, str) else overlay
        return asked.snakemake(self.folder, [*arguments, "--configfile", *overlays])

    def plan(self, *arguments, overlay=OVERLAY):
        """Jobs that a dry run would start: rule -> number."""
        result = self.ask(*arguments, "-n", "--quiet", "rules", overlay=overlay)
        assert result.returncode == 0, result.stderr
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE))
        return {rule: int(number) for rule, number in jobs.items() if rule != "total"}

    def files(self, *targets, overlay=OVERLAY):
        """File below `results/` that some targets take -> whether a run would make it now."""
        result = self.ask(*(targets or ["all"]), "--summary", overlay=overlay)
        assert result.returncode == 0, result.stderr
        lines = [line.split("\t") for line in result.stdout.splitlines()]
        return {
            file.removeprefix("results/"): plan == "update pending"
            for file, *_, plan in lines
            if file.startswith("results/")
        }


def copy(folder):
    """Everything that a run needs, the built environments linked.

    Bytecode comes along, except what another process is writing now, so that no copy compiles.
    """
    folder.mkdir(exist_ok=True)
    ignored = shutil.ignore_patterns(".venv", "*.pyc.*")
    for part in PARTS:
        target = folder / part
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=ignored)
        else:
            shutil.copy(ROOT / part, target)
    (ROOT / "envs/.venv").mkdir(exist_ok=True)
    (folder / "envs/.venv").symlink_to(ROOT / "envs/.venv")
    for part in ("results/reference", "tests/workflow"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    return Project(folder)


@pytest.fixture
def project(tmp_path):
    """A copy in which nothing has run."""
    return copy(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy in which the tiny run is done."""
    project = copy(tmp_path_factory.mktemp("finished"))
    result = project.snakemake()
    assert result.returncode == 0, result.stdout + result.stderr
    return project
