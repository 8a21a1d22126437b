"""From the rows of many judgements to one line for each model, dataset and treatment of noise.

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
UNKNOWN = "unknown"  # whose samples no judge has looked at
COLUMNS = (
    *MODEL, "source", "train_images", "seed", "parameter_count", "centroid_count", "treatment",
    "published", "class", "status", "reason", "n", "compared", "accuracy", *NEARNESS, "judge",
)  # fmt: skip


def table(judgements: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """All rows of all judgements, with the seed of the `judge`.

    Judges whose training collapsed are left out, unless a dataset has no other.
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
    """One line for each model, dataset and treatment.

    `mean` is of all judges and seeds; `std_judges` the spread of judges, each averaged over seeds,
    `std_seeds` that of seeds, each averaged over judges. A model that failed has a line with the
    reasons and n = 0 under the treatment that its release uses.
    """
    lines = []
    for key, group in rows.groupby(MODEL, sort=False, dropna=False):
        whole = group[group["class"].isna()]  # nothing at all was drawn
        parts = group[group["class"].notna()]
        for treatment in parts["treatment"].unique() if len(parts) else whole["treatment"].unique():
            own = parts[parts["treatment"] == treatment]
            about = dict(zip(MODEL, key, strict=True)) | {"treatment": treatment}
            lines.append(about | _line(own, whole, group))
    counts = {"parameters": "Int64", "centroids": "Int64", "train_images": "Int64"}
    return frames.from_rows(lines, "table3", without=[*frames.PAPERS, "paper_parameters"]).astype(
        counts
    )


def _line(own: pd.DataFrame, whole: pd.DataFrame, group: pd.DataFrame) -> dict[str, Any]:
    """Statistics of the rows of one treatment; `group` has all of the model."""
    fine = own[own["status"] == "ok"]
    bad = pd.concat([whole, own[own["status"] != "ok"]])
    accuracy = accuracies(fine)
    judges, seeds = accuracy.mean(axis=1), accuracy.mean(axis=0)
    drawn = fine.groupby(["judge", "seed"])["n"].sum()
    return {
        "published": bool((own if len(own) else whole)["published"].iloc[0]),
        "mean": judges.mean(),
        "std_judges": judges.std(),
        "std_seeds": seeds.std(),
        "judges": len(judges),
        "seeds": len(seeds),
        "seeds_asked": group["seed"].nunique(),
        "classes": fine["class"].nunique(),
        "classes_failed": own.loc[own["status"] != "ok", "class"].nunique(),
        "images": int(drawn.max()) if len(drawn) else 0,
        "compared": fine["compared"].min(),
        "parameters": group["parameter_count"].max(),
        "centroids": group["centroid_count"].max(),
        "train_images": group["train_images"].max(),
        **fine[NEARNESS].mean(),
        "reasons": _joined(bad["reason"]),
    }


def _joined(reasons: Iterable[str]) -> str:
    """Each reason once."""
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def accuracies(fine: pd.DataFrame) -> pd.DataFrame:
    """Percent of all images of all classes that are taken for their class, [judges, seeds]."""
    hits = (fine["n"] * fine["accuracy"]).groupby([fine["judge"], fine["seed"]]).sum()
    drawn = fine.groupby(["judge", "seed"])["n"].sum()
    return (100 * hits / drawn).unstack("seed")


def by_class(rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each model, dataset, treatment and class: means over seeds and judges."""
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
    """Add Table III's accuracy and count of parameters, our difference, and which is the best.

    The accuracy is compared where noise is treated as the authors' releases do; the best is the
    highest of the models' there, controls aside.
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
    ours = lines["mean"].where(lines["published"])
    lines["best"] = ours == ours.groupby(lines["dataset"]).transform("max")
    return lines
