# Whether the run bears out the paper's claims (workflow/claims/claims.yaml).


def claim_evidence():
    """Tables and figures of this run that claims are judged by."""
    figures = [f"figure{n}" for n in (5, 9) if SHARPENED_BY[f"figure{n}"]]
    figures += ["figure8"] * bool(INPAINTED_BY) + ["figure4_ends"] * bool(dynamics_runs())
    figures += ["figure7"] * bool(COLOUR["dataset"])
    if FROM_ARCHIVE:
        figures = [figure for figure in figures if figure in contents.figures(Path(PUBLISHED))]
    groups = [group for group in GROUPS if GROUPS[group] and group != "held_out"]
    return [
        f"{RUN}/tables/table5.csv",
        *expand(f"{RUN}/records/{{group}}.csv", group=groups),
        *expand(f"{RUN}/figures/{{figure}}.csv", figure=figures),
        *(rules.table2.output if COMPARED["table2"] else []),
        *(f"{folder}/judgements.json" for folder in judges()),
    ]


rule claims:
    # A verdict on every claim of the paper.
    input:
        evidence=claim_evidence(),
        claims=["workflow/claims/claims.yaml", "workflow/schemas/claims.schema.yaml"],
        inpainting="results/reference/inpainting.csv",
        paper=PAPER,
        step=step_files("claims.judge_claims"),
    output:
        report(
            f"{RUN}/tables/claims.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "claims", "shows": "every claim"},
        ),
        report(
            f"{RUN}/tables/claims_cases.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "claims", "shows": "every case"},
        ),
        f"{RUN}/tables/claims.md",
        f"{RUN}/tables/claims.sections.json",
    log:
        f"{LOG}/claims.log",
    params:
        run=lambda wildcards, output: Path(output[0]).parents[1],
        schedule=verbatim(config["dcgmm"]["schedule"]),
        samples=verbatim(config["samples"]["schedule"]),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "claims: {params.folder}/claims.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.claims.judge_claims --run {params.run:q}"
        " --schedule={params.schedule:q} --samples-schedule={params.samples:q}"
        " --paper {input.paper:q} --inpainting {input.inpainting:q} --out {params.folder:q}"
        " > {log:q} 2>&1"
