"""How much choosing grid points on the test images flatters a model, under each protocol.

Fits, measure and scored pixels are the protocol's; only the rule of choice varies:

- `test`: the highest mean of the measure on the test images themselves, as in the paper;
- `likelihood`: the highest log-likelihood of training images kept aside, inliers alone;
- `held-out class`: the highest mean of the measure on training images kept aside, whose outliers
  are of another class than the test's; the fits leave out both classes;
- `test halves`: the highest mean of the measure on one half of the test images, outliers included;
  its value comes from the other half, averaged over both ways round.
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
    """Compare the rules: a row for each protocol, model, dataset and rule.

    `held_out` holds the tidy records of fits that leave out a second class, or None.

    Further columns: `metric`, `candidates` (points that were fitted), `point` (both, joined by a
    slash, where the halves choose differently), the value's `n`, `mean`, `std`, `ci_low`, `ci_high`
    in percent, `optimism` (the mean under the rule `test` minus that under this one, both on halves
    for `test halves`) and `note`.
    """
    records = selection.with_models(records)
    grid = selection.grid_summary(records)
    held_out = records.head(0) if held_out is None else held_out
    lines = []
    for protocol, methods in plan.items():
        for method, points in methods.items():
            evidence = catalogue.method(method).protocols[protocol].evidence
            method_grid = grid[(grid["method"] == method) & grid["grid_point"].isin(points)]
            for key, group in method_grid.groupby(MODEL, sort=False):
                # One model on one dataset: its records, and those without a second class.
                labels = {"protocol": protocol} | dict(zip(MODEL, key, strict=True))
                labels["title"] = group["title"].iloc[0]
                metric = RULES[protocol].metric
                model_records, model_held_out = (
                    rows[
                        (rows["method"] == method)
                        & rows["grid_point"].isin(group["grid_point"])
                        & (rows["dataset"] == labels["dataset"])
                    ]
                    for rows in (records, held_out)
                )
                choices = _choices(group, model_records, model_held_out, evidence, metric, halves)
                lines += [
                    labels | {"metric": metric, "evidence": evidence} | choice for choice in choices
                ]
    return frames.from_rows(lines, "selection")


def _choices(
    group: pd.DataFrame,
    records: pd.DataFrame,
    held_out: pd.DataFrame,
    evidence: str,
    metric: str,
    halves: Halves,
) -> list[dict[str, Any]]:
    """The choice of each rule; a rule that cannot choose says why."""
    measured = group[(group["metric"] == metric) & (group["evidence"] == evidence)]
    candidates = len(measured)

    # The point that each rule chooses, and its value.
    by_test = _by_grid(group, evidence, Rule(metric, metric))
    by_likelihood = _by_grid(group, evidence, Rule(metric, metrics.VALIDATION))
    by_class = _by_held_out(measured, held_out, evidence, metric)
    by_halves, test_point_mean = _no_choice("no fit"), math.nan
    if candidates:
        by_halves, test_point_mean = _by_halves(records, by_test["point"], evidence, metric, halves)
    choices = by_test, by_likelihood, by_class, by_halves

    # Optimism: the value at the point of `test` minus that at the rule's.
    optimism = [by_test["mean"] - choice["mean"] for choice in choices[:-1]]
    optimism.append(test_point_mean - by_halves["mean"])
    return [
        choice | {"rule": name, "candidates": candidates, "optimism": excess}
        for name, choice, excess in zip(RULE_NAMES, choices, optimism, strict=True)
    ]


def _no_choice(note: str) -> dict[str, Any]:
    return {"point": "", "note": note} | area_summary([])


def _by_grid(group: pd.DataFrame, evidence: str, rule: Rule) -> dict[str, Any]:
    """The point that the rule's metric, averaged over seeds, chooses."""
    try:
        row = selection.chosen_point(group, evidence, rule)
    except ValueError as error:
        return _no_choice(str(error))
    if not row["n"] > 0:
        return _no_choice(row["reasons"] or "no fit")
    return _choice(row)


def _choice(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row of `grid_summary` into the point that a rule chooses."""
    numbers = {name: row[name] for name in ("n", "mean", "std", "ci_low", "ci_high")}
    return {"point": row["grid_point"], "note": ""} | numbers


def _by_held_out(
    measured: pd.DataFrame, held_out: pd.DataFrame, evidence: str, metric: str
) -> dict[str, Any]:
    """The point whose fits reject held-out classes best, on average over classes and seeds.

    A point that lacks a fit that others have cannot be compared with them, and is not chosen.
    """
    if len(measured) == 1:  # no choice, hence no fits to make it
        return _choice(measured.iloc[0])
    if measured.empty:
        return _no_choice("no fit")
    if held_out.empty:
        return _no_choice(NO_HELD_OUT)
    rejections = held_out[
        (held_out["status"] == "ok")
        & (held_out["top"] == True)  # noqa: E712 (a column of objects)
        & (held_out["metric"] == metric)
        & (held_out["evidence"] == evidence)
        & held_out["grid_point"].isin(measured["grid_point"])
    ]
    values = rejections.pivot_table(index=["classes", "seed"], columns="grid_point", values="value")
    values = values.dropna(axis="columns")
    if values.empty:
        return _no_choice("no fit without a second class went well")
    best = values.mean().idxmax()
    return _choice(measured[measured["grid_point"] == best].iloc[0])


def _by_halves(
    records: pd.DataFrame, test_point: str, evidence: str, metric: str, halves: Halves
) -> tuple[dict[str, Any], float]:
    """The point that each half of the test images chooses, valued on the other half.

    Returns:
        The choice, and the mean over both halves at `test_point`, which all test images chose.
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
    test_point_mean = 100 * pd.concat([values[half, test_point] for half in (0, 1)]).mean()
    return {"point": " / ".join(dict.fromkeys(points)), "note": ""} | numbers, test_point_mean


def halves_of(root: Path) -> Halves:
    """Measure halves by the saved scores of the fits below a folder."""

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
    """Every second image of each class, from its first: mask [n]."""
    rank_in_class = pd.Series(labels).groupby(labels).cumcount().to_numpy()
    return rank_in_class % 2 == 0
