"""Means of all models, and the differences that the tables invite one to read, with intervals.

Everything is made of `workflow.comparison.observations`. Columns: those of `KEY` and `MODEL`,
`point`, `quantity` (`mean`, `to reference`, `measure`), `metric`, `reference`, `n`, `n_reference`,
`test`, `mean`, `std` (of values or of paired differences), t interval (`low`, `high`), bootstrap
interval, `p` and `p_holm`. Values are in percent.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from workflow.common import frames, intervals
from workflow.common.summaries import area_summary, summarise
from workflow.comparison import observations

KEY = ["table", "dataset", "protocol"]
MODEL = ["title", "variant"]
REFERENCES = {"I": "DCGMM-A", "II": "DCGMM-E", "III": "DCGMM-E"}  # what others are compared with
EXACT, PAPERS = observations.MEASURES["corrected"], observations.MEASURES["paper"]


def all_of(values: pd.DataFrame) -> pd.DataFrame:
    """Every mean and difference, one a row."""
    parts = [means(values), to_reference(values), measures(values)]
    empty = frames.empty(frames.TABLES["statistics"])
    result = pd.concat([part for part in parts if len(part)] or [empty], ignore_index=True)
    return result.reindex(columns=empty.columns)


def protocols_measure(values: pd.DataFrame) -> pd.DataFrame:
    """Of outlier detection, what each protocol measures; of the other tables, all."""
    wanted = values["protocol"].map(observations.MEASURES)
    return values[(values["metric"] == wanted) | ~values["table"].isin(["I", "II"])]


def means(values: pd.DataFrame) -> pd.DataFrame:
    """Every mean with Student's and the bootstrap's interval."""
    lines = []
    for key, group in protocols_measure(values).groupby([*KEY, *MODEL, "point"], sort=False):
        own = list(group["value"])
        summary = area_summary(own)
        low, high = intervals.bootstrap_interval(own)
        lines.append(
            dict(zip([*KEY, *MODEL, "point"], key, strict=True))
            | {"quantity": "mean", "metric": group["metric"].iloc[0]}
            | {name: summary[name] for name in ("n", "mean", "std")}
            | {"low": summary["ci_low"], "high": summary["ci_high"]}
            | {"bootstrap_low": low, "bootstrap_high": high}
        )
    return pd.DataFrame(lines)


def to_reference(values: pd.DataFrame) -> pd.DataFrame:
    """Every model minus the reference of its table, p adjusted (Holm) over dataset and protocol.

    Judges pair, since all see the same samples; seeds of different models do not. Of Table I the
    reference has the same recipe.
    """
    parts = []
    for key, group in protocols_measure(values).groupby(KEY, sort=False):
        known = dict(zip(KEY, key, strict=True))
        lines = [known | line for line in _against(group, REFERENCES.get(known["table"]))]
        if lines:
            part = pd.DataFrame(lines)
            parts.append(part.assign(p_holm=intervals.holm(part["p"])))
    return pd.concat(parts) if parts else pd.DataFrame()


def _against(group: pd.DataFrame, reference: str | None) -> Iterator[dict[str, Any]]:
    """The lines of one table, dataset and protocol."""
    base = group[group["title"] == reference]
    if base.empty:
        return
    for key, own in group[group["title"] != reference].groupby([*MODEL, "point"], sort=False):
        about = dict(zip([*MODEL, "point"], key, strict=True))
        same = base[base["variant"] == about["variant"]] if own["table"].iloc[0] == "I" else base
        theirs = same[same["point"] == same["point"].iloc[0]] if len(same) else same
        paired = own["unit"].iloc[0] == "judge"
        about |= {"quantity": "to reference", "reference": reference}
        about["metric"] = own["metric"].iloc[0]
        yield about | _compared(own, theirs, paired=paired)


def measures(values: pd.DataFrame) -> pd.DataFrame:
    """The exact AUROC minus the 100-threshold AUC of the same fits, p adjusted likewise (Holm).

    In Table I both protocols are of the same fits.
    """
    parts = []
    detection = values[values["table"].isin(["I", "II"])]
    detection = detection.assign(
        protocol=detection["protocol"].where(detection["table"] == "II", "both")
    )
    for key, group in detection.groupby(KEY, sort=False):
        lines = []
        for model, own in group.groupby([*MODEL, "point"], sort=False):
            about = dict(zip([*KEY, *MODEL, "point"], (*key, *model), strict=True))
            about |= {"quantity": "measure", "metric": EXACT, "reference": PAPERS}
            exact, papers = own[own["metric"] == EXACT], own[own["metric"] == PAPERS]
            lines.append(about | _compared(exact, papers, paired=True))
        part = pd.DataFrame(lines)
        parts.append(part.assign(p_holm=intervals.holm(part["p"])))
    return pd.concat(parts) if parts else pd.DataFrame()


def _compared(ours: pd.DataFrame, theirs: pd.DataFrame, *, paired: bool) -> dict[str, Any]:
    """A difference as columns; pairs that lack one half are left out."""
    ours, theirs = (rows.set_index("number")["value"] for rows in (ours, theirs))
    bootstrap, std = intervals.UNKNOWN, float("nan")
    if paired:
        both = ours.index.intersection(theirs.index)
        ours, theirs = ours[both], theirs[both]
        bootstrap = intervals.bootstrap_interval(list(ours - theirs))
        std = summarise(list(ours - theirs)).std
    result = (intervals.paired if paired else intervals.independent)(list(ours), list(theirs))
    return {
        "n": len(ours), "n_reference": len(theirs), "test": "paired t" if paired else "Welch's t",
        "mean": result.mean, "std": std, "low": result.low, "high": result.high,
        "bootstrap_low": bootstrap[0], "bootstrap_high": bootstrap[1], "p": result.p,
    }  # fmt: skip
