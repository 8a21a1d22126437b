"""Tables and front page of the published records are made by the rules that make a run's."""

import re
import shutil
import subprocess

import pandas as pd
import pytest

from tests.workflow.conftest import copy
from workflow.common import files
from workflow.publish import archive, reference

OF_B = ("dcgmm", "B-paper", "mnist", "not0")
MODULE = "workflow.publish.publish"


def publish(project):
    command = ["workflow/run/in_env.sh", "workflow", "python", "-m", MODULE]
    result = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy in which five seeds of one grid point are published, and nothing else."""
    project = copy(tmp_path_factory.mktemp("published"))
    folder = project.folder / "results/reference/1"
    kept = {key: one for key, one in archive.read(folder).items() if key[1][:4] == OF_B}
    for part in ("tables", "figures", "judges"):
        shutil.rmtree(folder / part)
    (folder / "index.html").unlink()
    archive.write(folder, kept)
    publish(project)
    return project


def test_tables_are_made_of_what_is_published(project):
    folder = project.folder / "results/reference/1"
    table = pd.read_csv(folder / "tables/table1.csv").set_index("metric")
    assert table["n"].to_dict() == {"auroc": 5, "auc100": 5}
    whole = pd.read_csv("results/reference/1/tables/table1.csv")
    (wanted,) = whole.query(
        "instance == 'B' and recipe == 'paper' and dataset == 'mnist' and metric == 'auc100'"
    )["mean"]
    assert table.loc["auc100", "mean"] == wanted
    made = {path.stem for path in (folder / "tables").glob("*.csv")}
    assert made >= {"table1", "table5", "comparison", "claims", "efficiency", "statistics"}
    assert not made & {"table2", "table3", "table4", "ablations", "outlier_classes"}
    assert "has the 5 records" in (folder / "README.md").read_text("utf-8")
    assert not (project.folder / "results/cpu").exists(), "nothing is fitted"


def test_the_page_is_of_what_is_published(project):
    folder = project.folder / "results/reference/1"
    page = (folder / "index.html").read_text("utf-8")
    assert len(page) < 3e6
    planned = len(reference.planned_keys(reference.load().config))
    assert f">5 of {planned} are published so far<" in page
    shown = {link for link in re.findall(r'href="([^"#]+)"', page) if link != "data:,"}
    assert {"README.md", "figures/comparison.svg"} <= shown
    assert all((folder / link).is_file() for link in shown)
    assert str(project.folder) not in page and "too small to decide" not in page


def test_publishing_again_changes_nothing(project):
    folder = project.folder / "results/reference/1"
    (project.folder / "results/published/index.html").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    publish(project)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before


def test_an_archive_that_was_altered_is_named(project):
    path = project.folder / "results/reference/1/records.jsonl"
    text = path.read_text("utf-8")
    files.write_text(path, text.replace('"seed": 3', '"seed": 9'))
    command = ["workflow/run/in_env.sh", "workflow", "python", "-m", MODULE]
    result = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    files.write_text(path, text)
    assert result.returncode != 0
    assert "records.jsonl, line 4 is damaged" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr and "common.smk" not in result.stderr
