def discrete_fits():
    """Folders of the fits whose scores are log-probabilities of bytes; none by default."""
    return [
        f"{RUN}/fit/{fit.folder}"
        for fit in table_fits.fits("all", config)
        if catalogue.method(fit.method).is_discrete(POINTS[fit.method][fit.grid_point]["settings"])
    ]


rule bits_per_dimension:
    # Bits per dimension of the methods that give bytes a probability.
    input:
        fits=expand("{fit}/{file}", fit=discrete_fits(), file=["fit.json", "scores.npz"]),
        data=expand(DATA, dataset=config["datasets"], source=config["source"]),
        methods=[f"baselines/{method}/method.toml" for method in METHODS[1:]],
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("density.bits_per_dimension"),
    output:
        report(
            f"{RUN}/tables/bits_per_dimension.csv",
            caption="../report/bits_per_dimension.rst",
            category="Tables",
            labels={"table": "bits per dimension", "shows": "test images"},
        ),
        f"{RUN}/tables/bits_per_dimension.md",
        f"{RUN}/tables/bits_per_dimension.sections.json",
        f"{RUN}/tables/bits_per_dimension.tex",
    log:
        f"{LOG}/bits_per_dimension.log",
    params:
        run=config["run"],
        fits=discrete_fits(),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "bits per dimension: {params.folder}/bits_per_dimension.md"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.density.bits_per_dimension"
        " --fits {params.fits:q} --data {input.data:q} --run {params.run:q}"
        " --out {params.folder:q} > {log:q} 2>&1"
