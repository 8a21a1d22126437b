# Colour images (Fig. 7): SVHN, or what stands in for it.
from dcgmm import notation

COLOUR = config["colour"]
COLOUR_POINTS = grid.colour_points(config)  # by the main recipe
POINTS["dcgmm"] |= COLOUR_POINTS


def colour_fits(method, point, classes, seeds=config["seeds"][:1]):
    """Folders of fits to the colour images."""
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
    return colour_fits("dcgmm", points, classes, chosen_seeds("colour"))


def vae_in_colour():
    """The fit of the VAE, which is of all classes; none if it does not run."""
    if "vae" not in METHODS:
        return []
    point = next(iter(grid.protocol_points("vae", config["protocols"][-1], config)))
    return colour_fits("vae", point, "all")


if COLOUR["dataset"]:

    rule figure7:
        # Colour images, and what the VAE and DCGMM draw after them.
        input:
            data=DATA.format(dataset=COLOUR["dataset"], source=config["source"]),
            means=[f"{fit}/draws.npz" for fit in vae_in_colour()],
            draws=[f"{fit}/draws.npz" for fit in dcgmm_in_colour(deep=False)],
            sharpening=[f"{fit}/sharpening.npz" for fit in dcgmm_in_colour(deep=True)],
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
            " --sharpening {input.sharpening:q} --name figure7 --out {params.folder:q}"
            " > {log:q} 2>&1"
