"""Whether DCGMM-E beats the SPNs at outlier detection, and what the protocol changes (Sec. V-C).

From the numbers of Table II; nothing is decided here but whether intervals overlap.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from workflow.common import tables

OURS = "DCGMM-E"
SPNS = ("RAT-SPN", "PD-SPN", "DGCSPN")
CLAIMS = {"paper": "e-beats-spns-as-published", "corrected": "e-beats-spns-corrected"}
"""Protocol -> the claim that DCGMM-E beats every SPN under it."""
PROTOCOLS = tuple(CLAIMS)
KEY = ["title", "variant", "dataset"]


@dataclass(frozen=True)
class Duel:
    """DCGMM-E against the strongest SPN on one dataset under one protocol, in % AUC.

    Attributes:
        outcome: `ahead`, `behind`, or `undecided` if the intervals overlap or there are none.
        n: seeds of the two.
        absent: SPNs without a value.
    """

    protocol: str
    dataset: str
    ours: float
    best: float
    rival: str
    outcome: str
    n: tuple[int, int]
    absent: tuple[str, ...]

    @property
    def difference(self) -> float:
        """By how many points ours is ahead."""
        return self.ours - self.best


def duels(table2: pd.DataFrame) -> list[Duel]:
    """Every protocol and dataset in which both sides have a value."""
    found = []
    for protocol in PROTOCOLS:
        for dataset, group in table2[table2["protocol"] == protocol].groupby("dataset", sort=False):
            measured = group[group["n"] > 0]
            ours = measured[measured["title"] == OURS]
            spns = measured[measured["title"].isin(SPNS)]
            absent = tuple(name for name in SPNS if name not in set(spns["title"]))
            if len(ours) and len(spns):
                rows = ours.iloc[0], spns.loc[spns["mean"].idxmax()]
                found.append(_duel(protocol, str(dataset), *rows, absent))
    return found


def _duel(
    protocol: str, dataset: str, ours: pd.Series, best: pd.Series, absent: tuple[str, ...]
) -> Duel:
    outcome = "undecided"  # as every comparison with NaN is
    if ours["ci_low"] > best["ci_high"]:
        outcome = "ahead"
    elif ours["ci_high"] < best["ci_low"]:
        outcome = "behind"
    seeds = int(ours["n"]), int(best["n"])
    means = ours["mean"], best["mean"]
    return Duel(protocol, dataset, *means, model(best), outcome, seeds, absent)


def answers(found: list[Duel], verdicts: dict[str, str]) -> dict[str, str]:
    """Each protocol's answer over all datasets.

    It is the verdict on the claim, where the run has one, else by intervals alone: `holds`, `does
    not hold`, `mixed`, `undecided` or `not run`.
    """
    return {
        protocol: verdicts.get(claim) or _answer(found, protocol)
        for protocol, claim in CLAIMS.items()
    }


def _answer(found: list[Duel], protocol: str) -> str:
    outcomes = {duel.outcome for duel in found if duel.protocol == protocol}
    if not outcomes:
        return "not run"
    if len(outcomes) > 1:
        return "mixed"
    return {"ahead": "holds", "behind": "does not hold"}.get(outcomes.pop(), "undecided")


def rows(table2: pd.DataFrame) -> list[dict[str, Any]]:
    """A line for DCGMM-E and every SPN on a dataset: its value under both protocols, and printed.

    Values are in %, NaN where there is none.
    """
    shown = table2[table2["title"].isin([OURS, *SPNS])]
    order = {name: place for place, name in enumerate([OURS, *SPNS])}
    shown = shown.sort_values("title", key=lambda titles: titles.map(order), kind="stable")
    lines = []
    for (dataset, name), group in shown.groupby(
        ["dataset", shown.apply(model, axis=1)], sort=False
    ):
        mean = group.set_index("protocol")["mean"].reindex(list(PROTOCOLS))
        lines.append(
            {"dataset": dataset, "model": name, "ours": group["title"].iloc[0] == OURS}
            | {"published": group["paper"].iloc[0], **mean}
        )
    return lines


@dataclass(frozen=True)
class Axis:
    """The range of a chart, in %."""

    low: int
    high: int

    @classmethod
    def of(cls, lines: list[dict[str, Any]]) -> "Axis":
        """From the tens below the lowest value up to 100."""
        values = [line[key] for line in lines for key in ("published", *PROTOCOLS)]
        lowest = min((value for value in values if value == value), default=0)
        return cls(min(int(lowest // 10 * 10), 90), 100)

    def place(self, value: float) -> float:
        """Where a value lies, in % of the axis from its left."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)


def halved(table2: pd.DataFrame) -> list[str]:
    """The SPNs that the release scores on half of an image."""
    paper = table2[(table2["protocol"] == "paper") & (table2["evidence"] == "bottom_half")]
    return [name for name in SPNS if name in set(paper["title"])]


def causes(table2: pd.DataFrame, effects: pd.DataFrame) -> dict[str, list[tuple[str, float]]]:
    """What each difference of the protocols does to the exact AUROC of an SPN, in points.

    Returns:
        `pixels`: whole images instead of their bottom half, where the release takes this;
        `training`: the corrected training instead of the release's, on whole images; each with the
        model and dataset that it was seen in.
    """
    found: dict[str, list[tuple[str, float]]] = {"pixels": [], "training": []}
    corrected = table2[(table2["protocol"] == "corrected") & table2["title"].isin(SPNS)]
    for row in corrected.to_dict("records"):
        same = (effects[KEY] == [row[name] for name in KEY]).all(axis=1)
        mean = effects[same].groupby(["grid_point", "evidence"])["mean"].first()
        chosen, points = row["grid_point"], effects[same]["grid_point"]
        released = next((point for point in points if point != chosen), chosen)
        where = f"{model(row)}, {tables.name(row['dataset'])}"
        half, whole = mean.get((released, "bottom_half")), mean.get((released, "all"))
        corrected_whole = mean.get((chosen, "all"))
        if row["title"] in halved(table2) and half is not None and whole is not None:
            found["pixels"].append((where, whole - half))
        if released != chosen and whole is not None and corrected_whole is not None:
            found["training"].append((where, corrected_whole - whole))
    return found


def model(row: Any) -> str:
    """Title and variant of a competitor, as in `RAT-SPN (normal)`; ours by its title alone."""
    variant = "" if row["title"] == OURS else row["variant"]
    return f"{row['title']} ({variant})" if variant else row["title"]
