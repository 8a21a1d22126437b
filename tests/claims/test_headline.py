"""The headline's answer is the verdict on its claims, whatever its numbers look like alone."""

import pandas as pd
import pytest

from workflow.claims import claim_cases, claims_file, verdicts
from workflow.claims.headline import Headline
from workflow.common import frames

CONTENT = claims_file.load()
HEADLINE = Headline.of(CONTENT)


def fits(protocol, dataset, values, scale=""):
    """Evidence of Table II: five seeds for each model, around a value."""
    return pd.DataFrame(
        {
            "protocol": protocol, "dataset": dataset, "title": title, "variant": "",
            "seed": float(seed), "value": value + seed / 100, "paper": float("nan"),
            "scale": scale, "reason": "", "remark": "",
        }
        for title, value in values.items() for seed in range(5)
    )  # fmt: skip


def answers(*evidence):
    """By protocol."""
    content = CONTENT | {
        "claims": [c for c in CONTENT["claims"] if c["id"] in HEADLINE.claims.values()]
    }
    cases = claim_cases.evaluate(content, {"protocols": pd.concat(evidence)})
    found = HEADLINE.answers(claim_cases.summary(cases), cases)
    return {answer.protocol: answer for answer in found}


def of_both(values, **more):
    return [fits("paper", dataset, values, **more) for dataset in ("mnist", "fashion_mnist")]


AHEAD = {"DCGMM-E": 95, "RAT-SPN": 60, "PD-SPN": 90, "DGCSPN": 70}


def test_the_headline_names_models_of_its_claims():
    assert (HEADLINE.ours, HEADLINE.rivals) == ("DCGMM-E", ("RAT-SPN", "PD-SPN", "DGCSPN"))
    assert HEADLINE.question == "Does DCGMM-E beat the SPNs at outlier detection?"


def test_yes_takes_every_rival_on_every_dataset():
    answer = answers(*of_both(AHEAD))["paper"]
    assert (answer.verdict, answer.short, answer.reason) == (verdicts.HOLDS, "yes", "")
    assert answer.standings[0] == (
        "**MNIST**: holds; ahead by the mean in 3 of 3 comparisons. Hardest rival: PD-SPN, "
        "+5.0 [+5.0, +5.0] points for DCGMM-E, n = 5."
    )
    assert answer.sentence == "Under the paper's protocol: **yes**."


def test_one_rival_on_one_dataset_makes_it_no():
    behind = fits("paper", "fashion_mnist", AHEAD | {"PD-SPN": 99})
    answer = answers(fits("paper", "mnist", AHEAD), behind)["paper"]
    assert (answer.verdict, answer.short) == (verdicts.FAILS, "no")
    assert answer.reason == "refuted by PD-SPN"
    mnist, fashion = answer.standings
    assert "**MNIST**: holds; ahead by the mean in 3 of 3" in mnist
    assert fashion.startswith("**FashionMNIST**: does not hold (holds in 2, does not hold in 1); ")
    assert "2 of 3 comparisons. Hardest rival: PD-SPN, −4.0 [" in fashion


@pytest.mark.parametrize("ours", [95, 5])
def test_a_small_scale_is_neither_yes_nor_no(ours):
    answer = answers(*of_both(AHEAD | {"DCGMM-E": ours}, scale="few images; few epochs"))["paper"]
    assert answer.short == "undecided at this scale"
    assert answer.reason == "few images; few epochs"
    assert all("undecided at this scale; ahead" in text for text in answer.standings)


def test_a_rival_that_is_missing_leaves_it_open():
    without = {title: value for title, value in AHEAD.items() if title != "DGCSPN"}
    answer = answers(*of_both(without))["paper"]
    assert answer.short == "undecided"
    assert answer.reason.startswith("DGCSPN is missing: it takes")
    assert "holds in 2, not run in 1" in answer.standings[0]


def test_a_protocol_without_evidence_is_not_run():
    corrected = answers(*of_both(AHEAD))["corrected"]
    assert (corrected.short, corrected.standings) == ("not run", ())
    assert corrected.reason.startswith("it takes `baselines")
    nothing = (frames.empty(frames.TABLES[name]) for name in ("claims", "claims_cases"))
    assert {answer.verdict for answer in HEADLINE.answers(*nothing)} == {verdicts.NOT_RUN}
