"""Make the published tables and their front page, from the published records alone.

The rules of a run make these too (`config/published.yaml`), below `results/published/`;
new and changed files are then copied to the published results. A table is left out until records
for it are published.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from workflow.common import files, yaml_files
from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import conditions
from workflow.publish import archive
from workflow.publish.make_reference import LAUNCH
from workflow.publish.reference import Reference, load, missing

PAGE = """\
Made by `make reference` and `make publish` from [`plan.yaml`](../plan.yaml): every fit is one of
`{config}`, seeds {seeds}. `records.jsonl` has the {records} records that there are so far (without
the histories of training), `all_runs.csv` the same as a tidy table; models are not kept. Together
they took {hours} hours of one processor core. Everything below `tables/` and `figures/` is made
from them; `index.html` shows all of it on one page. What the plan asks for and nobody has run yet
is missing in the tables too; nothing was left out for its result."""
OVERLAY = Path("config/published.yaml")
MADE = Path("results") / yaml_files.read(OVERLAY)["run"]
# Files to publish, below the run's folder.
PUBLISHED = ("index.html", "explorer.html",
             "tables/*.csv", "tables/.*.sha256", "tables/*.md", "tables/*.tex",
             "figures/comparison.*", "figures/multiverse*", "figures/.multiverse*",
             "figures/critical_difference.*", "figures/.critical_difference.*")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.parse_args(arguments)
    with plain_errors(parser.prog):
        reference = load()
        overlays = [reference.config_file, str(OVERLAY)]
        command = [*LAUNCH, "front_page", "--quiet", "--configfile", *overlays]
        if subprocess.run(command).returncode:
            sys.exit(
                f"{parser.prog}: Snakemake could not make the tables and their page, see above"
            )
        keep(MADE, reference.folder)
        files.update_text(reference.folder / "README.md", results_page(reference))


def results_page(reference: Reference) -> str:
    """Page on how the published results were made, and what is missing from the plan."""
    published = archive.read(reference.folder)
    records = list(published.values())

    # What each stage lacks, and the fits without a result.
    lines = []
    for stage in reference.stages:
        counts = [
            len(missing(reference, stage, seed, published)) for seed in reference.config["seeds"]
        ]
        lines.append(
            {
                "stage": stage.name,
                "missing": str(sum(counts)),
                "missing by seed": " ".join(map(str, counts)),
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
            records=len(records),
            config=reference.config_file,
            hours=_hours(records),
            seeds=", ".join(map(str, reference.config["seeds"])),
        ),
        pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True),
        "## Conditions",
        *(
            f"{title}:\n\n" + "\n".join(f"- {text}" for text in texts)
            for title, texts in (
                ("Machines", conditions.hosts(records)),
                ("Commits of the suite", conditions.commits(records)),
                ("Versions", conditions.versions(records)),
                ("Fits without a result", failed or ["none"]),
                *([("Remarks", reference.remarks)] if reference.remarks else []),
            )
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _hours(records: Iterable[archive.Record]) -> str:
    """Processor hours of the records, with one decimal."""
    return f"{sum(record['seconds']['cpu'] for record in records) / 3600:.1f}"


def keep(made: Path, out: Path) -> None:
    """Copy the files to publish that are new or changed."""
    for pattern in PUBLISHED:
        for path in sorted(made.glob(pattern)):
            files.update_bytes(out / path.relative_to(made), path.read_bytes())


if __name__ == "__main__":
    main()
