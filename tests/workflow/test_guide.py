"""`docs/adding-a-baseline.md`, followed to the letter in a copy of the suite."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
import yaml
from snakemake.utils import update_config

from tests.workflow.conftest import ROOT, copy
from workflow.plan import catalogue, config, grid, new_baseline

GUIDE = ROOT / "docs/adding-a-baseline.md"
BLOCK = re.compile(
    r"(?:^`(?P<file>[\w./]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


@pytest.fixture
def steps():
    """The guide's code blocks in turn: file or None, language, text."""
    return [
        match.group("file", "kind", "text") for match in BLOCK.finditer(GUIDE.read_text("utf-8"))
    ]


# Of the default run what Table II needs, without the methods that are there, to be quick.
SMALL = {
    "datasets": ["mnist"],
    "seeds": [0],
    "dcgmm": {"instances": ["A"], "classifiers": []},
    "baselines": dict.fromkeys(catalogue.names(), False),
}


@pytest.fixture
def reader(tmp_path):
    """A copy of the suite, whose default run is small."""
    (tmp_path / "suite").mkdir()
    project = copy(tmp_path / "suite")
    for part in ("Makefile", "pyproject.toml", "tests/conftest.py", "tests/saved.py"):
        shutil.copy(ROOT / part, project.folder / part)
    shutil.copytree(ROOT / "tests/contract", project.folder / "tests/contract")
    file = project.folder / "config.yaml"
    merged = yaml.safe_load(file.read_text("utf-8"))
    update_config(merged, SMALL)
    file.write_text(yaml.safe_dump(merged, sort_keys=False), "utf-8")
    return project


def test_the_guide_leads_to_a_row_of_table_2(reader, steps):
    ran = []
    for file, kind, text in steps:
        if file:
            assert (reader.folder / file).is_file(), "new_baseline makes what is then changed"
            (reader.folder / file).write_text(text, "utf-8")
        elif kind == "sh":
            command = ["bash", "-euo", "pipefail", "-c", text]
            result = subprocess.run(command, cwd=reader.folder, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout + result.stderr
            ran.append(result.stdout + result.stderr)
    began, tested, made = ran
    assert "make test-contract METHODS=parzen" in began
    assert re.search(r"\d\d passed", tested) and "failed" not in tested
    assert re.findall(r"^Job \d+: fit: (\w+)", made, re.M) == ["parzen"], "nothing else is fitted"
    table = pd.read_csv(reader.folder / "results/demo/tables/table2.csv").set_index("title")
    row = table.loc["Parzen windows"]
    assert row["protocol"].tolist() == ["paper", "corrected"]
    assert row["mean"].notna().all()
    assert row["mean"].iloc[1] > 60, "zeros are told from other digits; guessing is 50"
    text = (reader.folder / "results/demo/tables/table2.md").read_text("utf-8")
    assert len(re.findall(r"^\| Parzen windows +\|", text, re.M)) == 2


def test_the_grid_of_the_guide_is_taken(steps, folder):
    (folder / "parzen").mkdir()
    for file, _, text in steps:
        if file:
            (folder.parent / file).write_text(text, "utf-8")
    [shown] = [text for file, kind, text in steps if kind == "yaml" and not file]
    checked = config.checked({"run": "mine", **yaml.safe_load(shown)})
    expected = ["K500-h0.1", "K500-h0.2", "K1000-h0.1", "K1000-h0.2"]
    assert list(grid.points("parzen", checked)) == expected


def test_the_model_of_the_guide_is_short(steps):
    [model] = [text for file, _, text in steps if file and file.endswith("model.py")]
    assert len([line for line in model.splitlines() if line.strip()]) < 40
    assert max(map(len, model.splitlines())) <= 100


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of methods, in which there are the one that is copied, and a module."""
    folder = tmp_path / "baselines"
    shutil.copytree(catalogue.FOLDER / new_baseline.SOURCE, folder / new_baseline.SOURCE)
    (folder / "checks.py").touch()
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    return folder


def test_a_new_method_bears_its_names(folder, capsys):
    new_baseline.main(["my_flow2"])
    made = {path.name: path.read_text("utf-8") for path in (folder / "my_flow2").iterdir()}
    assert "class MyFlow2(Baseline):" in made["model.py"]
    assert 'name = "my_flow2"' in made["model.py"]
    assert "from baselines.my_flow2.model import MyFlow2" in made["__init__.py"]
    assert 'title = "My flow2"\nclass = "MyFlow2"' in made["method.toml"]
    assert made["params.schema.yaml"].splitlines()[1] == "title: Settings of My flow2"
    assert made["README.md"].startswith("# My flow2\n") and "CHANGE" in made["README.md"]
    assert made["CITATION.bib"].startswith("@article{my_flow2,\n  title   = {My flow2},")
    assert not any(re.search("GaussianPixels|Gaussian pixels|gaussian", t) for t in made.values())
    assert [path.name for path in folder.glob(".*")] == []
    assert "make test-contract METHODS=my_flow2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Flow"], "'Flow' cannot be a method's name: use lower-case letters, .* as in 'my_flow'"),
        (["1st"], "cannot be a method's name"),
        (["my-flow"], "cannot be a method's name"),
        (["../flow"], "cannot be a method's name"),
        (["class"], "'class' is a keyword of Python"),
        (["grid"], "'grid' is a key of the configuration"),
        (["seeds"], "'seeds' is a key of the configuration"),
        (["dcgmm"], "'dcgmm' is a key of the configuration"),
        (["gaussian"], "baselines/gaussian exists already"),
        (["checks"], "baselines/checks exists already"),
        (["flow", "--title", 'A "flow"'], "may only have letters, digits, blanks"),
    ],
)
def test_a_name_that_cannot_be_is_refused(folder, words, message):
    before = sorted(folder.rglob("*"))
    with pytest.raises(SystemExit, match=message):
        new_baseline.main(words)
    assert sorted(folder.rglob("*")) == before
