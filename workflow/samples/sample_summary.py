"""Summary of many judgements: a row for each model, dataset and treatment of noise.

Accuracies are in percent of the images drawn; the other measures are means over classes.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from workflow.common import frames

MODEL = ["dataset", "method", "title", "variant", "point"]
NEARNESS = ["diversity", "frechet", "precision", "recall"]  # to real images
CONTROL = "control"
UNKNOWN = "unknown"  # model whose samples no judge could read
COLUMNS = (
    *MODEL, "source", "train_images", "seed", "parameter_count", "centroid_count", "treatment",
    "published", "class", "status", "reason", "n", "compared", "accuracy", *NEARNESS, "judge",
)  # fmt: skip


def table(judgements: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Join the rows of all judgements, with the judge's seed as `judge`.

    Judges whose training collapsed are left out, unless the dataset has no other.
    """
    judgements = list(judgements)
    judged = {j["judge"]["dataset"]["name"] for j in judgements if j["judge"]["status"] == "ok"}
    rows = [
        row | {"judge": j["judge"]["seed"], "source": j["judge"]["dataset"]["source"]}
        for j in judgements
        if j["judge"]["status"] == "ok" or j["judge"]["dataset"]["name"] not in judged
        for row in j["rows"]
    ]
    result = pd.DataFrame(rows) if rows else frames.empty(frames.types(COLUMNS))
    result["seed"] = result["seed"].fillna(0).astype(int)  # controls have none
    counts = {"parameter_count": "Int64", "centroid_count": "Int64", "train_images": "Int64"}
    return result.astype(counts | dict.fromkeys(["accuracy", *NEARNESS], float))


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise judgements: one row for each model, dataset and treatment.

    `mean` is over all judges and seeds; `std_judges` is the spread between judges, each averaged
    over seeds, and `std_seeds` the spread between seeds, each averaged over judges. A model that
    failed has a row with the reasons and n = 0 under the treatment that its release uses.
    """
    lines = []
    for key, group in rows.groupby(MODEL, sort=False, dropna=False):
        undrawn = group[group["class"].isna()]  # fits that drew nothing
        drawn = group[group["class"].notna()]
        treatments = (drawn if len(drawn) else undrawn)["treatment"].unique()
        for treatment in treatments:
            of_treatment = drawn[drawn["treatment"] == treatment]
            labels = dict(zip(MODEL, key, strict=True)) | {"treatment": treatment}
            lines.append(labels | _statistics(of_treatment, undrawn, group))
    counts = {"parameters": "Int64", "centroids": "Int64", "train_images": "Int64"}
    return frames.from_rows(lines, "table3", without=[*frames.PAPERS, "paper_parameters"]).astype(
        counts
    )


def _statistics(
    rows: pd.DataFrame, undrawn: pd.DataFrame, model_rows: pd.DataFrame
) -> dict[str, Any]:
    """Statistics over the rows of one treatment.

    Args:
        rows: judgements of the treatment, class by class.
        undrawn: rows of the model's fits that drew nothing.
        model_rows: all rows of the model.
    """
    succeeded = rows[rows["status"] == "ok"]
    failed = pd.concat([undrawn, rows[rows["status"] != "ok"]])
    accuracy = accuracies(succeeded)
    judges, seeds = accuracy.mean(axis=1), accuracy.mean(axis=0)
    images = succeeded.groupby(["judge", "seed"])["n"].sum()
    return {
        "published": bool((rows if len(rows) else undrawn)["published"].iloc[0]),
        "mean": judges.mean(),
        "std_judges": judges.std(),
        "std_seeds": seeds.std(),
        "judges": len(judges),
        "seeds": len(seeds),
        "seeds_asked": model_rows["seed"].nunique(),
        "classes": succeeded["class"].nunique(),
        "classes_failed": rows.loc[rows["status"] != "ok", "class"].nunique(),
        "images": int(images.max()) if len(images) else 0,
        "compared": succeeded["compared"].min(),
        "parameters": model_rows["parameter_count"].max(),
        "centroids": model_rows["centroid_count"].max(),
        "train_images": model_rows["train_images"].max(),
        **succeeded[NEARNESS].mean(),
        "reasons": _joined(failed["reason"]),
    }


def _joined(reasons: Iterable[str]) -> str:
    """Join the reasons, each once."""
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def accuracies(succeeded: pd.DataFrame) -> pd.DataFrame:
    """Percent of all images that are assigned to their class, [judges, seeds]."""
    hits = (
        (succeeded["n"] * succeeded["accuracy"])
        .groupby([succeeded["judge"], succeeded["seed"]])
        .sum()
    )
    drawn = succeeded.groupby(["judge", "seed"])["n"].sum()
    return (100 * hits / drawn).unstack("seed")


def by_class(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds and judges, for each model, dataset, treatment and class."""
    key = [*MODEL, "treatment", "class"]
    rows = rows.assign(accuracy=100 * rows["accuracy"])
    grouped = rows.groupby(key, sort=False, dropna=False)
    result = grouped[["accuracy", *NEARNESS]].mean()
    by_judge = rows.groupby([*key, "judge"], sort=False, dropna=False)["accuracy"].mean()
    result.insert(1, "std_judges", by_judge.groupby(key, sort=False, dropna=False).std())
    result["images"] = grouped["n"].max()
    result["reasons"] = grouped["reason"].agg(_joined)
    return result.reset_index()


def with_paper(lines: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Add Table III's accuracy and parameter count, the difference from it, and which is best.

    Accuracies are compared under the noise of the authors' releases; the best is the highest of
    the models there, controls excluded.
    """
    paper = paper[paper["table"] == "III"]
    counts = paper[paper["column"] == "parameters"].set_index("row")["value"]
    accuracy = paper[paper["column"] != "parameters"].rename(
        columns={"row": "title", "column": "dataset", "value": "paper", "spread": "paper_spread"}
    )
    columns = ["title", "dataset", "paper", "paper_spread"]
    lines = lines.merge(accuracy[columns], "left", ["title", "dataset"])
    lines["paper_parameters"] = lines["title"].map(counts).astype("Int64")
    lines.loc[~lines["published"].astype(bool), ["paper", "paper_spread"]] = np.nan
    lines["difference"] = lines["mean"] - lines["paper"]
    candidates = lines["mean"].where(lines["published"])
    lines["best"] = candidates == candidates.groupby(lines["dataset"]).transform("max")
    return lines
