# Pages for readers: the report, the explorer and the front page.
import os
from snakemake.io import is_flagged


rule report:
    # Everything in one HTML file; `workflow/report/` has the captions.
    input:
        rules.results.input,
        captions=sorted(map(str, Path("workflow/report").glob("*.rst"))),
        step=step_files("pages.report"),
    output:
        f"{RUN}/report.html",
    log:
        f"{LOG}/report.log",
    params:
        config=verbatim(json.dumps(config)),
    message:
        "report: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pages.report"
        " --config {params.config:q} --out {output:q} > {log:q} 2>&1"


rule explorer:
    # Every detector in every task by every measure, to choose from and to compare, in one file.
    input:
        bank=BANK,
        tasks="workflow/data/tasks.yaml",
        templates=sorted(
            str(path)
            for folder in ("explorer", "front_page")
            for path in Path("workflow/report", folder).iterdir()
        ),
        step=step_files("pages.explorer"),
    output:
        f"{RUN}/explorer.html",
    log:
        f"{LOG}/explorer.log",
    params:
        tasks=json.dumps(config["tasks"], sort_keys=True),
        run=config["run"],
    message:
        "explorer: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pages.explorer"
        " --bank {input.bank:q} --tasks {params.tasks:q} --run {params.run:q}"
        " --out {output:q} > {log:q} 2>&1"


# The page to open first. Included after `rule results`, since it shows every result of that.
def figures_shown():
    """Every figure that is made, as its rule tells Snakemake's report: file, caption, labels."""
    reported = [
        file for rule in workflow.rules for file in rule.output if is_flagged(file, "report")
    ]
    shown = {}
    for target in rules.results.input:
        for suffix in (".svg", ".png"):
            path = str(Path(target).with_suffix(suffix))
            for file in reported:
                if path.startswith(f"{RUN}/figures/") and (match := file.match(path)):
                    about = file.flags["report"]
                    labels = {k: v.format(**match.groupdict()) for k, v in about.labels.items()}
                    caption = about.caption.get_path_or_uri(secret_free=True)
                    shown[path] = {
                        "file": path.removeprefix(f"{RUN}/"),
                        "caption": os.path.relpath(caption, workflow.basedir),
                        "labels": labels,
                    }
    return list(shown.values())


def asked():
    """The fits that records are expected of, of published records all that are planned."""
    models = table_fits.groups(config)
    return [
        {
            "task": table_fits.task(group),
            "points": models[group],
            "datasets": config["datasets"],
            "classes": table_fits.classes(group, config),
            "seeds": table_fits.seeds(group, config),
        }
        for group in table_fits.WHOLE
    ]


def published_answers():
    """The page of the published results, and the tables that its answer is read from."""
    names = ["index.html", "tables/claims.csv", "tables/claims_cases.csv"]
    return [str(file) for name in names if (file := Path(PUBLISHED, name)).is_file()]


rule front_page:
    # Conditions, verdicts, quality, tables and figures of the run, in one file.
    input:
        rules.results.input,
        rules.explorer.output if Path(BANK).is_dir() or not FROM_ARCHIVE else [],
        published=f"{PUBLISHED}/records.jsonl" if FROM_ARCHIVE else published_answers(),
        captions=sorted(map(str, Path("workflow/report").glob("*.rst"))),
        templates=sorted(map(str, Path("workflow/report/front_page").iterdir())),
        claims=["workflow/claims/claims.yaml", "workflow/schemas/claims.schema.yaml"],
        step=step_files("pages.front_page"),
    output:
        f"{RUN}/index.html",
    log:
        f"{LOG}/front_page.log",
    params:
        config=verbatim(json.dumps(config)),
        asked=json.dumps(asked()),
        figures=json.dumps(figures_shown()),
        folder=lambda wildcards, output: Path(output[0]).parent,
        published=PUBLISHED,
    message:
        "front page: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pages.front_page"
        " --config {params.config:q} --asked {params.asked:q} --figures {params.figures:q}"
        " --folder {params.folder:q} --published {params.published:q} --out {output:q} > {log:q} 2>&1"
