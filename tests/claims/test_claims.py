"""Claims: each relation against hand-made tables, and verdicts that follow the numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workflow.claims import claim_cases, verdicts
from workflow.claims.verdicts import FAILS, HOLDS, NOT_RUN, TOO_SMALL, UNDECIDED
from workflow.common import effects

CLAIM = {
    "id": "first", "statement": "A beats all.", "section": "V", "line": 1, "because": "so",
    "relation": "greater", "margin": 0, "unit": "points", "evidence": "outliers",
    "where": {"metric": "auroc"}, "one": {"title": "A"}, "than": {"title": ["B", "C"]},
    "named": ["title"], "needs": "more",
}  # fmt: skip
SURE = {"A": [9.0, 9.1, 8.9], "B": [1.0, 1.1, 0.9], "C": [5.0, 5.1, 4.9]}


def table(values=SURE, **more):
    """A row for every value; seeds count from 0."""
    return pd.DataFrame(
        {"title": title, "seed": float(seed), "value": value, "metric": "auroc"}
        | {"paper": math.nan, "scale": "", "reason": "", "remark": ""} | more
        for title, several in values.items() for seed, value in enumerate(several)
    )  # fmt: skip


def lines(rows, seeds=3, **changes):
    """All cases of the example claim after some changes; None takes a key away."""
    claim = {key: v for key, v in (CLAIM | changes).items() if v is not None}
    evidence = {claim.get("evidence"): rows}
    return claim_cases.evaluate({"seeds": seeds, "claims": [claim]}, evidence)


def verdict(rows, seeds=3, **changes):
    (row,) = lines(rows, seeds, **changes).to_dict("records")
    return row["verdict"]


def case(rows, seeds=3, **changes):
    (row,) = lines(rows, seeds, **changes).to_dict("records")
    return row


def test_a_claim_of_the_best_rests_on_its_hardest_rival():
    row = case(table())
    assert (row["verdict"], row["rival"], row["n"]) == (HOLDS, "C", 3)
    assert row["effect"] == pytest.approx(4.0)
    expected = stats.ttest_ind(SURE["A"], SURE["C"], equal_var=False).confidence_interval()
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected))
    assert row["agrees"]


@pytest.mark.parametrize(
    ("relation", "margin", "a", "b", "expected"),
    [
        ("greater", 0, 9, 5, HOLDS),
        ("greater", 0, 5, 9, FAILS),
        ("greater", 3, 9, 5, HOLDS),
        ("greater", 5, 9, 5, FAILS),
        ("greater", -2, 4, 5, HOLDS),
        ("greater", -2, 2, 5, FAILS),
        ("less", 0, 5, 9, HOLDS),
        ("less", 0, 9, 5, FAILS),
        ("less", 5, 5, 9, FAILS),
        ("equal", 1, 5.2, 5, HOLDS),
        ("equal", 1, 4.8, 5, HOLDS),
        ("equal", 1, 7, 5, FAILS),
        ("equal", 1, 3, 5, FAILS),
        ("slightly_less", 2, 4, 5, HOLDS),
        ("slightly_less", 2, 6, 5, FAILS),
        ("slightly_less", 2, 1, 5, FAILS),
    ],
)
def test_verdicts_flip_with_the_numbers(relation, margin, a, b, expected):
    spread = np.array([0.1, 0, -0.1])
    rows = table({"A": a + spread, "B": b + spread})
    found = verdict(rows, relation=relation, margin=margin, than={"title": "B"})
    assert found == expected
    wide = table({"A": a + 60 * spread, "B": b + 60 * spread})
    assert verdict(wide, relation=relation, margin=margin, than={"title": "B"}) == UNDECIDED


@pytest.mark.parametrize(("relation", "margin"), [("greater", 0), ("less", 0), ("equal", 1)])
def test_ties_are_equal_and_nothing_else(relation, margin):
    rows = table({"A": [5, 5, 5], "B": [5, 5, 5]})
    found = verdict(rows, relation=relation, margin=margin, than={"title": "B"})
    assert found == (HOLDS if relation == "equal" else FAILS)


def test_a_single_rival_that_is_better_refutes_and_one_unsure_leaves_open():
    assert verdict(table(SURE | {"C": [20, 20.1, 19.9]})) == FAILS
    row = case(table(SURE | {"C": [4, 9, 14]}))
    assert row["verdict"] == UNDECIDED and row["reason"].endswith("for C")


def test_refuting_among_many_takes_a_wider_interval():
    rng = np.random.default_rng(0)
    others = {name: rng.normal(0, 1, 5) for name in "CDEFG"}
    close = {"A": [0, 1, 2, 3, 4], "B": [2.4, 3.4, 4.4, 5.4, 6.4]}  # refutes alone, by a hair
    alone = case(table(close), 5, than={"title": "B"})
    assert alone["verdict"] == FAILS and -0.5 < alone["ci_high"] <= 0
    among = case(table(close | others), 5, than={"title": list("BCDEFG")})
    assert among["verdict"] == UNDECIDED and among["rival"] == "B"


def test_pairs_are_told_from_independent_repetitions():
    rows = table({"A": [10, 20, 30.1], "B": [9, 19, 29]})
    apart = verdict(rows, than={"title": "B"})
    assert (apart, verdict(rows, than={"title": "B"}, paired=True)) == (UNDECIDED, HOLDS)
    shuffled = rows.sample(frac=1, random_state=3)
    row = case(shuffled, than={"title": "B"}, paired=True)
    expected = stats.ttest_rel([10, 20, 30.1], [9, 19, 29]).confidence_interval()
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected))


def test_too_few_repetitions_give_no_verdict_but_an_effect():
    row = case(table(), seeds=5)
    assert row["verdict"] == UNDECIDED and row["effect"] == pytest.approx(4)
    assert row["reason"] == "3 of the 5 repetitions that a verdict takes"
    one = case(table({name: values[:1] for name, values in SURE.items()}), seeds=2)
    assert one["verdict"] == UNDECIDED and math.isnan(one["ci_low"]) and one["effect"] == 4


def test_failed_rows_are_told_and_cost_repetitions():
    rows = table(SURE | {"C": [5.0, math.nan, 4.9]})
    rows.loc[rows["value"].isna(), "reason"] = "diverged: the loss is nan"
    row = case(rows)
    assert row["verdict"] == UNDECIDED
    assert "2 of the 3" in row["reason"] and "diverged: the loss is nan" in row["reason"]
    lost = table(SURE | {"B": 3 * [math.nan]})
    assert verdict(lost) == UNDECIDED, "B may have been better"
    assert verdict(pd.concat([lost, table({"C": [20, 20, 20]})[:0]])) == UNDECIDED
    nothing = case(table({name: 3 * [math.nan] for name in "ABC"}))
    assert nothing["verdict"] == UNDECIDED and math.isnan(nothing["effect"])


def test_a_rival_that_is_not_there_is_named():
    row = case(table({name: SURE[name] for name in "AB"}))
    assert (row["verdict"], row["reason"]) == (UNDECIDED, "without C")
    worse = SURE | {"A": [0, 0.1, 0.2]}
    assert verdict(table({name: worse[name] for name in "AB"})) == FAILS, "B is enough"


def test_rivals_apart_are_cases_and_missing_ones_are_not_run():
    found = lines(table({name: SURE[name] for name in "AB"}), apart=True)
    assert found["verdict"].tolist() == [HOLDS, NOT_RUN]
    assert "C is missing: it takes more" in found["reason"].iloc[1]
    assert claim_cases.summary(found)["verdict"].tolist() == [UNDECIDED]


def test_nothing_to_compare_is_not_run():
    for rows in (pd.DataFrame(), table()[:0], table({"B": [1, 2, 3]}), table({"A": [1, 2, 3]})):
        row = case(rows)
        assert (row["verdict"], row["reason"]) == (NOT_RUN, "it takes more")


def test_cases_that_are_asked_for_and_absent_are_not_dropped():
    where = {"metric": ["auroc", "auc100"]}
    found = lines(table(), where=where, cases=["metric"]).set_index("case")["verdict"]
    assert found.to_dict() == {"auroc": HOLDS, "auc100": NOT_RUN}


def test_scale_forbids_a_verdict_but_not_the_numbers():
    row = case(table(scale="the shipped subset; schedule `short`"))
    assert row["verdict"] == TOO_SMALL and row["effect"] == pytest.approx(4)
    assert row["reason"] == "the shipped subset; schedule `short`"
    assert verdict(table(scale="the shipped subset"), exact=True) == HOLDS


def test_the_papers_own_numbers_are_put_to_the_same_test():
    rows = table()
    rows["paper"] = rows["title"].map({"A": 3.0, "B": 1.0, "C": 4.5})
    row = case(rows)
    assert row["paper_effect"] == pytest.approx(-1.5) and not row["paper_agrees"]


def over_depth(*values, noise=0.1):
    """Instances of depths 1, 2, ... with three seeds each."""
    titles = {f"{n}": [value - noise, value, value + noise] for n, value in enumerate(values, 1)}
    rows = table(titles)
    return rows.assign(depth=rows["title"].astype(int), paper=10 - rows["title"].astype(float))


@pytest.mark.parametrize(
    ("values", "expected"),
    [((1, 2, 3.1), HOLDS), ((3.1, 2, 1), FAILS), ((2, 2, 2), FAILS), ((1, 3, 2), HOLDS)],
)
def test_increasing_is_a_slope(values, expected):
    claim = {"relation": "increasing", "x": "depth", "one": None, "than": None, "named": None}
    row = case(over_depth(*values), **claim)
    assert row["verdict"] == expected
    assert row["effect"] == pytest.approx(np.polyfit([1, 2, 3], values, 1)[0], abs=1e-9)
    assert row["paper_effect"] == pytest.approx(-1)
    listed = {"metric": "auroc", "title": ["1", "2", "3", "4"]}
    assert case(over_depth(*values), where=listed, **claim)["reason"].endswith("without 4") or (
        expected == FAILS
    )


def test_descending_compares_every_pair_of_exact_numbers():
    claim = {"relation": "descending", "x": "depth", "exact": True, "margin": None}
    one_each = {"1": [9], "2": [7], "3": [5]}
    rows = table(one_each).assign(depth=[1, 2, 3])
    assert case(rows, **claim)["verdict"] == HOLDS
    rows["value"] = [6, 7, 5]
    row = case(rows, **claim)
    assert (row["verdict"], row["effect"]) == (FAILS, pytest.approx(2 / 3))
    assert row["remark"] == "2 has no less than 1"
    rows["value"] = [7, 7, 5]
    assert case(rows, **claim)["verdict"] == FAILS, "a tie does not descend"
    same = table({"1": [9], "2": [7]}).assign(depth=[2, 2])
    assert case(same, **claim)["verdict"] == UNDECIDED, "nothing differs in depth"


def test_linear_is_the_share_that_a_line_explains():
    claim = {"relation": "linear", "x": "depth", "exact": True, "margin": 0.99}
    rows = table({"1": range(7)}).assign(depth=range(1, 8))
    assert case(rows, **claim)["verdict"] == HOLDS
    bent = rows.assign(value=2.0 ** rows["depth"])
    row = case(bent, **claim)
    assert row["verdict"] == FAILS
    assert row["effect"] == pytest.approx(np.corrcoef(bent["depth"], bent["value"])[0, 1] ** 2)
    assert case(rows[:2], **claim)["verdict"] == UNDECIDED, "two points are always on a line"


def test_literature_is_a_number_without_a_spread():
    rows = pd.concat([table({"A": [4, 4.1, 3.9]}), table({"B": [5.0]}).assign(seed=math.nan)])
    row = case(rows, relation="slightly_less", margin=2, than={"title": "B"})
    expected = stats.ttest_1samp([-1, -0.9, -1.1], 0).confidence_interval()
    assert (row["verdict"], row["n"]) == (HOLDS, 3)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([HOLDS, HOLDS], HOLDS),
        ([HOLDS, FAILS, NOT_RUN], FAILS),
        ([HOLDS, UNDECIDED], UNDECIDED),
        ([HOLDS, TOO_SMALL], TOO_SMALL),
        ([HOLDS, NOT_RUN], UNDECIDED),
        ([NOT_RUN, NOT_RUN], NOT_RUN),
    ],
)
def test_a_claim_holds_if_all_of_its_cases_do(found, expected):
    assert verdicts.overall(found) == expected


def test_intervals_without_spread_have_no_width():
    flat = pd.Series([1.0, 1.0])
    effect = effects.independent(flat, flat + 2)
    assert (effect.value, effect.low, effect.high, effect.n) == (-2, -2, -2, 2)
    assert math.isnan(effects.independent(flat[:1], flat).low)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"claim 'first': .* no column 'titel'; did you mean"):
        lines(table(), one={"titel": "A"})
