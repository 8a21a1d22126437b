"""`snakemake estimate` counts the jobs that a dry run counts, and knows what has run."""

import re

from tests.workflow.conftest import OVERLAY


def asked(project):
    result = project.snakemake("estimate")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_fresh_clone(project):
    text = asked(project)
    planned = project.plan()
    pending = sum(planned.values()) - planned["all"]
    assert re.search(rf"run tiny: {pending} of \d+ jobs", text), text
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
