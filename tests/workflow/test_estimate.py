"""`snakemake estimate` knows what has run, and what it took."""

import re
from pathlib import Path

from tests.workflow.conftest import OVERLAY
from workflow.cost.jobs import RULES


def asked(project):
    result = project.snakemake("estimate")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_fresh_clone(project):
    text = asked(project)
    left = re.search(r"run tiny: (\d+) of (\d+) trainings, draws and judgements are still", text)
    files = [Path(file).name for file in project.files() if not file.endswith("complete.txt")]
    jobs = sum(name in RULES for name in files) + sum("epochs" in file for file in project.files())
    assert left and left[1] == left[2] == str(jobs), text
    assert re.search(r"^dcgmm +fit +4 ", text, re.MULTILINE)
    assert re.search(r"^ +2 +\d+ (min|s)", text, re.MULTILINE)
    assert "run tiny" in (project.folder / "results/tiny/log/estimate.log").read_text()


def test_finished_run_has_nothing_left_and_is_a_measure_of_more(finished):
    assert "run tiny: 0 of" in asked(finished)
    more = finished.folder / "more.yaml"
    more.write_text("seeds: [0, 1]")
    result = finished.snakemake("estimate", overlay=[OVERLAY, "more.yaml"])
    more.unlink()
    gaussian = re.search(r"^gaussian +fit .*$", result.stdout + result.stderr, re.MULTILINE)
    assert gaussian and gaussian[0].endswith("measured"), result.stdout


def test_methods_time_what_was_never_measured(project):
    """The methods of torch do, those of scikit-learn need not."""
    point = project.folder / "point.yaml"
    point.write_text(
        "limits: {memory_gb: 20}\n"
        "baselines: {ratspn: {grid: {components: [3], depth: [2], repetitions: [2]}}}"
    )
    result = project.snakemake("estimate", overlay=[OVERLAY, "point.yaml"])
    lines = dict(re.findall(r"^(\w+) +fit +.* (\w+)$", result.stdout, re.MULTILINE))
    assert lines["pdspn"] == lines["ratspn"] == "timed", result.stdout + result.stderr
