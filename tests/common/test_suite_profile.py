"""The profile of a run is read from Snakemake's records of jobs as it writes them."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import suite

# Rule, log, start, end, inputs, outputs: `b` needs both fits, of which the second is longer.
JOBS = [
    ("data", "data/mnist.log", 0, 2, [], ["results/data/mnist.npz"]),
    ("fit", "fit/a/x.log", 2, 5, ["results/data/mnist.npz", "envs/a.lock"], ["r/a.json", "r/a"]),
    ("fit", "fit/b/x.log", 2, 9, ["results/data/mnist.npz"], ["r/b.json"]),
    ("table", "table.log", 9, 10, ["r/a.json", "r/b.json"], ["r/" + 300 * "long"]),
    ("judge", "judges/mnist.log", 5, 12, ["results/data/mnist.npz"], ["r/judge.json"]),
]


@pytest.fixture
def run(tmp_path):
    """The folder of a run, and a record of another one."""
    folder = tmp_path / ".snakemake/metadata"
    for rule, log, start, end, inputs, outputs in [*JOBS, ("data", "", 0, 99, [], ["results/o"])]:
        for place, output in enumerate(outputs):
            name = base64.urlsafe_b64encode(output.encode()).decode()
            parts = [name[i : i + 254] for i in range(0, len(name), 254)]
            path = folder.joinpath(*[f"@{part}" for part in parts[:-1]], parts[-1])
            path.parent.mkdir(parents=True, exist_ok=True)
            record = {
                "rule": rule,
                "log": [f"results/demo/log/{log}"] if log else ["results/other/log/x.log"],
                "input": inputs,
                "starttime": start,
                "endtime": end - place,
            }
            path.write_text(json.dumps(record))
    run = tmp_path / "results/demo"
    for seed, cpu in enumerate((1.5, 2.25)):
        fit = run / f"fit/dcgmm/E-paper/mnist/not0/seed{seed}"
        fit.mkdir(parents=True)
        (fit / "fit.json").write_text(json.dumps({"seconds": {"cpu": cpu}}))
    return run


def test_jobs_are_summed_by_rule_and_method(run):
    jobs = suite.by_kind(suite.read(run))
    seconds = {kind: [job.seconds for job in of_kind] for kind, of_kind in jobs}
    assert seconds == {"fit b": [7], "judge": [7], "fit a": [3], "data": [2], "table": [1]}


def test_the_longest_chain_is_found_by_what_jobs_need(run):
    chain = suite.critical_path(suite.read(run))
    assert [(job.rule, job.seconds) for job in chain] == [("data", 2), ("fit", 7), ("table", 1)]


def test_it_prints_a_table_and_refuses_what_did_not_run(run):
    command = [sys.executable, "-m", "benchmarks.suite"]
    root = Path(suite.__file__).parents[1]
    done = subprocess.run([*command, str(run)], cwd=root, capture_output=True, text=True)
    assert done.stdout.startswith("5 jobs in 12 s; 20 s of jobs, 1.67 at a time\n")
    assert "Processor time of all fits: 4 s" in done.stdout
    assert "| fit b | 1 | 7.0 | 7.00 | 7.0 |" in done.stdout
    assert "Longest chain: 10 s" in done.stdout
    missing = subprocess.run(
        [*command, str(run.parent / "none")], cwd=root, capture_output=True, text=True
    )
    assert missing.returncode == 1
    assert "tells of no job of" in missing.stderr
