# Samples, in-painted and sharpened images: Figs. 5 to 9 and 11 to 14, and those of the competitors.
from dcgmm import notation

COLOUR = config["colour"]
COLOUR_POINTS = grid.colour_points(config)  # by the main recipe
POINTS["dcgmm"] |= COLOUR_POINTS


def colour_fits(method, point, classes, seeds=config["seeds"][:1]):
    """Folders of fits to colour images."""
    return expand(
        FIT,
        method=method,
        point=point,
        dataset=COLOUR["dataset"],
        classes=classes,
        seed=seeds,
    )


def dcgmm_in_colour(deep):
    """Fits of the flat or the deep instances, one for each class."""
    points = [
        name
        for name, point in COLOUR_POINTS.items()
        if deep == (len(notation.gmm_indices(notation.parse(point["settings"]["layers"]))) > 1)
    ]
    classes = [f"only{number}" for number in COLOUR["classes"]]
    return colour_fits("dcgmm", points, classes, COLOUR["seeds"])


def vae_in_colour():
    """The VAE's fit to all classes; none without a VAE or colour images."""
    if "vae" not in METHODS or not COLOUR["dataset"]:
        return []
    return colour_fits("vae", grid.drawn_point("vae", config), "all")


def picture_fits(instances, dataset, classes, seeds=config["seeds"][:1]):
    """Fits of those instances that the run has, by the main recipe, of the first seed by default."""
    if dataset not in config["datasets"]:
        return []
    recipe = config["dcgmm"]["recipes"][0]
    return [
        folder
        for instance in instances
        if instance in config["dcgmm"]["instances"]
        for folder in expand(
            FIT,
            method="dcgmm",
            point=f"{instance}-{recipe}",
            dataset=dataset,
            classes=classes,
            seed=seeds,
        )
    ]


def competitor_fits(datasets, classes):
    """Fits of each baseline's grid point for drawing, of the first seed."""
    return [
        fit
        for method in METHODS[1:]
        for fit in expand(
            FIT,
            method=method,
            point=grid.drawn_point(method, config),
            dataset=datasets,
            classes=classes,
            seed=config["seeds"][0],
        )
    ]


def drawn_by_f(dataset):
    """Fits of DCGMM-F and of every baseline, if the run has the dataset."""
    if dataset not in config["datasets"]:
        return []
    return picture_fits(["F"], dataset, PICTURED) + competitor_fits([dataset], PICTURED)


PICTURED = config["pictures"]["classes"]
# Figure -> the fits that it shows.
DRAWN_BY = {
    figure: picture_fits(["A", "B", "E", "F"], dataset, PICTURED)
    for figure, dataset in (("figure12", "mnist"), ("figure13", "fashion_mnist"))
} | {
    figure: drawn_by_f(dataset)
    for figure, dataset in (("figure6", "mnist"), ("figure11", "fashion_mnist"))
}
SHARPENED_BY = {
    figure: picture_fits(["C", "D"], dataset, PICTURED, config["pictures"]["seeds"])
    for figure, dataset in (("figure5", "mnist"), ("figure9", "fashion_mnist"))
}
SAMPLED_TWICE = DRAWN_BY["figure13"] or DRAWN_BY["figure12"]
INPAINTED_BY = picture_fits(
    ["A", "F"], "mnist", config["pictures"]["inpainted"], config["pictures"]["seeds"]
)
ALPHABETS = [
    folder for dataset in config["datasets"] for folder in picture_fits(["B"], dataset, PICTURED)
]


def generation_figures():
    """Outputs of all figures of this file that have a fit to show."""
    measured = [name for name, fits in SHARPENED_BY.items() if fits]
    measured += ["figure8"] * bool(INPAINTED_BY)
    drawn = [name for name, fits in DRAWN_BY.items() if fits] + measured
    drawn += ["figure14"] * bool(ALPHABETS) + ["semantics"] * bool(SAMPLED_TWICE)
    return [
        *expand(f"{RUN}/figures/{{figure}}.{{kind}}", figure=drawn, kind=["png", "svg"]),
        *expand(f"{RUN}/figures/{{figure}}.csv", figure=measured),
    ]


# Kind of drawing -> the fits that draw it.
DRAWN = {
    "samples": {
        *competitor_fits(config["datasets"], CLASSES),
        *vae_in_colour(),
        *dcgmm_in_colour(deep=False),
        *(fit for fits in DRAWN_BY.values() for fit in fits),
    },
    "sharpening": {
        *dcgmm_in_colour(deep=True),
        *(fit for fits in SHARPENED_BY.values() for fit in fits),
    },
    "inpainting": {*INPAINTED_BY},
}


rule draws:
    # All drawings that the figures need of one fit.
    input:
        fit=f"{FIT}/fit.json",
        model=f"{FIT}/model",
        data=lambda wildcards: DATA.format(dataset=wildcards.dataset, source=config["source"]),
        lock=lambda wildcards: f"envs/{ENVIRONMENTS[wildcards.method]}.lock",
        method=lambda wildcards: method_files(wildcards.method),
        description=lambda wildcards: description_file(wildcards.method),
        step=sources.of_module("workflow.pictures.draw_images"),
    output:
        f"{FIT}/draws.npz",
    log:
        f"{LOG}/draws/{KEY}.log",
    benchmark:
        f"{LOG}/draws/{KEY}.jsonl"
    threads: config["threads"]
    params:
        environment=lambda wildcards: LAUNCH[wildcards.method],
        kinds=lambda wildcards: (
            [kind for kind in DRAWN if FIT.format(**wildcards) in DRAWN[kind]] or ["samples"]
        ),
    message:
        "draws: {wildcards.method} {wildcards.point} on {wildcards.dataset} {wildcards.classes}, seed {wildcards.seed}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.pictures.draw_images"
        " --fit {input.fit:q} --model {input.model:q} --data {input.data:q}"
        " --kinds {params.kinds:q} --out {output:q} > {log:q} 2>&1"


if COLOUR["dataset"]:

    rule figure7:
        # Colour images, and samples of the VAE and of DCGMM trained on them.
        input:
            data=DATA.format(dataset=COLOUR["dataset"], source=config["source"]),
            means=[f"{fit}/draws.npz" for fit in vae_in_colour()],
            draws=[f"{fit}/draws.npz" for fit in dcgmm_in_colour(deep=False)],
            sharpened=[f"{fit}/draws.npz" for fit in dcgmm_in_colour(deep=True)],
            step=step_files("pictures.figure7"),
        output:
            report(
                f"{RUN}/figures/figure7.svg",
                caption="../report/figure7.rst",
                category="Figures",
                labels={"figure": "7", "shows": "samples in colour"},
            ),
            f"{RUN}/figures/figure7.png",
            f"{RUN}/figures/figure7.csv",
        log:
            f"{LOG}/figure7.log",
        params:
            folder=lambda wildcards, output: Path(output[0]).parent,
        message:
            "Fig. 7: {output[1]}"
        shell:
            "workflow/run/in_env.sh workflow python -m workflow.pictures.figure7"
            " --data {input.data:q} --means {input.means:q} --draws {input.draws:q}"
            " --sharpened {input.sharpened:q} --name figure7 --out {params.folder:q}"
            " > {log:q} 2>&1"


rule samples:
    # Samples of F and its competitors (Figs. 6 and 11), and of several instances (Figs. 12 and 13).
    input:
        draws=lambda wildcards: [f"{fit}/draws.npz" for fit in DRAWN_BY[wildcards.figure]],
        step=step_files("pictures.figure6"),
    output:
        report(
            f"{RUN}/figures/{{figure}}.svg",
            caption="../report/samples.rst",
            category="Figures",
            labels={"figure": "{figure}", "shows": "samples"},
        ),
        f"{RUN}/figures/{{figure}}.png",
    log:
        f"{LOG}/{{figure}}.log",
    wildcard_constraints:
        figure="figure6|figure11|figure12|figure13",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "{wildcards.figure}: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.figure6"
        " --draws {input.draws:q} --name {wildcards.figure:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule semantics:
    # Samples by the release's rules and by clean ones, side by side.
    input:
        draws=[f"{fit}/draws.npz" for fit in SAMPLED_TWICE],
        step=step_files("pictures.semantics"),
    output:
        report(
            f"{RUN}/figures/semantics.svg",
            caption="../report/semantics.rst",
            category="Figures",
            labels={"figure": "semantics", "shows": "released and clean sampling"},
        ),
        f"{RUN}/figures/semantics.png",
    log:
        f"{LOG}/semantics.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "semantics of sampling: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.semantics"
        " --draws {input.draws:q} --out {params.folder:q} > {log:q} 2>&1"


rule sharpened:
    # Samples without and with sharpening (Figs. 5 and 9).
    input:
        draws=lambda wildcards: [f"{fit}/draws.npz" for fit in SHARPENED_BY[wildcards.figure]],
        step=step_files("pictures.figure5"),
    output:
        report(
            f"{RUN}/figures/{{figure}}.svg",
            caption="../report/sharpening.rst",
            category="Figures",
            labels={"figure": "{figure}", "shows": "sharpening"},
        ),
        f"{RUN}/figures/{{figure}}.png",
        f"{RUN}/figures/{{figure}}.csv",
    log:
        f"{LOG}/{{figure}}.log",
    wildcard_constraints:
        figure="figure5|figure9",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "{wildcards.figure}: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.figure5"
        " --draws {input.draws:q} --name {wildcards.figure:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule figure8:
    # In-painting by a flat and a deep instance (Fig. 8).
    input:
        draws=[f"{fit}/draws.npz" for fit in INPAINTED_BY],
        accuracy=f"{RUN}/figures/figure8_accuracy.json",
        step=step_files("pictures.figure8"),
    output:
        report(
            f"{RUN}/figures/figure8.svg",
            caption="../report/figure8.rst",
            category="Figures",
            labels={"figure": "figure8", "shows": "in-painting"},
        ),
        f"{RUN}/figures/figure8.png",
        f"{RUN}/figures/figure8.csv",
    log:
        f"{LOG}/figure8.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Fig. 8: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.figure8"
        " --draws {input.draws:q} --accuracy {input.accuracy:q} --name figure8"
        " --out {params.folder:q} > {log:q} 2>&1"


rule figure14:
    # The visual alphabet: centroids of the lowest cGMM layer (Fig. 14).
    input:
        fits=[f"{fit}/{part}" for fit in ALPHABETS for part in ("fit.json", "model")],
        step=step_files("pictures.figure14"),
    output:
        report(
            f"{RUN}/figures/figure14.svg",
            caption="../report/figure14.rst",
            category="Figures",
            labels={"figure": "figure14", "shows": "centroids of B's lowest layer"},
        ),
        f"{RUN}/figures/figure14.png",
    log:
        f"{LOG}/figure14.log",
    params:
        fits=ALPHABETS,
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Fig. 14: {output[1]}"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.figure14"
        " --fits {params.fits:q} --out {params.folder:q} > {log:q} 2>&1"


rule competitors:
    # Samples and in-painted images of every competitor.
    input:
        draws=[f"{fit}/draws.npz" for fit in competitor_fits(config["datasets"], CLASSES)],
        step=step_files("pictures.competitors"),
    output:
        report(
            f"{RUN}/figures/competitors.svg",
            caption="../report/competitors.rst",
            category="Figures",
            labels={"figure": "competitors", "shows": "samples and in-painting"},
        ),
        f"{RUN}/figures/competitors.png",
    log:
        f"{LOG}/competitors.log",
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "samples of the competitors: {params.folder}/competitors.png"
    shell:
        "workflow/run/in_env.sh workflow python -m workflow.pictures.competitors"
        " --draws {input.draws:q} --out {params.folder:q} > {log:q} 2>&1"


rule figure8_accuracy:
    # Classify the in-painted images of Fig. 8 by the first judge.
    input:
        draws=[f"{fit}/draws.npz" for fit in INPAINTED_BY],
        judge=[f"{INPAINTING_JUDGE}/{name}" for name in ("judge.json", "weights.npz")],
        lock=f"envs/{JUDGING}.lock",
        step=sources.of_module("workflow.pictures.figure8_accuracy"),
    output:
        f"{RUN}/figures/figure8_accuracy.json",
    log:
        f"{LOG}/figure8_accuracy.log",
    threads: config["threads"]
    params:
        environment=JUDGING,
        folder=lambda wildcards, input: Path(input.judge[0]).parent,
    message:
        "accuracy on in-painted images: {output}"
    shell:
        "workflow/run/in_env.sh {params.environment:q} python -m workflow.pictures.figure8_accuracy"
        " --draws {input.draws:q} --judge {params.folder:q} --out {output:q}"
        " > {log:q} 2>&1"
