"""The cases of a claim in the numbers of a run, and the table of their verdicts."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from workflow.claims import verdicts
from workflow.claims.claim_run import join
from workflow.claims.claims_file import OVER_X, Claim
from workflow.claims.verdicts import Case, Comparison
from workflow.common import effects
from workflow.common.effects import Effect
from workflow.common.hints import nearest
from workflow.data import registry

COPIED = ["id", "statement", "section", "line", "relation", "margin", "unit", "because", "evidence"]


def evaluate(content: dict[str, Any], evidence: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row for every case of every claim.

    `agrees` says whether the effect itself lies where the claim expects it, however unsure;
    `paper_effect` and `paper_agrees` say the same of the paper's own numbers.

    Args:
        content: what `claims_file.load` returned.
        evidence: name of `claim_evidence.SOURCES` -> its table.

    Raises:
        ValueError: if a claim names a column that its evidence lacks.
    """
    lines = [
        _line(claim, case, content["seeds"])
        for claim in content["claims"]
        for case in cases(claim, evidence.get(claim.get("evidence"), pd.DataFrame()))
    ]
    return pd.DataFrame(lines).astype({"n": "Int64", "line": "Int64"})


def summary(lines: pd.DataFrame) -> pd.DataFrame:
    """A row for every claim: its verdict, and the first case with that verdict as its example."""
    rows = []
    for _, group in lines.groupby("id", sort=False):
        found = list(group["verdict"])
        verdict = verdicts.overall(found)
        example = group[group["verdict"] == (verdict if verdict in found else verdicts.HOLDS)]
        counts = {name.replace(" ", "_"): found.count(name) for name in verdicts.VERDICTS}
        agreeing = {
            "measured": group["agrees"].notna().sum(),
            "agreeing": group["agrees"].eq(True).sum(),
        }
        row = example.iloc[0].to_dict() | {"verdict": verdict, "cases": len(group)}
        rows.append(row | counts | agreeing)
    return pd.DataFrame(rows).astype({"n": "Int64", "line": "Int64"})


def _line(claim: Claim, case: Case, seeds: int) -> dict[str, Any]:
    """One case with its verdict; NaN where there is no number."""
    identity = {key: claim.get(key) for key in COPIED} | {"case": case.name, "one": case.one}
    if case.absent:
        blank = Comparison("", *2 * [Effect(math.nan, math.nan, math.nan, 0)])
        shown, expected = blank, (0.0, 0.0)
        verdict, reason = verdicts.decide(case, expected, 0)
    else:
        expected = verdicts.RANGES[claim["relation"]](claim.get("margin", 0))
        shown = verdicts.hardest(case.comparisons, expected)
        repetitions = 0 if claim.get("exact") else seeds
        verdict, reason = verdicts.decide(case, expected, repetitions)
    papers = [c.paper for c in case.comparisons if not math.isnan(c.paper)]
    paper = min(papers, key=lambda value: verdicts.slack(value, expected), default=math.nan)
    return identity | {
        "rival": shown.rival,
        "effect": shown.effect.value,
        "ci_low": shown.effect.low,
        "ci_high": shown.effect.high,
        "n": shown.effect.n,
        "agrees": _agrees(shown.effect.value, expected),
        "paper_effect": paper,
        "paper_agrees": _agrees(paper, expected),
        "verdict": verdict,
        "reason": reason,
        "remark": case.remark,
    }


def _agrees(value: float, expected: verdicts.Range) -> bool | None:
    return None if math.isnan(value) else bool(verdicts.slack(value, expected) > 0)


def cases(claim: Claim, table: pd.DataFrame) -> Iterator[Case]:
    """Yield every case of a claim in its evidence, with or without numbers."""
    if "unchecked" in claim:
        yield Case("", absent=claim["unchecked"], checkable=False)
        return
    if "test" in claim:
        yield Case("", absent=f"a test decides it: `{claim['test']}`, run by `make test-model`")
        return
    absent = f"it takes {claim['needs']}"
    if table.empty:
        yield Case("", absent=absent)
        return
    _check_columns(claim, table)
    table = table[_selected(table, claim["where"])]
    for values in _combinations(claim, table):
        rows = table[_selected(table, values)]
        name = ", ".join(_written(key, value) for key, value in values.items())
        found = list(_compared(claim, rows))
        yield from (replace(case, name=name) for case in found or [Case("", absent=absent)])


def _check_columns(claim: Claim, table: pd.DataFrame) -> None:
    keys = ("where", "cases", "one", "than", "named")
    wanted = [column for key in keys for column in claim.get(key, ())]
    for column in [*wanted, claim.get("over", "seed"), claim.get("x", "value")]:
        if column not in table:
            raise ValueError(
                f"claim {claim['id']!r}: the evidence {claim['evidence']!r} has no column "
                f"{column!r}; {nearest(column, table)}"
            )


def _selected(table: pd.DataFrame, selector: dict[str, Any]) -> pd.Series:
    """Which rows have the wanted values."""
    result = pd.Series(True, table.index)
    for column, wanted in selector.items():
        result &= table[column].isin(wanted if isinstance(wanted, list) else [wanted])
    return result


def _combinations(claim: Claim, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The values of every case in the table, then of those that `where` lists and it lacks."""
    keys = claim.get("cases", [])
    if not keys:
        return [{}]
    there = table[keys].drop_duplicates().to_dict("records")
    listed = [key for key in keys if isinstance(claim["where"].get(key), list)]
    if not listed:
        return there or [{}]
    have = {tuple(case[key] for key in listed) for case in there}
    wanted = pd.MultiIndex.from_product([claim["where"][key] for key in listed])
    return there + [
        dict(zip(listed, values, strict=True)) for values in wanted if values not in have
    ]


def _written(key: str, value: Any) -> str:
    """`mnist` as MNIST, and what is not telling by itself with its column."""
    plain = isinstance(value, str) and key not in ("layer", "recipe", "noise", "filled", "instance")
    text = registry.title(str(value))
    return text if plain else f"{key.replace('_', ' ')} {text}"


def _compared(claim: Claim, rows: pd.DataFrame) -> Iterator[Case]:
    """Yield the cases of one combination of values; none if there is nothing to compare."""
    if rows.empty:
        return
    if claim["relation"] in OVER_X:
        effect = _trend(claim, rows)
        comparison = Comparison("", effect, effect, _paper_trend(claim, rows))
        listed = {k: v for k, v in claim["where"].items() if k not in claim.get("cases", [])}
        case = _case(claim, rows, [comparison], _unmet(listed, rows))
        yield replace(case, remark=join([case.remark, _exceptions(claim, rows)]))
    elif "against" in claim:
        effect = effects.of_values(_values(claim, rows) - claim["against"])
        yield _case(claim, rows, [Comparison("", effect, effect)])
    else:
        for name, ours in _named(claim, rows[_selected(rows, claim["one"])]):
            yield from _against_rivals(claim, name, ours, rows[_selected(rows, claim["than"])])


def _against_rivals(
    claim: Claim, name: str, ours: pd.DataFrame, others: pd.DataFrame
) -> Iterator[Case]:
    """All rivals in one case, or a case for each."""
    rivals, missing = list(_named(claim, others)), _unmet(claim["than"], others)
    apart = claim.get("apart", False)
    for group in [[rival] for rival in rivals] if apart else [rivals] if rivals else []:
        comparisons = [_comparison(claim, ours, *rival, of=len(group)) for rival in group]
        rows = pd.concat([ours, *(theirs for _, theirs in group)])
        yield replace(_case(claim, rows, comparisons, [] if apart else missing), one=name)
    for rival in missing if apart else []:
        yield Case("", one=name, absent=f"{rival} is missing: it takes {claim['needs']}")


def _comparison(
    claim: Claim, ours: pd.DataFrame, rival: str, theirs: pd.DataFrame, *, of: int
) -> Comparison:
    level = 1 - (1 - effects.LEVEL) / of  # Bonferroni
    paper = ours["paper"].mean() - theirs["paper"].mean()
    both = (_difference(claim, ours, theirs, each) for each in (effects.LEVEL, level))
    return Comparison(rival, *both, paper)


def _difference(claim: Claim, ours: pd.DataFrame, theirs: pd.DataFrame, level: float) -> Effect:
    if theirs["seed"].isna().all() and not theirs["value"].isna().all():  # the literature's
        return effects.of_values(_values(claim, ours) - theirs["value"].mean(), level)
    measure = effects.paired if claim.get("paired") else effects.independent
    return measure(_values(claim, ours), _values(claim, theirs), level)


def _values(claim: Claim, rows: pd.DataFrame) -> pd.Series:
    """One value a repetition."""
    return rows.groupby(claim.get("over", "seed"))["value"].mean()


def _trend(claim: Claim, rows: pd.DataFrame) -> Effect:
    x, measured = claim["x"], rows.dropna(subset="value")
    match claim["relation"]:
        case "increasing":
            return effects.slope(measured, x, claim.get("over", "seed"))
        case "descending":
            return effects.of_number(effects.share_descending(measured[x], measured["value"]))
    return effects.of_number(effects.linearity(measured[x], measured["value"]))


def _exceptions(claim: Claim, rows: pd.DataFrame) -> str:
    """Name the pairs that are not in descending order."""
    if claim["relation"] != "descending":
        return ""
    x, names = claim["x"], claim["named"][0]
    pairs = itertools.product(rows.to_dict("records"), repeat=2)
    wrong = (f"{b[names]} has no less than {a[names]}" for a, b in pairs
             if b[x] > a[x] and b["value"] >= a["value"])  # fmt: skip
    return ", ".join(wrong)


def _paper_trend(claim: Claim, rows: pd.DataFrame) -> float:
    """The trend of the paper's own numbers, one for each instance."""
    printed = rows.dropna(subset="paper").drop_duplicates([claim["x"], "paper"])
    if printed.empty:
        return math.nan
    return _trend(claim, printed.assign(value=printed["paper"], seed=0)).value


def _named(claim: Claim, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each thing compared under its name, as in `RAT-SPN (normal)`."""
    for values, group in rows.groupby(claim["named"], sort=False, dropna=False):
        first, *rest = (str(value) for value in values if pd.notna(value) and value != "")
        if claim["named"][0] not in ("title", "recipe"):
            first = f"{claim['named'][0]} {first}"
        yield first + (f" ({', '.join(rest)})" if rest else ""), group


def _unmet(selector: dict[str, Any], rows: pd.DataFrame) -> list[str]:
    """Values that a selector lists and no row has."""
    return [
        str(value)
        for column, wanted in selector.items()
        if isinstance(wanted, list)
        for value in wanted
        if value not in set(rows[column])
    ]


def _case(
    claim: Claim,
    rows: pd.DataFrame,
    comparisons: Sequence[Comparison],
    missing: Sequence[str] = (),
) -> Case:
    """A case with the scale, failures and remarks of its rows."""
    lacking = (text for several in rows["scale"].unique() for text in several.split("; "))
    return Case(
        name="",
        comparisons=comparisons,
        scale="" if claim.get("exact") else join(lacking),
        missing=missing,
        failed=join(rows.loc[rows["value"].isna(), "reason"]),
        remark=join(rows["remark"]),
    )
