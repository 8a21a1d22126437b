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
