"""Whether a run bears out the paper's claims (workflow/claims/claims.yaml).

Writes `claims.csv` (a row for every claim), `claims_cases.csv` (for every case, as of one dataset)
and, for readers, `claims.md`, which first answers how DCGMM-E stands to the sum-product networks.
"""

from pathlib import Path

from workflow.claims import claim_cases, claim_evidence, claim_run, claims_file, claims_page
from workflow.claims.headline import Headline
from workflow.common import frames, tables
from workflow.common.command_line import argument_parser, plain_errors


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--run", required=True, type=Path, help="folder of the run's results")
    parser.add_argument("--schedule", required=True, help="name of the changes to the recipes")
    parser.add_argument("--samples-schedule", required=True, help="of those for Table III")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--inpainting", required=True, type=Path, help="its times over depth, CSV")
    parser.add_argument("--claims", default=claims_file.FILE, type=Path, help="YAML")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        content = claims_file.load(options.claims)
        run = claim_run.Run(
            folder=options.run,
            schedule=options.schedule,
            samples_schedule=options.samples_schedule,
            scale=content["scale"],
            paper=frames.read_paper(options.paper),
            inpainting_times=options.inpainting,
        )
        evidence = {name: source(run) for name, source in claim_evidence.SOURCES.items()}
        cases = claim_cases.evaluate(content, evidence)
        summary = claim_cases.summary(cases)
        tables.write_csv(options.out / "claims.csv", summary)
        tables.write_csv(options.out / "claims_cases.csv", cases)
        headline = Headline.of(content)
        answers = headline.answers(*claim_run.verdict_tables(options.out))
        chosen, grid = (run.table(f"tables/{name}.csv") for name in ("table2", "table2_grid"))
        sections = claims_page.sections(
            headline, answers, cases, summary, chosen, grid, options.run.name
        )
        tables.write_markdown(options.out / "claims.md", sections)


if __name__ == "__main__":
    main()
