"""The real workflow, small: it makes all, then nothing, then exactly what an edit touches."""

import contextlib
import re

import pandas as pd
import pytest

OUTPUTS = (
    "records.csv",
    "tables/table1.csv",
    "tables/table1_layers.csv",
    "tables/table1.md",
    "tables/table1.tex",
    "tables/table5.md",
    "tables/table6.md",
    "figures/figure10.svg",
    "figures/figure10.png",
    "figures/figure10.csv",
)
AFTER_FIT = {"outliers": 3, "records": 1, "table1": 1, "figure10": 1, "all": 1}


def test_fresh_clone_has_jobs(project):
    jobs = project.plan()
    assert jobs == {"data": 1, "fit": 3, "table5": 1, "table6": 1} | AFTER_FIT


def test_full_scale_is_planned_whole(project):
    assert project.plan(overlay="config/cpu.yaml")["fit"] == 7 * 2 * 2 * 5


def test_named_targets(project):
    targets = ("table1", "table5", "table6", "figure10", "report")
    jobs = project.plan(*targets)
    assert {target: jobs[target] for target in targets} == dict.fromkeys(targets, 1)


def test_everything_is_made(finished):
    run = finished.folder / "results/tiny"
    for name in OUTPUTS:
        assert (run / name).stat().st_size > 100, name
    assert not list(run.rglob("*.part"))
    table = pd.read_csv(run / "tables/table1.csv")
    assert table["instance"].tolist() == ["A", "A", "B", "B", "G", "G"]
    assert table[table["instance"] != "B"]["mean"].between(0, 100).all()
    layers = pd.read_csv(run / "tables/table1_layers.csv")
    assert sorted(layers[layers["instance"] == "G"]["layer"].unique()) == [2, 5, 8, 11]


def test_a_fit_that_diverges_is_a_row(finished):
    run = finished.folder / "results/tiny"
    records = pd.read_csv(run / "records.csv").set_index("settings.instance")
    assert records["status"].to_dict() == {"A": "ok", "B": "diverged", "G": "ok"}
    assert records.loc["B", "reason"].startswith("DivergenceError: the loss of layer ")
    page = (run / "tables/table1.md").read_text("utf-8")
    assert "0 of 1" in page
    assert "- B, paper: seed 0: diverged, DivergenceError: the loss of layer " in page


def test_second_run_has_nothing_to_do(finished):
    result = finished.snakemake()
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


def test_a_deleted_fit_is_made_again(finished):
    fit = finished.folder / "results/tiny/fit/dcgmm/A-paper/mnist/not0/seed0"
    moved = fit.rename(fit.with_name("moved"))
    try:
        plan = finished.plan()
    finally:
        moved.rename(fit)
    assert (plan["fit"], plan["outliers"]) == (1, 1)


def test_report_is_one_file_that_needs_no_network(finished):
    result = finished.snakemake("report")
    assert result.returncode == 0, result.stdout + result.stderr
    page = (finished.folder / "results/tiny/report.html").read_text("utf-8")
    assert "figure10" in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page)


@contextlib.contextmanager
def edited(path, addition):
    """The file with something at its end, and as it was again afterwards."""
    before = path.read_bytes()
    path.write_bytes(before + addition.encode())
    try:
        yield
    finally:
        path.write_bytes(before)


NOTHING = (
    "config.yaml",
    "config/cpu.yaml",
    "envs/jax.lock",
    "envs/tensorflow-gpu.lock",
    "workflow/report/table1.rst",
)


@pytest.mark.parametrize(
    ("files", "touched"),
    [
        (NOTHING, {}),
        (("workflow/evaluation/statistics.py",), {"table1": 1, "all": 1}),
        (("dcgmm/instances.toml",), {"table5": 1, "table6": 1, "all": 1}),
        (("workflow/evaluation/metrics.py",), AFTER_FIT),
        (("dcgmm/layers/gmm.py",), {"fit": 3} | AFTER_FIT),
        (("envs/tensorflow.lock",), {"fit": 3} | AFTER_FIT),
    ],
)
def test_an_edit_reruns_what_it_touches(finished, files, touched):
    with contextlib.ExitStack() as edits:
        for file in files:
            edits.enter_context(edited(finished.folder / file, "\n# edited\n"))
        assert finished.plan() == touched


@pytest.mark.parametrize(
    ("lines", "touched"),
    [
        ("seeds: [0, 1]", {"fit": 3, "outliers": 3}),
        ("dcgmm: {schedules: {tiny: {A: {epochs: 2}}}}", {"fit": 1, "outliers": 1}),
        (
            "dcgmm: {recipes: [paper, released], instances: [A, B, G, E]}",
            {"fit": 5, "outliers": 5, "figure10": 0},
        ),
    ],
)
def test_a_changed_setting_reruns_what_it_changes(finished, lines, touched):
    (finished.folder / "more.yaml").write_text(lines)
    jobs = finished.plan(overlay=["tests/workflow/tiny.yaml", "more.yaml"])
    expected = {"records": 1, "table1": 1, "figure10": 1, "all": 1} | touched
    assert jobs == {rule: number for rule, number in expected.items() if number}


def test_a_mistake_in_the_configuration_is_one_sentence(project):
    overlay = project.folder / "wrong.yaml"
    overlay.write_text("datasets: [mnits]\n")
    result = project.snakemake("-n", overlay="wrong.yaml")
    assert result.returncode == 1
    assert "wrong.yaml: datasets[0] is 'mnits'; did you mean 'mnist'?" in result.stderr
    assert "Traceback" not in result.stderr
