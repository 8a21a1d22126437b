"""Table II on the front page: a chart of both protocols, and what sets the protocols apart."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from workflow.claims.headline import PROTOCOLS, Headline
from workflow.common import tables
from workflow.data import registry

KEY = ["title", "variant", "dataset"]


def rows(table2: pd.DataFrame, headline: Headline) -> list[dict[str, Any]]:
    """A line for each of the headline's models on a dataset: both protocols and the printed value.

    Values are in %, NaN where there is none.
    """
    titles = [headline.ours, *headline.rivals]
    shown = table2[table2["title"].isin(titles)]
    shown = shown.sort_values("title", key=lambda names: names.map(titles.index), kind="stable")
    names = pd.Series(map(tables.model, shown["title"], shown["variant"]), shown.index, dtype=str)
    lines = []
    for (dataset, name), group in shown.groupby(["dataset", names], sort=False):
        mean = group.set_index("protocol")["mean"].reindex(list(PROTOCOLS))
        lines.append(
            {"dataset": dataset, "model": name, "ours": group["title"].iloc[0] == headline.ours}
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


def halved(table2: pd.DataFrame, headline: Headline) -> list[str]:
    """The rivals that the release scores on half of an image."""
    paper = table2[(table2["protocol"] == "paper") & (table2["evidence"] == "bottom_half")]
    return [title for title in headline.rivals if title in set(paper["title"])]


def causes(
    table2: pd.DataFrame, effects: pd.DataFrame, headline: Headline
) -> dict[str, list[tuple[str, float]]]:
    """What each difference of the protocols does to the exact AUROC of a rival, in points.

    Returns:
        `pixels`: whole images instead of their bottom half, where the release takes this;
        `training`: the corrected training instead of the release's, on whole images; each with the
        model and dataset that it was seen in.
    """
    found: dict[str, list[tuple[str, float]]] = {"pixels": [], "training": []}
    rivals = table2["title"].isin(headline.rivals)
    for row in table2[(table2["protocol"] == "corrected") & rivals].to_dict("records"):
        same = (effects[KEY] == [row[name] for name in KEY]).all(axis=1)
        mean = effects[same].groupby(["grid_point", "evidence"])["mean"].first()
        chosen, points = row["grid_point"], effects[same]["grid_point"]
        released = next((point for point in points if point != chosen), chosen)
        where = f"{tables.model(row['title'], row['variant'])}, {registry.title(row['dataset'])}"
        half, whole = mean.get((released, "bottom_half")), mean.get((released, "all"))
        corrected_whole = mean.get((chosen, "all"))
        if row["title"] in halved(table2, headline) and half is not None and whole is not None:
            found["pixels"].append((where, whole - half))
        if released != chosen and whole is not None and corrected_whole is not None:
            found["training"].append((where, corrected_whole - whole))
    return found
