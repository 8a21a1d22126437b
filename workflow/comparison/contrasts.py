"""Means of all models, and differences between models and between measures, with intervals.

Computed from `workflow.comparison.observations`. Columns: those of `KEY` and `MODEL`, `point`,
`quantity` (`mean`, `to reference`, `measure`), `metric`, `reference`, `n`, `n_reference`, `test`,
`mean`, `std` (of values or of paired differences), t interval (`low`, `high`), bootstrap interval,
`p` and `p_holm`. Values are in percent.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from workflow.common import frames, intervals
from workflow.common.summaries import area_summary, summarise
from workflow.comparison import observations

KEY = ["table", "dataset", "protocol"]
MODEL = ["title", "variant"]
REFERENCES = {"I": "DCGMM-A", "II": "DCGMM-E", "III": "DCGMM-E"}  # that others are compared with
EXACT, PAPERS = observations.MEASURES["corrected"], observations.MEASURES["paper"]


def means_and_differences(values: pd.DataFrame) -> pd.DataFrame:
    """Every mean and difference, one per row."""
    parts = [
        means(values),
        differences_to_reference(values),
        differences_between_measures(values),
    ]
    empty = frames.empty(frames.TABLES["statistics"])
    result = pd.concat([part for part in parts if len(part)] or [empty], ignore_index=True)
    return result.reindex(columns=empty.columns)


def by_protocol_measure(values: pd.DataFrame) -> pd.DataFrame:
    """Keep each protocol's own measure of outlier detection, and all values of other tables."""
    measure = values["protocol"].map(observations.MEASURES)
    return values[(values["metric"] == measure) | ~values["table"].isin(["I", "II"])]


def means(values: pd.DataFrame) -> pd.DataFrame:
    """Mean of every model, with Student's and the bootstrap's interval."""
    lines = []
    for key, group in by_protocol_measure(values).groupby([*KEY, *MODEL, "point"], sort=False):
        model_values = list(group["value"])
        summary = area_summary(model_values)
        low, high = intervals.bootstrap_interval(model_values)
        lines.append(
            dict(zip([*KEY, *MODEL, "point"], key, strict=True))
            | {"quantity": "mean", "metric": group["metric"].iloc[0]}
            | {name: summary[name] for name in ("n", "mean", "std")}
            | {"low": summary["ci_low"], "high": summary["ci_high"]}
            | {"bootstrap_low": low, "bootstrap_high": high}
        )
    return pd.DataFrame(lines)


def differences_to_reference(values: pd.DataFrame) -> pd.DataFrame:
    """Every model minus its table's reference, p adjusted (Holm) within dataset and protocol.

    Judges pair, since all see the same samples; seeds of different models do not. In Table I, the
    reference has the model's recipe.
    """
    parts = []
    for key, group in by_protocol_measure(values).groupby(KEY, sort=False):
        labels = dict(zip(KEY, key, strict=True))
        differences = _differences_to(REFERENCES.get(labels["table"]), group)
        lines = [labels | line for line in differences]
        if lines:
            part = pd.DataFrame(lines)
            parts.append(part.assign(p_holm=intervals.holm(part["p"])))
    return pd.concat(parts) if parts else pd.DataFrame()


def _differences_to(reference: str | None, group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Differences to the reference within one table, dataset and protocol."""
    base = group[group["title"] == reference]
    if base.empty:
        return
    for key, model in group[group["title"] != reference].groupby([*MODEL, "point"], sort=False):
        labels = dict(zip([*MODEL, "point"], key, strict=True))
        # The reference, in Table I by the model's recipe, at the first of its points.
        base_rows = base
        if model["table"].iloc[0] == "I":
            base_rows = base[base["variant"] == labels["variant"]]
        if len(base_rows):
            base_rows = base_rows[base_rows["point"] == base_rows["point"].iloc[0]]
        paired = model["unit"].iloc[0] == "judge"
        labels |= {"quantity": "to reference", "reference": reference}
        labels["metric"] = model["metric"].iloc[0]
        yield labels | _difference(model, base_rows, paired=paired)


def differences_between_measures(values: pd.DataFrame) -> pd.DataFrame:
    """Exact AUROC minus 100-threshold AUC of the same fits, p adjusted likewise (Holm).

    In Table I, both protocols share their fits.
    """
    parts = []
    detection = values[values["table"].isin(["I", "II"])]
    detection = detection.assign(
        protocol=detection["protocol"].where(detection["table"] == "II", "both")
    )
    for key, group in detection.groupby(KEY, sort=False):
        lines = []
        for model_key, model in group.groupby([*MODEL, "point"], sort=False):
            labels = dict(zip([*KEY, *MODEL, "point"], (*key, *model_key), strict=True))
            labels |= {"quantity": "measure", "metric": EXACT, "reference": PAPERS}
            exact, papers = model[model["metric"] == EXACT], model[model["metric"] == PAPERS]
            lines.append(labels | _difference(exact, papers, paired=True))
        part = pd.DataFrame(lines)
        parts.append(part.assign(p_holm=intervals.holm(part["p"])))
    return pd.concat(parts) if parts else pd.DataFrame()


def _difference(rows: pd.DataFrame, base_rows: pd.DataFrame, *, paired: bool) -> dict[str, Any]:
    """Columns of the mean difference from the base; incomplete pairs are left out."""
    values, base = (part.set_index("number")["value"] for part in (rows, base_rows))
    bootstrap, std = intervals.UNKNOWN, float("nan")
    if paired:
        numbers = values.index.intersection(base.index)
        values, base = values[numbers], base[numbers]
        bootstrap = intervals.bootstrap_interval(list(values - base))
        std = summarise(list(values - base)).std
    result = (intervals.paired if paired else intervals.independent)(list(values), list(base))
    return {
        "n": len(values), "n_reference": len(base), "test": "paired t" if paired else "Welch's t",
        "mean": result.mean, "std": std, "low": result.low, "high": result.high,
        "bootstrap_low": bootstrap[0], "bootstrap_high": bootstrap[1], "p": result.p,
    }  # fmt: skip
