# Comparison with the paper and with published results; statistics over seeds.

# Table -> its file, for the tables that this run makes.
COMPARED = {
    "table1": rules.table1.output[0] if GROUPS["table1"] else [],
    "table2": rules.table2.output[0] if METHODS[1:] and GROUPS["table2"] else [],
    "table2_grid": rules.table2.output[1] if METHODS[1:] and GROUPS["table2"] else [],
    "table3": rules.table3.output[0] if judges() else [],
    "table4": rules.table4.output[0] if CLASSIFIERS else [],
    "table5": rules.table5.output[0],
}


rule comparison:
    # Compare the paper's Tables I to V with ours, cell by cell.
    input:
        tables=[file for file in COMPARED.values() if file],
        records=f"{RUN}/records/table2.csv" if GROUPS["table2"] else [],
        paper=PAPER,
        step=step_files("comparison.compare_with_paper"),
    output:
        report(
            f"{RUN}/tables/comparison.csv",
            caption="../report/comparison.rst",
            category="Comparison",
            labels={"table": "I to V", "shows": "every number beside the paper's"},
        ),
        f"{RUN}/tables/comparison.md",
        f"{RUN}/tables/comparison.sections.json",
    log:
        f"{LOG}/comparison.log",
    params:
        run=config["run"],
        source=config["source"],
        records=["--records", f"{RUN}/records/table2.csv"] if GROUPS["table2"] else [],
        schedule=verbatim(config["dcgmm"]["schedule"]),
        samples=verbatim(config["samples"]["schedule"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "comparison: {params.folder}/comparison.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.comparison.compare_with_paper"
        " --tables {input.tables:q} {params.records:q} --paper {input.paper:q}"
        " --run {params.run:q} --source {params.source:q} --schedule={params.schedule:q}"
        " --samples-schedule={params.samples:q} --out {params.folder:q} > {log:q} 2>&1"


rule comparison_figure:
    # Draw the same comparison as a figure.
    input:
        comparison=rules.comparison.output[0],
        step=step_files("comparison.comparison_figure"),
    output:
        report(
            f"{RUN}/figures/comparison.svg",
            caption="../report/comparison.rst",
            category="Comparison",
            labels={"figure": "comparison", "shows": "the paper's numbers and ours"},
        ),
        f"{RUN}/figures/comparison.png",
    log:
        f"{LOG}/comparison_figure.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "comparison: {output}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.comparison.comparison_figure"
        " --comparison {input.comparison:q} --out {params.folder:q} > {log:q} 2>&1"


rule statistics:
    # Intervals, differences, ranks over datasets and tasks, and the limits of so few seeds.
    input:
        records=[f"{RUN}/records/{group}.csv" for group in ("all", "table4") if GROUPS[group]],
        chosen=COMPARED["table2"],
        judgements=[f"{folder}/judgements.json" for folder in judges()],
        step=step_files("comparison.statistics_tables"),
    output:
        report(
            f"{RUN}/tables/statistics.csv",
            caption="../report/statistics.rst",
            category="Comparison",
            labels={"table": "all", "shows": "intervals and differences"},
        ),
        report(
            f"{RUN}/tables/statistics_limits.csv",
            caption="../report/statistics_limits.rst",
            category="Comparison",
            labels={"table": "all", "shows": "what n values can show"},
        ),
        report(
            f"{RUN}/figures/critical_difference.svg",
            caption="../report/critical_difference.rst",
            category="Comparison",
            labels={"figure": "critical difference", "shows": "ranks over datasets and tasks"},
        ),
        f"{RUN}/tables/statistics.md",
        f"{RUN}/tables/statistics.sections.json",
        f"{RUN}/figures/critical_difference.png",
        f"{RUN}/figures/critical_difference.csv",
    log:
        f"{LOG}/statistics.log",
    params:
        run=config["run"],
        chosen=["--chosen", COMPARED["table2"]] if COMPARED["table2"] else [],
        judgements=["--judgements"] if judges() else [],
        classes=CLASSES,
        folder=lambda wildcards, output: Path(output[0]).parent,
        figures=lambda wildcards, output: Path(output[-1]).parent,
    message:
        "statistics: {params.folder}/statistics.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.comparison.statistics_tables"
        " --records {input.records:q} {params.chosen:q} {params.judgements:q} {input.judgements:q}"
        " --classes {params.classes:q} --run {params.run:q} --out {params.folder:q}"
        " --figures {params.figures:q} > {log:q} 2>&1"


rule compare:
    # Compare this run with the published results; made only as an explicit target.
    input:
        records=[f"{RUN}/records/{group}.csv" for group in ("all", "table4") if GROUPS[group]],
        published=f"{PUBLISHED}/all_runs.csv",
        step=step_files("comparison.compare_with_published"),
    output:
        f"{RUN}/tables/reproduction.csv",
        f"{RUN}/tables/reproduction.md",
        f"{RUN}/tables/reproduction.sections.json",
    log:
        f"{LOG}/compare.log",
    params:
        run=config["run"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "compare: {params.folder}/reproduction.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.comparison.compare_with_published"
        " --records {input.records:q} --published {input.published:q} --run {params.run:q}"
        " --out {params.folder:q} > {log:q} 2>&1"
