"""Table III: how many drawn images a classifier of real images assigns to their class.

Writes `table3.csv` (a row for each model, dataset and treatment of noise), `table3_classes.csv`
(a row for each class as well), and for readers `table3.md` and `table3.tex`: first as the paper
measured, then every model under every treatment of noise, with distances to real images.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from dcgmm import recipes
from workflow.common import frames, places, tables
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.fit import tidy
from workflow.samples import sample_summary
from workflow.samples.sample_summary import CONTROL

NOISE = {
    "full": "drawn in full",
    "mean": "means of pixels",
    "recipe": "the recipe's fraction",
    "sharpened": "the recipe's, sharpened",
    "control": tables.DASH,
}


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--judgements", required=True, nargs="+", type=Path, help="one a judge")
    parser.add_argument("--judges", required=True, nargs="+", type=Path, help="judge.json files")
    parser.add_argument("--paper", required=True, type=Path, help="the paper's numbers, CSV")
    parser.add_argument("--run", required=True, help="name of the run")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        rows = sample_summary.table(map(places.read, options.judgements))
        judges = [places.read(path) for path in options.judges]
        summary = sample_summary.summary(rows)
        summary = sample_summary.with_paper(summary, frames.read_paper(options.paper))
        sections = [
            section
            for name, lines in summary.groupby("dataset", sort=False)
            for section in dataset_sections(
                lines, rows[rows["dataset"] == name], judges_of(judges, name), options.run
            )
        ]
        tables.write_csv(options.out / "table3.csv", summary)
        tables.write_csv(options.out / "table3_classes.csv", sample_summary.by_class(rows))
        tables.write_markdown(options.out / "table3.md", sections)
        tables.write_tex(options.out / "table3.tex", sections)


def judges_of(judges: list[dict[str, Any]], dataset: str) -> list[dict[str, Any]]:
    """The judges of one dataset, by seed."""
    of_dataset = [judge for judge in judges if judge["dataset"]["name"] == dataset]
    return sorted(of_dataset, key=lambda judge: judge["seed"])


def dataset_sections(
    lines: pd.DataFrame, rows: pd.DataFrame, judges: list[dict[str, Any]], run: str
) -> list[tables.Section]:
    """Two tables of one dataset: the paper's protocol, and all treatments."""
    name = registry.title(lines["dataset"].iloc[0])
    control = lines["method"] == CONTROL
    seeds = int(lines["seeds_asked"].max())
    shown = lines[lines["published"] | control]
    published = pd.DataFrame(map(_published_cells, shown.to_dict("records")))
    all_treatments = pd.DataFrame(map(_treatment_cells, lines.to_dict("records")))
    return [
        tables.Section(
            f"Table III, {name}: drawn images that a classifier takes for their class",
            caption(rows, judges, run, seeds),
            published,
            [*_misfits(shown), *_rejected(judges), *_failures(lines)],
            AS_PUBLISHED,
        ),
        tables.Section(
            f"Table III, {name}: every treatment of noise, and nearness to real images",
            "",
            all_treatments,
            reading=EVERY_TREATMENT,
        ),
    ]


def caption(rows: pd.DataFrame, judges: list[dict[str, Any]], run: str, seeds: int) -> str:
    """Images, models and judges of one dataset's table."""
    succeeded = rows[(rows["status"] == "ok") & (rows["method"] != CONTROL)]
    images = (
        f"draws {tables.count(succeeded['n'].max())} images"
        if len(succeeded)
        else "should draw images"
    )
    return (
        f"Run `{run}`: every class of {tidy.images_of(rows)} has a model of its own (parameters "
        f"are those of one; seeds: {seeds}), which {images}, clipped to [0, 1]. "
        f"{_judges_sentence(judges)}"
    )


AS_PUBLISHED = (
    "Accuracy in %: mean ± standard deviation over judges. Tables beside the paper's values treat "
    "noise as the authors' releases do: DCGMM draws pixels with the recipe's fraction of the "
    "standard deviation, DGCSPN gives their means, RAT-SPN and PD-SPN draw them in full; so "
    "accuracies compare noise as well as models. Diversity is the variance of a class's images in "
    "the judge's last layer but one over that of as many real ones.",
)
EVERY_TREATMENT = (
    "Tables of every treatment: pixels are drawn in full, give their means, or are drawn with the "
    "fraction of the standard deviation that DCGMM's recipe has; with the latter, an instance that "
    "pools is also sharpened (Sec. V-D). Accuracy in %, with its standard deviation over judges "
    "and over seeds of the models. In the judge's last layer but one, against as many real "
    "training images of the class, means over classes: diversity is a ratio of variances (1: as "
    "varied as real images); the Fréchet distance is that of Gaussians (0: the same), which "
    "depends on the judge and on the number of images; precision is the fraction of drawn images "
    "among the real, recall that of real ones among the drawn (Kynkäänniemi et al. 2019, k = 3). "
    "Real test images show what can be reached, the mean of a class what a single image repeated "
    "gets.",
)


def _judges_sentence(judges: list[dict[str, Any]]) -> str:
    """Number, training and accuracies of the judges."""
    judges = [judge for judge in judges if judge["attempts"]]
    if not judges:
        return "No judge was trained."
    tested = ", ".join(tables.number(100 * judge["accuracy"]["test"], 2) for judge in judges)
    rates = ", ".join(dict.fromkeys(f"{judge['learning_rate']:g}" for judge in judges))
    images = tables.count(judges[0]["dataset"]["train_images"])
    return (
        f"Judges: {len(judges)}, each the CNN of Table VII, trained on {images} real images "
        f"(epochs: {judges[0]['epochs']}, learning rate: {rates}, test accuracy in %: {tested})."
    )


def _rejected(judges: list[dict[str, Any]]) -> list[str]:
    """Note the trainings of judges that were rejected, with their learning rates."""
    notes = []
    for judge in judges:
        if not judge["attempts"]:
            notes.append(f"judge of seed {judge['seed']}: {judge['status']}, {judge['reason']}")
        for attempt in judge["attempts"]:
            end = f"ended at a training accuracy of {100 * attempt['accuracy'][-1]:.2f} %"
            how = f"collapsed ({attempt['collapsed']})" if attempt["collapsed"] else end
            if judge["status"] != "ok":
                how += ", and the judge is left out where there are others"
            elif attempt["learning_rate"] == judge["learning_rate"]:
                continue
            rate = f"learning rate {attempt['learning_rate']:g}"
            notes.append(f"judge of seed {judge['seed']}: {rate} {how}")
    return notes


def _misfits(lines: pd.DataFrame) -> list[str]:
    """Note rows that do not match the paper's models."""
    notes = []
    if (lines["title"] == "DCGMM-E").any():
        notes.append(f"DCGMM-E: {recipes.instance('E').note}")
    if (lines["method"] == "dgcspn").any():
        notes.append(
            "DGCSPN: its release maps each batch of draws from its own lowest and highest value to "
            "[0, 1]; here draws get the mean and the standard deviation of the training images."
        )
    return notes


def _failures(lines: pd.DataFrame) -> list[str]:
    """Note whose images are missing, and why."""
    return [
        f"{model(row)}, {NOISE.get(row['treatment'], row['treatment']) or tables.DASH}: "
        f"{row['reasons']}"
        for row in lines.to_dict("records")
        if row["reasons"]
    ]


def _published_cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "model": model(row),
        "parameters": _parameters(row),
        "paper's": tables.count(row["paper_parameters"]),
        "accuracy": _accuracy(row),
        "paper": _published_accuracy(row),
        "difference": tables.number(row["difference"], signed=True),
        "± seeds": tables.number(row["std_seeds"]),
        "diversity": tables.number(row["diversity"], 2),
        "judges": str(row["judges"]),
        "seeds": _seeds(row),
        "images": tables.count(row["images"]),
    }


def _treatment_cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "model": model(row),
        "pixels": NOISE.get(row["treatment"], row["treatment"]),
        "accuracy": tables.spread(row["mean"], row["std_judges"]),
        "± seeds": tables.number(row["std_seeds"]),
        "diversity": tables.number(row["diversity"], 2),
        "Fréchet": tables.number(row["frechet"]),
        "precision": tables.number(row["precision"], 2),
        "recall": tables.number(row["recall"], 2),
        "classes": _classes(row),
        "images": tables.count(row["images"]),
    }


def model(row: dict[str, Any]) -> str:
    """Title, variant and grid point, as in `RAT-SPN (K10-D4-R10-normal)`."""
    return f"{row['title']} ({row['point']})" if row["point"] else row["title"]


def _accuracy(row: dict[str, Any]) -> str:
    text = tables.spread(row["mean"], row["std_judges"])
    return tables.best(text) if row["best"] else text


def _published_accuracy(row: dict[str, Any]) -> str:
    """The paper's accuracy as printed, with two digits of some spreads."""
    if pd.isna(row["paper"]):
        return tables.DASH
    return f"{tables.number(row['paper'])} ± {row['paper_spread']:g}"


def _parameters(row: dict[str, Any]) -> str:
    """`centroids (all)` for DCGMM, whose published counts are of centroids alone."""
    count = tables.count(row["parameters"])
    return count if pd.isna(row["centroids"]) else f"{tables.count(row['centroids'])} ({count})"


def _seeds(row: dict[str, Any]) -> str:
    if row["method"] == CONTROL:
        return tables.DASH
    short = row["seeds"] < row["seeds_asked"]
    return f"{row['seeds']} of {row['seeds_asked']}" if short else str(row["seeds"])


def _classes(row: dict[str, Any]) -> str:
    lost = row["classes_failed"]
    return f"{row['classes']}, {lost} failed" if lost else str(row["classes"])


if __name__ == "__main__":
    main()
