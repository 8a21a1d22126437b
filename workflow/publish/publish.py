"""Make the tables of what is published so far, from its records and nothing else.

The steps that make a run's tables make these too: a run is laid out in a temporary folder, its
tables are made there and put below the published results. A table whose evidence is not there yet
is left out.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from workflow.claims import judge_claims
from workflow.common import files, tables
from workflow.common.command_line import plain_errors
from workflow.comparison import compare_with_paper, comparison_figure, statistics
from workflow.cost import efficiency
from workflow.fit import conditions, tidy
from workflow.outliers import ablations, outlier_classes, table1, table2
from workflow.plan import table_fits
from workflow.publish import archive
from workflow.publish.reference import Reference, load, missing
from workflow.samples import table3
from workflow.training import table4, table5

PAGE = """\
Made by `make reference` and `make publish` from [`plan.yaml`](../plan.yaml): every fit is one of
`{config}`, seeds {seeds}. `records.jsonl` has the {records} records that there are so far (without
the histories of training), `all_runs.csv` the same as a tidy table; models are not kept. Together
they took {hours} hours of one processor core. Everything below `tables/` and `figures/` is made
from them. What the plan asks for and nobody has run yet is missing in the tables too; nothing was
left out for its result."""
PAPER = Path("results/reference/paper.csv")
INPAINTING = Path("results/reference/inpainting.csv")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.publish.publish", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder; default: that of the published records")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        reference = load()
        with tempfile.TemporaryDirectory() as temporary:
            run = Path(temporary) / reference.config["run"]
            lay_out(reference, run)
            make_tables(reference, run)
            out = options.out or reference.folder
            keep(run / "tables", out / "tables")
            keep(run / "figures made", out / "figures")
            files.write_text(out / "README.md", about(reference))


def lay_out(reference: Reference, run: Path) -> None:
    """A folder that looks like the run's: its records by group, its judges and figures."""
    published = archive.read(reference.folder)
    for group in table_fits.groups(reference.config):
        asked = {(table_fits.task(group), fit) for fit in table_fits.fits(group, reference.config)}
        rows = [record for key, record in published.items() if key in asked]
        if rows:
            tidy.write(run / f"records/{group}.csv", rows)
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
    table2_plan = json.dumps(table_fits.table2(config))

    if (own := records / "table1.csv").is_file():
        _call(table1.main, "--records", own, "--schedule", schedule, *about)
    own = records / "outlier_classes.csv"
    if own.is_file() and tidy.read(own)["classes"].nunique() > 1:
        _call(
            outlier_classes.main, "--records", own, "--run", config["run"],
            "--schedule", schedule, "--out", made,
        )  # fmt: skip
    if (own := records / "ablations.csv").is_file() and "settings.factor" in tidy.read(own):
        _call(
            ablations.main, "--records", own, "--schedule", schedule,
            "--recipe", config["dcgmm"]["recipes"][0], *about,
        )  # fmt: skip
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
        compare_with_paper.main, "--tables", *filter(Path.is_file, compared),
        "--source", config["source"], "--schedule", schedule,
        "--samples-schedule", samples_schedule,
        *(["--records", own] if (own := records / "table2.csv").is_file() else []), *about,
    )  # fmt: skip
    figures = run / "figures made"  # those that the run drew itself lie in figures/
    _call(comparison_figure.main, "--comparison", made / "comparison.csv", "--out", figures)
    whole = [path for name in ("all", "table4") if (path := records / f"{name}.csv").is_file()]
    run_name = ("--run", config["run"], "--out", made)
    _call(efficiency.main, "--records", *whole, "--samples", *run_name)
    chosen = made / "table2.csv"
    _call(
        statistics.main, "--records", *whole, *(["--chosen", chosen] if chosen.is_file() else []),
        *(["--judgements", *judgements] if judgements else []),
        "--classes", f"not{config['outlier_class']}", "--figures", figures, *run_name,
    )  # fmt: skip
    _call(
        judge_claims.main, "--run", run, "--schedule", schedule,
        "--samples-schedule", samples_schedule, "--paper", PAPER,
        "--inpainting", INPAINTING, "--out", made,
    )  # fmt: skip


def _call(step: Callable[[list[str]], None], *arguments: str | Path) -> None:
    step([str(argument) for argument in arguments])


def about(reference: Reference) -> str:
    """How the published results were made, and what of the plan is missing: a page."""
    published = archive.read(reference.folder)
    made = list(published.values())
    lines = []
    for stage in reference.stages:
        left = [
            len(missing(reference, stage, seed, published)) for seed in reference.config["seeds"]
        ]
        lines.append(
            {
                "stage": stage.name,
                "missing": str(sum(left)),
                "missing by seed": " ".join(map(str, left)),
            }
        )
    failed = [
        f"{archive.describe(key)}: {record['status']}, {record['reason']}"
        for key, record in published.items()
        if record["status"] != "ok"
    ]
    parts = [
        "# Published results",
        PAGE.format(
            records=len(made),
            config=reference.config_file,
            hours=_hours(made),
            seeds=", ".join(map(str, reference.config["seeds"])),
        ),
        pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True),
        "## Conditions",
        *(
            f"{title}:\n\n" + "\n".join(f"- {text}" for text in texts)
            for title, texts in (
                ("Machines", conditions.hosts(made)),
                ("Commits of the suite", conditions.commits(made)),
                ("Versions", conditions.versions(made)),
                ("Fits without a result", failed or ["none"]),
                *([("Remarks", reference.remarks)] if reference.remarks else []),
            )
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _hours(records: Iterable[archive.Record]) -> str:
    return f"{sum(record['seconds']['cpu'] for record in records) / 3600:.1f}"


def keep(made: Path, out: Path) -> None:
    """Copy tables to where they are published."""
    for path in sorted(made.iterdir()):
        if path.name.endswith(tables.SECTIONS):  # a page's, of which there is none here
            continue
        with files.replacing(out / path.name) as copy:
            copy.write(path.read_bytes())


if __name__ == "__main__":
    main()
