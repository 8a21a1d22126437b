"""`snakemake estimate` knows what has run, and what it took."""

import re
from pathlib import Path

from tests.workflow.conftest import OVERLAY
from workflow.cost.jobs import RULES

POINT = """
limits: {memory_gb: 20}
baselines: {ratspn: {grid: {components: [3], depth: [2], repetitions: [2]}}}
"""


def estimated(project, *overlays):
    """What it says."""
    result = project.snakemake("estimate", overlay=[OVERLAY, *overlays])
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_fresh_clone(project):
    """Methods of torch time what was never measured, those of scikit-learn need not."""
    (project.folder / "point.yaml").write_text(POINT)
    text = estimated(project, "point.yaml")
    left = re.search(r"run tiny: (\d+) of (\d+) trainings, draws and judgements are still", text)
    made = project.files(overlay=[OVERLAY, "point.yaml"])
    files = [Path(file).name for file in made if not file.endswith("complete.txt")]
    jobs = sum(name in RULES for name in files) + sum("epochs" in file for file in made)
    assert left and left[1] == left[2] == str(jobs), text
    assert re.search(r"^dcgmm +fit +4 ", text, re.MULTILINE)
    assert re.search(r"^ +2 +\d+ (min|s)", text, re.MULTILINE)
    assert "run tiny" in (project.folder / "results/tiny/log/estimate.log").read_text()
    lines = dict(re.findall(r"^(\w+) +fit +.* (\w+)$", text, re.MULTILINE))
    assert lines["pdspn"] == lines["ratspn"] == "timed", text


def test_finished_run_has_nothing_left_and_is_a_measure_of_more(finished):
    assert "run tiny: 0 of" in estimated(finished)
    more = finished.folder / "more.yaml"
    more.write_text("seeds: [0, 1]")
    text = estimated(finished, "more.yaml")
    more.unlink()
    gaussian = re.search(r"^gaussian +fit .*$", text, re.MULTILINE)
    assert gaussian and gaussian[0].endswith("measured"), text
