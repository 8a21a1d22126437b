"""Choice of one grid point per model: what each protocol measures, and what it chooses by.

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
"""Protocol -> method -> its grid points, in the same order under every protocol."""

MODEL = ["method", "variant", "dataset"]


@dataclass(frozen=True)
class Rule:
    """The metric that a protocol reports, and the one that it chooses a grid point by.

    Attributes:
        metric: of outlier detection.
        choice: metric whose highest mean over seeds chooses.
    """

    metric: str
    choice: str


RULES = {
    "paper": Rule(metric="auc100", choice="auc100"),  # chosen on the test images themselves
    "corrected": Rule(metric="auroc", choice=metrics.VALIDATION),
}


def with_models(records: pd.DataFrame) -> pd.DataFrame:
    """Add the `title` and `variant` of the model to tidy records."""
    models = {}
    for (method, point), group in records.groupby(["method", "grid_point"], sort=False):
        description = catalogue.method(method)
        first = group.iloc[0]
        settings = {
            column.removeprefix("settings."): first[column]
            for column in group
            if column.startswith("settings.")
        }
        models[method, point] = (description.title_of(settings), description.variant_of(settings))
    keys = zip(records["method"], records["grid_point"], strict=True)
    names = pd.DataFrame([models[key] for key in keys], records.index, ["title", "variant"], str)
    return records.assign(title=names["title"], variant=names["variant"])


def grid_summary(records: pd.DataFrame) -> pd.DataFrame:
    """Summarise the top layer over seeds for every grid point, dataset, evidence and metric.

    A point whose every seed failed has one row, without a metric and with n = 0.
    """
    key = ["method", "title", "variant", "grid_point", "dataset"]
    lines = (
        line
        for values, group in records.groupby(key, sort=False)
        for line in _point_lines(dict(zip(key, values, strict=True)), group)
    )
    return frames.from_rows(lines, "table2_grid").astype({"parameters": "Int64"})


def _point_lines(key: dict[str, Any], group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of `grid_summary` for the fits of one grid point on one dataset."""
    succeeded, failed = group[group["status"] == "ok"], group[group["status"] != "ok"]
    runs = succeeded.drop_duplicates("seed")
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

    # One row for every evidence and metric; log-likelihoods stay in nats.
    top = succeeded[succeeded["top"] == True]  # noqa: E712 (a column of objects)
    if top.empty:
        yield common | {"evidence": pd.NA, "metric": pd.NA} | area_summary([])
    for (evidence, metric), values in top.groupby(["evidence", "metric"], sort=False):
        scale = 1 if metric == metrics.VALIDATION else 100
        numbers = area_summary(list(scale * values["value"]))
        if metric == metrics.VALIDATION:  # not an area
            numbers |= {"ci_low": float("nan"), "ci_high": float("nan")}
        yield common | {"evidence": evidence, "metric": metric} | numbers


def choose(grid: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Choose a point for every model and dataset under every protocol of the plan.

    A model whose every point failed has a row with n = 0. A model without images kept aside must
    have a single point.

    Raises:
        ValueError: if a model has several points but nothing to choose them by.
    """
    lines = []
    for protocol, methods in plan.items():
        for method, points in methods.items():
            method_grid = grid[(grid["method"] == method) & grid["grid_point"].isin(points)]
            evidence = catalogue.method(method).protocols[protocol].evidence
            for _, group in method_grid.groupby(MODEL, sort=False):
                line = chosen_point(group, evidence, RULES[protocol])
                lines.append({"protocol": protocol} | line)
    return frames.from_rows(lines, "table2", without=frames.PAPERS)


def chosen_point(group: pd.DataFrame, evidence: str, rule: Rule) -> dict[str, Any]:
    """Choose among the rows of `grid_summary` of one model on one dataset.

    Raises:
        ValueError: if there are several points but nothing to choose them by.
    """
    candidates = group["grid_point"].nunique()
    choice_evidence = evidence if rule.choice == rule.metric else "all"
    choosing = group[(group["metric"] == rule.choice) & (group["evidence"] == choice_evidence)]
    measured = group[(group["metric"] == rule.metric) & (group["evidence"] == evidence)]
    if measured.empty:
        first = group.iloc[0].to_dict()
        return first | {"evidence": evidence, "metric": rule.metric, "candidates": candidates}
    if choosing.empty and len(measured) > 1:
        method = group["method"].iloc[0]
        raise ValueError(f"{method} has {len(measured)} grid points but nothing to choose them by")
    best = measured["grid_point"].iloc[0]
    if not choosing.empty:
        best = choosing.loc[choosing["mean"].idxmax(), "grid_point"]
    row = measured[measured["grid_point"] == best].iloc[0]
    return row.to_dict() | {"candidates": candidates}


def effects(grid: pd.DataFrame, choices: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Exact AUROC of whole and of half images at the corrected choice, under every protocol.

    The corrected protocol's point is trained as each protocol trains; what remains is the effect
    of training (scaling, weights) and of the pixels scored. Methods that both protocols treat alike
    and that have no marginals are left out.
    """
    lines = []
    for row in choices[(choices["protocol"] == "corrected") & (choices["n"] > 0)].itertuples():
        place = plan["corrected"][row.method].index(row.grid_point)
        points = {methods[row.method][place]: None for methods in plan.values()}
        fits = grid[(grid["method"] == row.method) & (grid["dataset"] == row.dataset)]
        exact = fits[(fits["metric"] == "auroc") & fits["grid_point"].isin(points)]
        if len(exact) > 1:
            lines.append(exact)
    return pd.concat(lines).drop_duplicates() if lines else grid.head(0)
