"""The chart of both protocols and the causes beside it, by hand-made rows of Table II."""

import pandas as pd

from workflow.claims import claims_file
from workflow.claims.headline import Headline
from workflow.pages import protocol_chart

HEADLINE = Headline.of(claims_file.load())


def a_row(title, protocol, mean, **more):
    """A row of Table II."""
    row = {
        "title": title, "protocol": protocol, "dataset": "mnist", "variant": "", "n": 5,
        "grid_point": "p", "evidence": "all", "mean": mean, "paper": 90.0,
    }  # fmt: skip
    return row | more


def test_the_chart_has_the_headlines_models_ours_first():
    table2 = pd.DataFrame([
        a_row("PD-SPN", "paper", 61), a_row("RAT-SPN", "paper", 90, variant="normal"),
        a_row("VAE", "paper", 9), a_row("DGCSPN", "paper", float("nan"), n=0),
        a_row("DCGMM-E", "paper", 95), a_row("DCGMM-E", "corrected", 96),
    ])  # fmt: skip
    lines = protocol_chart.rows(table2, HEADLINE)
    assert [line["model"] for line in lines] == ["DCGMM-E", "RAT-SPN (normal)", "PD-SPN", "DGCSPN"]
    ours = lines[0]
    assert (ours["ours"], ours["paper"], ours["corrected"], ours["published"]) == (True, 95, 96, 90)
    axis = protocol_chart.Axis.of(lines)
    assert (axis.low, axis.place(60), axis.place(100)) == (60, 0, 100)
    assert protocol_chart.rows(table2.head(0), HEADLINE) == []


def test_recipes_of_ours_have_a_line_each():
    table2 = pd.DataFrame(
        a_row("DCGMM-E", protocol, 95, variant=recipe)
        for protocol in ("paper", "corrected") for recipe in ("paper", "released")
    )  # fmt: skip
    lines = protocol_chart.rows(table2, HEADLINE)
    assert [line["model"] for line in lines] == ["DCGMM-E (paper)", "DCGMM-E (released)"]


def test_causes_compare_like_with_like():
    table2 = pd.DataFrame([
        a_row("RAT-SPN", "paper", 40, evidence="bottom_half", grid_point="unit"),
        a_row("RAT-SPN", "corrected", 80, grid_point="bytes"),
        a_row("DGCSPN", "paper", 40), a_row("DGCSPN", "corrected", 80),
    ])  # fmt: skip
    effects = pd.DataFrame([
        a_row("RAT-SPN", "", mean, grid_point=point, evidence=evidence)
        for point, evidence, mean in (("unit", "all", 55), ("unit", "bottom_half", 42),
                                      ("bytes", "all", 80), ("bytes", "bottom_half", 70))
    ] + [a_row("DGCSPN", "", mean, evidence=evidence)
         for evidence, mean in (("all", 80), ("bottom_half", 10))])  # fmt: skip
    assert protocol_chart.causes(table2, effects, HEADLINE) == {
        "pixels": [("RAT-SPN, MNIST", 13)], "training": [("RAT-SPN, MNIST", 25)],
    }  # fmt: skip
    assert protocol_chart.causes(table2, effects.head(0), HEADLINE) == {
        "pixels": [],
        "training": [],
    }
