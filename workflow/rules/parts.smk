# What the tables and figures of a run are made of, by name: a deleted file below a finished table
# would not be missed.


def parts():
    """Every file that this run makes on its way to its tables and figures."""
    return sorted(
        {*fit_parts(), *picture_parts(), *sample_parts(), *dynamics_runs(), *data_parts()}
    )


def fit_parts():
    """Of the fits behind the tables, what was measured of them, and the tables of all of it."""
    used = [group for group in GROUPS if GROUPS[group] and group_fits(group)]
    for group in used:
        task = f"{table_fits.task(group)}.json"
        yield from with_files(group_fits(group), ["model", "scores.npz", "fit.json", task])
    yield from expand(f"{RUN}/records/{{group}}.csv", group=used)


def picture_parts():
    """Of the fits behind the figures, and what they drew."""
    drawn = [*drawn_fits(), *SAMPLED_TWICE, *(fit for fits in DRAWN_BY.values() for fit in fits)]
    sharpened = [fit for fits in SHARPENED_BY.values() for fit in fits]
    if COLOUR["dataset"]:
        drawn += vae_in_colour() + dcgmm_in_colour(deep=False)
        sharpened += dcgmm_in_colour(deep=True)
    yield from with_files(drawn, ["draws.npz"])
    yield from with_files(sharpened, ["sharpening.npz"])
    yield from with_files(INPAINTED_BY, ["inpainting.npz"])
    fits = [*drawn, *sharpened, *INPAINTED_BY, *ALPHABETS]
    yield from with_files(fits, ["model", "scores.npz", "fit.json"])
    if INPAINTED_BY:
        yield from (f"{INPAINTING_JUDGE}/{name}" for name in ("judge.json", "weights.npz"))
        yield from rules.figure8_accuracy.output


def sample_parts():
    """Of Table III: fits of each class, what they drew, judges and what those say."""
    if judges():
        yield from sample_sets(config["datasets"])
        fits = sample_sets(config["datasets"], pattern=f"{RUN}/fit/{EACH}")
        yield from with_files(fits, ["model", "fit.json"])
        yield from with_files(judges(), ["judge.json", "weights.npz", "judgements.json"])


def data_parts():
    """The images of every dataset that something is fitted to."""
    names = [*config["datasets"], *([COLOUR["dataset"]] if COLOUR["dataset"] else [])]
    return expand(DATA, dataset=names, source=config["source"])


def with_files(folders, names):
    """Files of these names in every folder."""
    return expand("{folder}/{name}", folder=folders, name=names)
