"""Locks that are in step with what they were made from, and fit to be shipped."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from workflow.plan import catalogue

ENVIRONMENTS = Path("envs")
LOCKED = sorted(path.stem for path in ENVIRONMENTS.glob("*.in"))


def requirements(file):
    """What a file asks for, with what the files that it includes ask for."""
    for line in file.read_text("utf-8").splitlines():
        line = line.partition(" #")[0].strip()
        if line.startswith("-r "):
            yield from requirements(file.parent / line.removeprefix("-r "))
        elif line and not line.startswith(("#", "-")):
            yield Requirement(line)


def normal(name):
    """A package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name):
    """Package -> its versions in a lock, one for each kind of machine that needs its own."""
    text = (ENVIRONMENTS / f"{name}.lock").read_text("utf-8")
    found = {}
    for package, version in re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(normal(package), []).append(version)
    return found


def test_every_environment_has_both_files():
    assert catalogue.environments() == LOCKED


@pytest.mark.parametrize("name", LOCKED)
def test_lock_satisfies_what_is_asked_for(name):
    asked, locked = list(requirements(ENVIRONMENTS / f"{name}.in")), pins(name)
    assert asked
    for requirement in asked:
        versions = locked.get(normal(requirement.name))
        assert versions, f"envs/{name}.lock lacks {requirement}; run `make locks`"
        unfit = [each for each in versions if not requirement.specifier.contains(each, True)]
        assert not unfit, f"envs/{name}.lock has {unfit} for {requirement}; run `make locks`"


@pytest.mark.parametrize("name", LOCKED)
def test_lock_names_no_place_to_download_from(name):
    text = (ENVIRONMENTS / f"{name}.lock").read_text("utf-8")
    assert not re.search(r"://|--(index-url|extra-index-url|find-links)", text)


def test_slurm_plans_with_what_everything_else_is_planned_with():
    slurm, workflow = pins("slurm"), pins("workflow")
    assert {name: slurm.get(name) for name in workflow} == workflow
    assert {*slurm} - {*workflow} == {
        "snakemake-executor-plugin-slurm",
        "snakemake-executor-plugin-slurm-jobstep",
    }
