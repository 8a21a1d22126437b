"""Make the tables of what is published so far, from its records and nothing else.

The steps that make a run's tables make these too: a run is laid out in a temporary folder, its
tables are made there and put below the published results. A table whose evidence is not there yet
is left out.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from workflow.evaluation import archive, files, plan, tidy
from workflow.evaluation.reference import Reference, load
from workflow.steps import (
    claims,
    comparison,
    efficiency,
    statistics,
    table1,
    table2,
    table3,
    table4,
    table5,
)
from workflow.steps.cli import plain_errors

PAPER = Path("results/reference/paper.csv")
INPAINTING = Path("results/reference/inpainting.csv")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.steps.publish", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder; default: that of the published records")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        reference = load()
        with tempfile.TemporaryDirectory() as temporary:
            run = Path(temporary) / reference.config["run"]
            lay_out(reference, run)
            make_tables(reference, run)
            keep(run / "tables", (options.out or reference.folder) / "tables")


def lay_out(reference: Reference, run: Path) -> None:
    """A folder that looks like the run's: its records by group, its judges and figures."""
    published = archive.read(reference.folder)
    for group in plan.groups(reference.config):
        asked = {(plan.task(group), fit) for fit in plan.fits(group, reference.config)}
        rows = [record for key, record in published.items() if key in asked]
        if rows:
            files.write_text(run / f"records/{group}.csv", tidy.table(rows).to_csv(index=False))
    for kind in ("judges", "figures"):
        if (reference.folder / kind).is_dir():
            (run / kind).symlink_to((reference.folder / kind).resolve())


def make_tables(reference: Reference, run: Path) -> None:
    """Call the steps whose evidence is there, in the order in which they need each other."""
    config = reference.config
    records, made = run / "records", run / "tables"
    schedule = config["dcgmm"]["schedule"]
    samples_schedule = config["samples"]["schedule"] or schedule
    judgements = sorted(run.glob("judges/*/*/judgements.json"))
    judges = [path.with_name("judge.json") for path in judgements]
    about = ("--paper", PAPER, "--run", config["run"], "--out", made)
    table2_plan = json.dumps(plan.table2(config))

    if (own := records / "table1.csv").is_file():
        _call(table1.main, "--records", own, "--schedule", schedule, *about)
    if (own := records / "table2.csv").is_file():
        _call(table2.main, "--records", own, "--plan", table2_plan, *about)
    if judgements:
        _call(table3.main, "--judgements", *judgements, "--judges", *judges, *about)
    if (own := records / "table4.csv").is_file():
        _call(table4.main, "--records", own, *about)
    _call(table5.main, "--out", made)

    compared = [made / f"{name}.csv" for name in ("table1", "table2", "table2_grid", "table3",
                                                  "table4", "table5")]  # fmt: skip
    _call(
        comparison.main, "--tables", *filter(Path.is_file, compared), "--source", config["source"],
        "--schedule", schedule, "--samples-schedule", samples_schedule, *about,
    )  # fmt: skip
    whole = [path for name in ("all", "table4") if (path := records / f"{name}.csv").is_file()]
    run_name = ("--run", config["run"], "--out", made)
    _call(efficiency.main, "--records", *whole, "--samples", *run_name)
    chosen = made / "table2.csv"
    _call(
        statistics.main, "--records", *whole, *(["--chosen", chosen] if chosen.is_file() else []),
        *(["--judgements", *judgements] if judgements else []),
        "--classes", f"not{config['outlier_class']}", "--figures", made, *run_name,
    )  # fmt: skip
    _call(
        claims.main, "--run", run, "--schedule", schedule, "--samples-schedule", samples_schedule,
        "--paper", PAPER, "--inpainting", INPAINTING, "--out", made,
    )  # fmt: skip


def _call(step: Callable[[list[str]], None], *arguments: str | Path) -> None:
    step([str(argument) for argument in arguments])


def keep(made: Path, out: Path) -> None:
    """Copy tables to where they are published."""
    for path in sorted(made.iterdir()):
        with files.replacing(out / path.name) as copy:
            copy.write(path.read_bytes())


if __name__ == "__main__":
    main()
