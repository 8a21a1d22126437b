"""Fits that go wrong in every way: each is a row with its reason, and a retry reruns it alone.

So is one whose setting is a command, and the suite lies where a shell would find commands, too.
"""

import json
import shutil

import pandas as pd
import pytest

from tests.workflow import conftest

OVERLAY = "tests/workflow/mischief.yaml"
TABLE = "results/mischief/tables/table2.csv"
EXPECTED = {
    "works": ("ok", ""),
    "raises": ("failed", "RuntimeError: on purpose"),
    "exits": ("failed", "SystemExit: gone"),
    "diverges": ("diverged", "ArithmeticError: the log-density under layer top is not"),
    "hangs": ("timeout", "it ran longer than limits.timeout_s, which is 12"),
    "allocates": ("failed", "out of memory: it held 1"),
    "crashes": ("failed", "it crashed in native code: SIGSEGV"),
}
BAD = len(EXPECTED) - 1
# Text of a setting -> name of its grid point.
TEXTS = {
    "works": "works",
    "$(touch PWNED)": "=24=28touch=20PWNED=29",
    'a b; touch PWNED & `touch PWNED` | "it\'s" <x> \\ {x} [*?] $HOME #': (
        "a=20b=3B=20touch=20PWNED=20=26=20=60touch=20PWNED=60=20=7C=20=22it=27s=22=20=3Cx=3E=20=5C"
        "=20=7Bx=7D=20=5B=2A=3F=5D=20=24HOME=20=23"
    ),
    "-rf": "=2Drf",
    "..": "==..",
    "a/b": "a=2Fb",
    "": "==",
    "1": "==1",
    "true": "==true",
    "ü": "=C3=BC",
}
FOLDER = 'it\'s a "copy" & {x}; $(touch PWNED) `touch PWNED` \\ [*] ü'


@pytest.fixture(scope="module")
def wronged(tmp_path_factory):
    """A copy of the suite in which Table II was made of such fits."""
    project = conftest.copy(tmp_path_factory.mktemp("mischief") / FOLDER)
    source = project.folder / "tests/workflow/mischief"
    shutil.copytree(source, project.folder / "baselines/mischief")
    result = project.snakemake(TABLE, overlay=OVERLAY)
    assert result.returncode == 0, result.stdout + result.stderr
    return project


def fits(project):
    """Grid point -> its record as text."""
    folder = project.folder / "results/mischief/fit/mischief"
    return {path.parts[-5]: path.read_text() for path in folder.glob("*/*/*/*/fit.json")}


def test_whatever_goes_wrong_is_a_row(wronged):
    records = map(json.loads, fits(wronged).values())
    found = {record["settings"]["how"]: record for record in records}
    assert found.keys() == EXPECTED.keys() | TEXTS.keys()
    assert {found[text]["status"] for text in TEXTS} == {"ok"}
    for how, (status, reason) in EXPECTED.items():
        assert found[how]["status"] == status, how
        assert found[how]["reason"].startswith(reason), how
    assert 15 < found["hangs"]["memory_mb"]["host"] < 1024
    assert found["allocates"]["memory_mb"]["host"] > 1024
    assert not list((wronged.folder / "results/mischief").rglob("*.part"))


def test_text_is_never_a_command_nor_another_value(wronged):
    results = wronged.folder / "results/mischief"
    points = {json.loads(text)["settings"]["how"]: point for point, text in fits(wronged).items()}
    assert points == TEXTS | {how: how for how in EXPECTED}
    logs = {path.name for path in (results / "log/fit/mischief").iterdir()}
    assert logs == {*points.values()}
    for table in ("records/table2.csv", "tables/table2_grid.csv"):
        assert {*pd.read_csv(results / table)["grid_point"]} == {*points.values()}
    assert not list(wronged.folder.rglob("PWNED"))
    assert not list(wronged.folder.parent.glob("PWNED"))


def test_a_point_can_be_asked_for_by_its_name(wronged):
    folder = "results/mischief/fit/mischief"
    targets = [f"{folder}/{point}/mnist/not0/seed0/fit.json" for point in TEXTS.values()]
    assert wronged.plan(*targets, overlay=OVERLAY) == {}


def test_tables_are_made_of_what_is_left(wronged):
    (row,) = pd.read_csv(wronged.folder / TABLE).to_dict("records")
    assert row["title"] == "Mischief" and 0 < row["mean"] <= 100
    page = (wronged.folder / "results/mischief/tables/table2.md").read_text("utf-8")
    for status, reason in EXPECTED.values():
        assert status == "ok" or f"{status}: {reason}" in page


def test_a_retry_reruns_what_failed_and_nothing_else(wronged):
    planned = wronged.plan("retry", "--until", "table2", overlay=OVERLAY)
    assert (planned["fit"], planned["table2"]) == (BAD, 1)
    before = fits(wronged)
    mended = wronged.folder / "mended"
    mended.touch()
    result = wronged.snakemake("retry", "--until", "table2", overlay=OVERLAY)
    assert result.returncode == 0, result.stdout + result.stderr
    after = fits(wronged)
    assert {json.loads(text)["status"] for text in after.values()} == {"ok"}
    unchanged = {point for point in after if after[point] == before[point]}
    assert unchanged == {*TEXTS.values()}
    assert "fit" not in wronged.plan("retry", "--until", "table2", overlay=OVERLAY)


def test_trouble_of_the_machine_is_no_record_and_the_next_run_makes_the_fit(tmp_path):
    project = conftest.copy(tmp_path)
    source = project.folder / "tests/workflow/mischief"
    shutil.copytree(source, project.folder / "baselines/mischief")
    overlays = [OVERLAY, "tests/workflow/troubles.yaml"]
    run = project.folder / "results/troubles"
    result = project.snakemake("results/troubles/tables/table2.csv", overlay=overlays)
    assert result.returncode == 1
    (made,) = run.glob("fit/**/fit.json")
    assert json.loads(made.read_text())["settings"]["how"] == "works", "other jobs go on"
    assert not [*run.rglob("*.part"), *run.glob("tables/*")]
    said = result.stdout + result.stderr
    for trouble in ("MemoryError: ", "File too large", "No module named 'no_such_library'"):
        assert f"{trouble}" in said
    assert said.count("; nothing is recorded: ") >= 3
    (project.folder / "mended").touch()
    before = made.read_text()
    result = project.snakemake("results/troubles/tables/table2.csv", overlay=overlays)
    assert result.returncode == 0, result.stdout + result.stderr
    records = [json.loads(path.read_text()) for path in run.glob("fit/**/fit.json")]
    assert [record["status"] for record in records] == ["ok"] * 4
    assert made.read_text() == before
