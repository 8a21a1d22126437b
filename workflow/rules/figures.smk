rule figure10:
    # ROC-like curves of outlier detection.
    input:
        fits=[f"{fit}/{name}" for fit in curve_fits() for name in ("fit.json", "scores.npz")],
        schema="workflow/schemas/record.schema.yaml",
        step=step_files("figure10"),
    output:
        report(
            f"{RUN}/figures/figure10.svg",
            caption="../report/figure10.rst",
            category="Figures",
            labels={"figure": "10", "shows": "outlier curves"},
        ),
        f"{RUN}/figures/figure10.png",
        f"{RUN}/figures/figure10.csv",
    log:
        f"{LOG}/figure10.log",
    params:
        fits=curve_fits(),
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Fig. 10: {params.folder}/figure10.png"
    shell:
        "workflow/steps/in_env.sh workflow python -m workflow.steps.figure10"
        " --fits {params.fits} --out {params.folder} > {log} 2>&1"
