"""How much a choice of grid points on the test images flatters, under each protocol.

The fits, the measure and the scored pixels are a protocol's; the rules of choice alone differ:

- `test`: the highest mean of the measure on the test images themselves, as in the paper;
- `likelihood`: the highest log-likelihood of training images kept aside, inliers alone;
- `held-out class`: the highest mean of the measure on training images kept aside, the outliers
  among them being of a class that is not the test's, by fits that go without both classes;
- `test halves`: the highest mean of the measure on one half of the test images, with outliers
  among them, its value taken from the other half, and the same with the halves exchanged.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow.common import frames, metrics
from workflow.common.summaries import area_summary
from workflow.data import datasets
from workflow.fit import scores
from workflow.outliers import selection
from workflow.outliers.selection import MODEL, RULES, Plan, Rule
from workflow.plan import catalogue

RULE_NAMES = ("test", "likelihood", "held-out class", "test halves")
NO_HELD_OUT = "no fits without a second class: `selection: {held_out: [1]}` makes them"

Halves = Callable[[pd.Series, str, str], tuple[float, float]]
"""A record's row, evidence and metric -> the metric on either half of its test images."""


def table(
    records: pd.DataFrame, plan: Plan, halves: Halves, held_out: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A row for each protocol, model, dataset and rule.

    `held_out` are the tidy records of fits that go without a second class; None are there.

    Columns beside those: `metric`, `candidates` (points that were fitted), `point` (both, joined by
    a slash, where halves choose differently), the value's `n`, `mean`, `std`, `ci_low`, `ci_high`
    in percent, `optimism` (the mean of the rule `test` minus this one's, on halves too where this
    one's are) and `note`.
    """
    records = selection.with_models(records)
    grid = selection.grid_summary(records)
    held_out = records.head(0) if held_out is None else held_out
    lines = []
    for protocol, methods in plan.items():
        for method, points in methods.items():
            evidence = catalogue.method(method).protocols[protocol].evidence
            mine = grid[(grid["method"] == method) & grid["grid_point"].isin(points)]
            for key, group in mine.groupby(MODEL, sort=False):
                about = {"protocol": protocol} | dict(zip(MODEL, key, strict=True))
                about["title"] = group["title"].iloc[0]
                metric = RULES[protocol].metric
                own, others = (
                    rows[
                        (rows["method"] == method)
                        & rows["grid_point"].isin(group["grid_point"])
                        & (rows["dataset"] == about["dataset"])
                    ]
                    for rows in (records, held_out)
                )
                lines += [
                    about | {"metric": metric, "evidence": evidence} | line
                    for line in _rules(group, own, others, evidence, metric, halves)
                ]
    return frames.from_rows(lines, "selection")


def _rules(
    group: pd.DataFrame,
    records: pd.DataFrame,
    held_out: pd.DataFrame,
    evidence: str,
    metric: str,
    halves: Halves,
) -> list[dict[str, Any]]:
    """One line for each rule; a rule that cannot choose says why."""
    measured = group[(group["metric"] == metric) & (group["evidence"] == evidence)]
    candidates = len(measured)
    test = _by_grid(group, evidence, Rule(metric, metric))
    kept_aside = _by_grid(group, evidence, Rule(metric, metrics.VALIDATION))
    by_class = _by_held_out(measured, held_out, evidence, metric)
    halved, of_test = _nothing("no fit"), math.nan
    if candidates:
        halved, of_test = _by_halves(records, test["point"], evidence, metric, halves)
    lines = test, kept_aside, by_class, halved
    flattery = [test["mean"] - line["mean"] for line in lines[:-1]] + [of_test - halved["mean"]]
    return [
        line | {"rule": name, "candidates": candidates, "optimism": optimism}
        for name, line, optimism in zip(RULE_NAMES, lines, flattery, strict=True)
    ]


def _nothing(note: str) -> dict[str, Any]:
    return {"point": "", "note": note} | area_summary([])


def _by_grid(group: pd.DataFrame, evidence: str, rule: Rule) -> dict[str, Any]:
    """The point that a mean over the seeds chooses."""
    try:
        row = selection.chosen_point(group, evidence, rule)
    except ValueError as error:
        return _nothing(str(error))
    if not row["n"] > 0:
        return _nothing(row["reasons"] or "no fit")
    return _taken(row)


def _taken(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `grid_summary` as the point that a rule takes."""
    numbers = {name: row[name] for name in ("n", "mean", "std", "ci_low", "ci_high")}
    return {"point": row["grid_point"], "note": ""} | numbers


def _by_held_out(
    measured: pd.DataFrame, held_out: pd.DataFrame, evidence: str, metric: str
) -> dict[str, Any]:
    """The point whose fits tell held-out classes best, on average over those and the seeds.

    A point that lacks one of the fits that others have cannot be compared, and is not chosen.
    """
    if len(measured) == 1:  # no choice, so that nothing was fitted for one
        return _taken(measured.iloc[0])
    if measured.empty:
        return _nothing("no fit")
    if held_out.empty:
        return _nothing(NO_HELD_OUT)
    seen = held_out[
        (held_out["status"] == "ok")
        & (held_out["top"] == True)  # noqa: E712 (a column of objects)
        & (held_out["metric"] == metric)
        & (held_out["evidence"] == evidence)
        & held_out["grid_point"].isin(measured["grid_point"])
    ]
    values = seen.pivot_table(index=["classes", "seed"], columns="grid_point", values="value")
    values = values.dropna(axis="columns")
    if values.empty:
        return _nothing("no fit without a second class went well")
    best = values.mean().idxmax()
    return _taken(measured[measured["grid_point"] == best].iloc[0])


def _by_halves(
    records: pd.DataFrame, tested: str, evidence: str, metric: str, halves: Halves
) -> tuple[dict[str, Any], float]:
    """The points that either half chooses, and the value of the other half, for every seed.

    Returns:
        The line, and the mean over halves of the point that all test images chose.
    """
    runs = records[records["status"] == "ok"].drop_duplicates(["grid_point", "seed"])
    parts = [
        {"point": run["grid_point"], "seed": run["seed"], 0: first, 1: second}
        for _, run in runs.iterrows()
        for first, second in [halves(run, evidence, metric)]
    ]
    values = pd.DataFrame(parts).pivot(index="seed", columns="point", values=[0, 1])
    points = [values[half].mean().idxmax() for half in (0, 1)]
    crossed = pd.concat([values[1, points[0]], values[0, points[1]]], axis=1).mean(axis=1)
    numbers = area_summary(list(100 * crossed.dropna()))
    of_tested = 100 * pd.concat([values[half, tested] for half in (0, 1)]).mean()
    return {"point": " / ".join(dict.fromkeys(points)), "note": ""} | numbers, of_tested


def halves_of(root: Path) -> Halves:
    """The halves of the fits below a folder, from the scores that they saved."""

    def halves(run: pd.Series, evidence: str, metric: str) -> tuple[float, float]:
        names = (run[key] for key in ("method", "grid_point", "dataset", "classes"))
        saved = scores.read(root.joinpath(*names, f"seed{run['seed']}", "scores.npz"))
        layers = saved.test.get(evidence)
        if not layers:
            return math.nan, math.nan
        top = list(layers.values())[-1]
        inlier = datasets.by_classes(saved.labels, run["classes"])
        measure, first = metrics.METRICS[metric], first_half(saved.labels)
        return tuple(measure(top[half & inlier], top[half & ~inlier]) for half in (first, ~first))

    return halves


def first_half(labels: np.ndarray) -> np.ndarray:
    """Every second image of each class, the first among them: mask [n]."""
    place = pd.Series(labels).groupby(labels).cumcount().to_numpy()
    return place % 2 == 0
