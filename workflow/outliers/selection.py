"""From the fits of a grid to one point a model: what each protocol measures, and how it chooses.

A model is a method with the values of its variants (`RAT-SPN` with `normal` leaves). Values are in
percent, except log-likelihoods, which are in nats.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workflow.common import frames, metrics
from workflow.common.summaries import area_summary
from workflow.plan import catalogue

Plan = dict[str, dict[str, list[str]]]
"""Protocol -> method -> its grid points; a point's place is the same under every protocol."""

MODEL = ["method", "variant", "dataset"]


@dataclass(frozen=True)
class Rule:
    """What a protocol measures, and by which figure it chooses a grid point.

    Attributes:
        metric: of the outlier test.
        choice: metric whose highest mean over seeds chooses.
    """

    metric: str
    choice: str


RULES = {
    "paper": Rule(metric="auc100", choice="auc100"),  # chosen on the test images themselves
    "corrected": Rule(metric="auroc", choice=metrics.VALIDATION),
}


def with_models(records: pd.DataFrame) -> pd.DataFrame:
    """The tidy records with `title` and `variant` of their model."""
    models = {}
    for (method, point), group in records.groupby(["method", "grid_point"], sort=False):
        about = catalogue.method(method)
        first = group.iloc[0]
        settings = {
            column.removeprefix("settings."): first[column]
            for column in group
            if column.startswith("settings.")
        }
        variant = ", ".join(str(settings[name]) for name in about.variants)
        models[method, point] = (about.title_of(settings), variant)
    keys = zip(records["method"], records["grid_point"], strict=True)
    told = pd.DataFrame([models[key] for key in keys], records.index, ["title", "variant"], str)
    return records.assign(title=told["title"], variant=told["variant"])


def grid_summary(records: pd.DataFrame) -> pd.DataFrame:
    """Statistics over seeds for every point, dataset, evidence and metric of the top layer.

    A point whose every seed failed has one row, of no metric and n = 0.
    """
    key = ["method", "title", "variant", "grid_point", "dataset"]
    lines = (
        line
        for values, group in records.groupby(key, sort=False)
        for line in _point_lines(dict(zip(key, values, strict=True)), group)
    )
    return frames.from_rows(lines, "table2_grid").astype({"parameters": "Int64"})


def _point_lines(key: dict[str, Any], group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    fine, failed = group[group["status"] == "ok"], group[group["status"] != "ok"]
    runs = fine.drop_duplicates("seed")
    reasons = {f"{row.status}: {row.reason}": None for row in failed.itertuples()}
    common = key | {
        "seeds": group["seed"].nunique(),
        "failed": failed["seed"].nunique(),
        "reasons": "; ".join(reasons),
        "parameters": group["parameter_count"].max(),
        "train_images": group["train_images"].max(),
        "seconds_fit": runs["seconds_fit"].mean(),
        "memory_mb": runs["memory_mb"].max(),
        "estimate_memory_gb": group["estimate_memory_gb"].max(),
        "estimate_hours": group["estimate_hours"].max(),
    }
    top = fine[fine["top"] == True]  # noqa: E712 (a column of objects)
    if top.empty:
        yield common | {"evidence": pd.NA, "metric": pd.NA} | area_summary([])
    for (evidence, metric), values in top.groupby(["evidence", "metric"], sort=False):
        scale = 1 if metric == metrics.VALIDATION else 100
        numbers = area_summary(list(scale * values["value"]))
        if metric == metrics.VALIDATION:  # not an area
            numbers |= {"ci_low": float("nan"), "ci_high": float("nan")}
        yield common | {"evidence": evidence, "metric": metric} | numbers


def choose(grid: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The chosen point of every model and dataset under every protocol of the plan, with its value.

    A model none of whose points could be fitted has a row with n = 0. Where nothing was kept aside
    to choose by, there must be a single point.

    Raises:
        ValueError: if several points could not be told apart.
    """
    lines = []
    for protocol, methods in plan.items():
        for method, points in methods.items():
            mine = grid[(grid["method"] == method) & grid["grid_point"].isin(points)]
            evidence = catalogue.method(method).protocols[protocol].evidence
            for _, group in mine.groupby(MODEL, sort=False):
                line = chosen_point(group, evidence, RULES[protocol])
                lines.append({"protocol": protocol} | line)
    return frames.from_rows(lines, "table2", without=frames.PAPERS)


def chosen_point(group: pd.DataFrame, evidence: str, rule: Rule) -> dict[str, Any]:
    """One model on one dataset, rows of `grid_summary`: the row of its chosen point.

    Raises:
        ValueError: if several points could not be told apart.
    """
    candidates = group["grid_point"].nunique()
    seen = evidence if rule.choice == rule.metric else "all"
    by = group[(group["metric"] == rule.choice) & (group["evidence"] == seen)]
    measured = group[(group["metric"] == rule.metric) & (group["evidence"] == evidence)]
    if measured.empty:
        first = group.iloc[0].to_dict()
        return first | {"evidence": evidence, "metric": rule.metric, "candidates": candidates}
    if by.empty and len(measured) > 1:
        method = group["method"].iloc[0]
        raise ValueError(f"{method} has {len(measured)} grid points but nothing to choose them by")
    best = measured["grid_point"].iloc[0]
    if not by.empty:
        best = by.loc[by["mean"].idxmax(), "grid_point"]
    row = measured[measured["grid_point"] == best].iloc[0]
    return row.to_dict() | {"candidates": candidates}


def effects(grid: pd.DataFrame, chosen: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The exact AUROC of whole and of half images, at the corrected choice under every protocol.

    The same place in the grid as the corrected protocol's choice, trained as each protocol trains:
    what remains is the effect of training (scaling, weights), and of the pixels that are scored.
    Methods on which the protocols agree, and without marginals, are left out.
    """
    lines = []
    for row in chosen[(chosen["protocol"] == "corrected") & (chosen["n"] > 0)].itertuples():
        place = plan["corrected"][row.method].index(row.grid_point)
        points = {methods[row.method][place]: None for methods in plan.values()}
        mine = grid[(grid["method"] == row.method) & (grid["dataset"] == row.dataset)]
        exact = mine[(mine["metric"] == "auroc") & mine["grid_point"].isin(points)]
        if len(exact) > 1:
            lines.append(exact)
    return pd.concat(lines).drop_duplicates() if lines else grid.head(0)
