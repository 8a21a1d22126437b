"""What a run knows of the paper's claims: its records, tables and figures as tidy tables.

Each has a row for every measured value, and at least the columns `value` (in percent, except where
said), `seed`, `paper` (the paper's own number for the same, where it prints one), `scale` (what the
run lacks for a verdict on the paper), `reason` (why there is no value) and `remark`. Of what a run
lacks the table is empty.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from dcgmm import notation
from workflow.claims.claim_run import Run, join, read_or_empty
from workflow.common import frames, metrics, places
from workflow.data import registry
from workflow.fit import reductions
from workflow.plan import catalogue
from workflow.samples import sample_summary

PAPERS_CLASSES = "not0"  # Table I's outlier is class 0
COLUMNS = ["value", "seed", "paper", "scale", "reason", "remark"]


def outliers(run: Run) -> pd.DataFrame:
    """Outlier tests of DCGMM's instances, every layer, from all tidy records of the run."""
    found = [read_or_empty(path) for path in sorted((run.folder / "records").glob("*.csv"))]
    tables = [rows for table in found if len(rows := _of_dcgmm(table))]
    if not tables:
        return pd.DataFrame()
    key = ["grid_point", "dataset", "classes", "seed", "metric", "evidence", "layer"]
    rows = with_failures(pd.concat(tables).drop_duplicates(key))
    rows = rows.rename(columns={"settings.instance": "instance", "settings.recipe": "recipe"})
    return rows.assign(
        value=100 * rows["value"],
        outlier=rows["classes"].str.removeprefix("not").astype(int),
        depth=rows["settings.layers"].map(depth),
        paper=[
            run.published("I", row.instance, row.dataset)
            if row.top and row.classes == PAPERS_CLASSES
            else np.nan
            for row in rows.itertuples()
        ],
        scale=rows["source"].map(run.lacks),
        remark="",
    )


def _of_dcgmm(table: pd.DataFrame) -> pd.DataFrame:
    """The outlier tests of its instances; of other tables nothing."""
    if "task" not in table:
        return table.head(0)
    return table[(table["task"] == "outliers") & (table["method"] == catalogue.DCGMM.name)]


def with_failures(rows: pd.DataFrame) -> pd.DataFrame:
    """Tidy records; a fit that failed gets a row for each measure of its highest layer."""
    fine, failed = rows[rows["status"] == "ok"], rows[rows["status"] != "ok"]
    highest = fine[fine["top"].isin([True])].groupby("grid_point")["layer"].first()
    measures = pd.DataFrame({"metric": list(metrics.METRICS), "evidence": "all", "top": True})
    failed = failed.drop(columns=list(measures)).merge(measures, how="cross")
    failed["layer"] = failed["grid_point"].map(highest).astype("string").fillna("of none")
    rows = pd.concat([fine, failed], ignore_index=True)
    return rows.assign(reason=reasons(rows), top=rows["top"].isin([True]))


def reasons(rows: pd.DataFrame) -> pd.Series:
    """Why fits have no result; empty for those that have."""
    why = rows["status"] + ": " + rows["reason"].astype("string").fillna("")
    return why.where(rows["status"] != "ok", "")


def depth(layers: str) -> int:
    """How many cGMM layers an instance has."""
    return len(notation.gmm_indices(notation.parse(layers)))


def protocols(run: Run) -> pd.DataFrame:
    """Every seed of the points that Table II chose, under every protocol."""
    chosen, records = run.table("tables/table2.csv"), run.table("records/table2.csv")
    if chosen.empty or records.empty:
        return pd.DataFrame()
    key = ["method", "grid_point", "dataset", "evidence", "metric"]
    points = chosen[["protocol", "title", "variant", *key, "reasons", "paper"]]
    fine = records[records["top"].isin([True]) & (records["status"] == "ok")]
    images = records["train_images"] + records["validation_images"]
    rows = points.merge(fine.assign(images=images), "left", key, suffixes=("", "_of_record"))
    whole = images.groupby(records["dataset"]).max()
    source = records.groupby("dataset")["source"].first()
    return rows.assign(
        value=100 * rows["value"],
        variant=rows["variant"].fillna(""),
        scale=[_lacks(run, row, source, whole) for row in rows.to_dict("records")],
        reason=rows["reasons"].where(rows["value"].isna(), "").fillna(""),
        remark=[_hurry(row) for row in rows.to_dict("records")],
    )


def _lacks(run: Run, row: dict[str, Any], source: pd.Series, whole: pd.Series) -> str:
    """What a row of Table II lacks; a competitor has no schedule, but maybe fewer images."""
    if row["method"] == catalogue.DCGMM.name:
        return run.lacks(source[row["dataset"]])
    lacking = run.lacks(source[row["dataset"]], run.scale["schedule"])
    if row["images"] < whole[row["dataset"]]:
        seen = f"{row['title']} was fitted to {row['train_images']:,.0f} images"
        lacking = join([lacking, f"{seen} of {registry.title(row['dataset'])}"])
    return lacking


def _hurry(row: dict[str, Any]) -> str:
    """Whether a competitor had fewer epochs than in the paper."""
    less = reductions.of_settings(row)
    return f"{row['title']}: {', '.join(less)}" if less else ""


def samples(run: Run) -> pd.DataFrame:
    """Accuracy of every judge on the samples of every seed, by treatment of noise (Table III).

    `noise` is `full`, `mean`, `recipe` or `sharpened`; rows whose treatment is that of the model's
    release stand there once more under `published`, and what sharpening adds to the recipe's
    samples under `gain of sharpening`.
    """
    judgements = [places.read(p) for p in sorted(run.folder.glob("judges/*/*/judgements.json"))]
    if not judgements:
        return pd.DataFrame()
    rows = sample_summary.table(judgements)
    if rows.empty:
        return pd.DataFrame()
    epochs = {
        (j["judge"]["dataset"]["name"], j["judge"]["seed"]): j["judge"]["epochs"]
        for j in judgements
    }
    rows = rows.assign(epochs=[epochs[row.dataset, row.judge] for row in rows.itertuples()])
    key = ["dataset", "method", "title", "variant", "treatment", "published", "judge", "seed"]
    lines = [
        dict(zip(key, names, strict=True)) | _judged(run, group)
        for names, group in rows.groupby(key, sort=False, dropna=False)
    ]
    fits = rows.loc[rows["method"] != sample_summary.CONTROL, "seed"].nunique()
    table = pd.DataFrame(lines).rename(columns={"treatment": "noise"})
    table["recipe"] = table["variant"].where(table["method"] == catalogue.DCGMM.name, "")
    table["paper"] = np.nan
    table["remark"] = "of a single fit each" if fits == 1 else ""
    again = table[table["published"].astype(bool)].assign(noise="published")
    again["paper"] = [run.published("III", row.title, row.dataset) for row in again.itertuples()]
    return pd.concat([table, again, _gains(table)], ignore_index=True)


def _gains(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on sharpened samples less that on the same ones as they were."""
    key = ["dataset", "title", "variant", "judge", "seed"]
    sharpened, plain = (table[table["noise"] == noise] for noise in ("sharpened", "recipe"))
    both = sharpened.merge(plain[[*key, "value"]], "left", key, suffixes=("", "_plain"))
    gain = both["value"] - both["value_plain"]
    return both.assign(noise="gain of sharpening", value=gain).drop(columns="value_plain")


def _judged(run: Run, group: pd.DataFrame) -> dict[str, Any]:
    """One model, treatment, judge and seed: percent of the images of all classes."""
    fine, demands = group[group["status"] == "ok"], run.scale
    images = fine["n"].sum()
    lacking = [run.lacks(group["source"].iloc[0], run.samples_schedule)]
    for had, asked, what in (
        (group["epochs"].iloc[0], demands["judge_epochs"], "epochs of the judges"),
        (fine["n"].min(), demands["images"], "images a class"),
        (fine["class"].nunique(), demands["classes"], "classes"),
    ):
        if had < asked:
            lacking.append(f"{had:.0f} of {asked} {what}")
    return {
        "value": 100 * (fine["n"] * fine["accuracy"]).sum() / images if images else np.nan,
        "scale": join(lacking),
        "reason": join(group["reason"]),
        "remark": "",
    }


def classification(run: Run) -> pd.DataFrame:
    """Accuracy of DCGMM with a classifier, and the literature's as the paper prints it."""
    records = run.table("records/table4.csv")
    if records.empty:
        return pd.DataFrame()
    fine = records["status"] == "ok"
    title = records["settings.instance"].map(catalogue.title_of_classifier)
    ours = records.assign(
        title=title,
        recipe=records["settings.recipe"],
        value=100 * records["value"].where(fine),
        reason=reasons(records),
        scale=records["source"].map(run.lacks),
        paper=[
            run.published("IV", name, dataset)
            for name, dataset in zip(title, records["dataset"], strict=True)
        ],
        remark="",
    )
    printed = run.paper[(run.paper["table"] == "IV") & ~run.paper["row"].isin(title)]
    theirs = printed.rename(columns={"row": "title", "column": "dataset"}).assign(
        paper=printed["value"], seed=np.nan, recipe="", reason="", scale="", remark=""
    )
    columns = ["title", "dataset", "recipe", *COLUMNS]
    return pd.concat([ours[columns], theirs[columns]], ignore_index=True)


def parameters(run: Run) -> pd.DataFrame:
    """Entries of the centroids (Table V), which is how the paper counts."""
    table = run.table("tables/table5.csv")
    if table.empty:
        return table
    return table.assign(
        value=table["centroids"], paper=table["published"], depth=table["layers"].map(depth),
        seed=0, scale="", reason="", remark="",
    )  # fmt: skip


def dynamics(run: Run) -> pd.DataFrame:
    """Where a layer ends trained with the others, less where it ends alone, in % of its gain."""
    table = run.table("figures/figure4_ends.csv")
    return table.assign(
        value=100 * table["difference_of_gain"], scale=table["source"].map(run.lacks),
        paper=np.nan, reason="", remark="",
    )  # fmt: skip


def sharpening(run: Run) -> pd.DataFrame:
    """Mean rise of the target layer's log-likelihood in nats (Figs. 5 and 9)."""
    tables = [run.table(f"figures/{name}.csv") for name in ("figure5", "figure9")]
    return _pictured(run, pd.concat(tables), lambda table: table["after"] - table["before"])


def colour(run: Run) -> pd.DataFrame:
    """How diverse the colour images of a fit are: their mean squared distance (Fig. 7).

    `drawn` is `sample`, which both instances have, or `sharpened`, which pooling or folding asks
    for: the flat instance has nothing to sharpen and stands there as it is.
    """
    table = run.table("figures/figure7.csv")
    if table.empty:
        return table
    table = table[table["model"].fillna("").str.startswith("DCGMM")]
    flat = table[table["kind"] == "sample"]
    kinds = table["kind"].replace({"plain": "sample"})
    table = pd.concat([table.assign(drawn=kinds), flat.assign(drawn="sharpened")])
    stand_in = table["dataset"].ne("svhn").map({True: "colour digits in place of SVHN", False: ""})
    return table.assign(
        title=table["model"],
        value=table["squared_distance"],
        paper=np.nan,
        scale=[join(both) for both in zip(table["source"].map(run.lacks), stand_in, strict=True)],
        reason=table["squared_distance"].isna().map({True: "no fit", False: ""}),
        remark="",
    )


def inpainting(run: Run) -> pd.DataFrame:
    """Mean squared error on erased pixels (Fig. 8); pixels are in [0, 1]."""
    return _pictured(run, run.table("figures/figure8.csv"), lambda table: table["mse"])


def _pictured(
    run: Run, table: pd.DataFrame, value: Callable[[pd.DataFrame], pd.Series]
) -> pd.DataFrame:
    if table.empty:
        return table
    lacking = run.lacks_as_a_whole()
    return table.assign(value=value(table), paper=np.nan, scale=lacking, reason="", remark="")


def benchmark(run: Run) -> pd.DataFrame:
    """Times of in-painting in milliseconds; `benchmarks/README.md` says how."""
    if not run.inpainting_times.is_file():
        return pd.DataFrame()
    table = frames.read_typed_in(run.inpainting_times, frames.INPAINTING)
    return table.assign(
        benchmark="inpainting", value=table["milliseconds"], seed=0, paper=np.nan, scale="",
        reason="", remark="",
    )  # fmt: skip


SOURCES: dict[str, Callable[[Run], pd.DataFrame]] = {
    source.__name__: source
    for source in (
        outliers, protocols, samples, classification, parameters, dynamics, sharpening, inpainting,
        colour, benchmark,
    )
}  # fmt: skip
