"""The verdicts for readers: first the question that most come with, then every claim."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from workflow.claims import verdicts
from workflow.claims.headline import Answer, Headline, effect, number
from workflow.common import tables
from workflow.common.tables import DASH, Section
from workflow.data import registry

DIFFERENT = (
    "DCGMM-E is trained and scored alike under both protocols; the measure alone differs, the "
    "100-threshold AUC or the exact AUROC. The networks (sum-product networks, SPNs) meet more as "
    "their releases run them: RAT-SPN and PD-SPN are scored on the bottom half of an image, "
    "binomial leaves of 255 trials see pixels in [0, 1], DGCSPN weighs an image by the number of "
    "its class; and a point of a grid is chosen by its test result. The corrected protocol mends "
    "these. `printed` is the difference by the paper's Table II."
)
STEPS = (
    "AUC in %, and in points what each step from the paper's protocol to the corrected one adds, "
    "one after the other: the exact measure, scores of all pixels instead of the bottom half, and "
    "training as corrected with the point of the grid that the corrected protocol chooses."
)
READING = (
    "A claim *holds* if the 95 % t interval of its effect lies within its margin in all of its "
    "cases, *does not hold* if the interval lies outside in one, and is *undecided* else. It is "
    "*undecided at this scale* where a run lacks the paper's images or schedules, whatever its "
    "numbers, *not run* where nothing in the run can show it, and *not checkable* where no program "
    "can. `as claimed` counts the cases "
    "whose effect, however unsure, lies where the paper says. The effect is that of the first case "
    "that has the claim's verdict; the last column is the same effect by the paper's own numbers."
)


def sections(
    headline: Headline,
    answers: Sequence[Answer],
    cases: pd.DataFrame,
    summary: pd.DataFrame,
    chosen: pd.DataFrame,
    grid: pd.DataFrame,
    run: str,
) -> list[Section]:
    """The whole page.

    Args:
        headline: the question that comes first.
        answers: to it, from `headline.answers`.
        cases: a row for every case, from `claim_cases.evaluate`.
        summary: a row for every claim, from `claim_cases.summary`.
        chosen: Table II, empty where the run has none.
        grid: every point of its grids, likewise.
        run: its name.
    """
    steps = pd.DataFrame(_protocol_steps(headline, chosen, grid))
    step_section = Section("What the protocols differ in", STEPS, _step_cells(steps))
    return [
        _headline_section(headline, answers, cases, steps, run),
        *([step_section] if len(steps) else []),
        _every_claim(summary),
        *(_claim_section(group) for _, group in cases.groupby("id", sort=False)),
    ]


def _headline_section(
    headline: Headline,
    answers: Sequence[Answer],
    cases: pd.DataFrame,
    steps: pd.DataFrame,
    run: str,
) -> Section:
    """The question, its answers, and the comparisons that they rest on."""
    title = headline.question.replace("?", ", and why does the answer depend on the protocol?")
    duels = cases[cases["id"].isin(headline.claims.values()) & cases["effect"].notna()]
    if duels.empty:
        return Section(title, f"Run `{run}` cannot tell: {answers[0].reason}.", pd.DataFrame())
    paragraphs = [" ".join([answer.sentence, *answer.standings]) for answer in answers]
    if {answer.verdict for answer in answers} <= {verdicts.TOO_SMALL, verdicts.NOT_RUN}:
        paragraphs.append(f"**These are no verdicts on the paper**: run `{run}` is too small.")
    paragraphs += [*_shifts(steps, headline.ours), DIFFERENT]
    key = ["case", "one", "rival"]
    cells = [_duel_cells(headline, rows) for _, rows in duels.groupby(key, sort=False)]
    return Section(title, "\n\n".join(paragraphs), pd.DataFrame(cells))


def _shifts(steps: pd.DataFrame, ours: str) -> list[str]:
    """How far both sides move from one protocol to the other, on every dataset; or nothing."""
    if steps.empty:
        return []
    shifts = []
    for dataset, rows in steps.groupby("dataset", sort=False):
        moved = (rows["corrected"] - rows["paper"]).groupby(rows["title"] == ours)
        if moved.ngroups == 2 and moved.count().all():
            theirs, own = (_span(values.dropna()) for _, values in moved)
            shifts.append(
                f"on {registry.title(dataset)} {ours} by {own} points, the networks by {theirs}"
            )
    if not shifts:
        return []
    return [f"**Why it depends**: the corrected protocol moves {'; '.join(shifts)}."]


def _span(values: pd.Series) -> str:
    low, high = (tables.number(value, signed=True) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _duel_cells(headline: Headline, rows: pd.DataFrame) -> dict[str, str]:
    """Our model against one network, under both protocols."""
    first, by_claim = rows.iloc[0], {row["id"]: row for row in rows.to_dict("records")}
    cells = {"dataset": first["case"], "model": first["one"], "network": first["rival"]}
    for protocol, claim in headline.claims.items():
        row = by_claim.get(claim)
        cells[f"difference, `{protocol}`"] = effect(row) if row else DASH
        cells[f"verdict, `{protocol}`"] = row["verdict"] if row else DASH
    return cells | {"printed": number(first["paper_effect"], "points"), "n": str(first["n"])}


def _protocol_steps(
    headline: Headline, chosen: pd.DataFrame, grid: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """What each model reaches on a dataset, step by step from one protocol to the other."""
    if chosen.empty or grid.empty:
        return
    key = ["title", "variant", "dataset"]
    exact = grid[grid["metric"] == "auroc"].set_index(
        ["method", "grid_point", "dataset", "evidence"]
    )
    for values, rows in chosen.fillna({"variant": ""}).groupby(key, sort=False):
        by_protocol = {row["protocol"]: row for row in rows.to_dict("records")}
        titles = (headline.ours, *headline.rivals)
        if values[0] not in titles or by_protocol.keys() != headline.claims.keys():
            continue
        paper, corrected = by_protocol["paper"], by_protocol["corrected"]
        place = (paper["method"], paper["grid_point"], paper["dataset"])
        seen, whole = (exact["mean"].get((*place, e), math.nan) for e in (paper["evidence"], "all"))
        yield dict(zip(key, values, strict=True)) | {
            "paper": paper["mean"],
            "exact": seen - paper["mean"],
            "pixels": whole - seen,
            "training": corrected["mean"] - whole,
            "corrected": corrected["mean"],
        }


def _step_cells(steps: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": tables.model(row.title, row.variant),
            "dataset": registry.title(row.dataset),
            "`paper`": tables.number(row.paper),
            "exact measure": tables.number(row.exact, signed=True),
            "all pixels": tables.number(row.pixels, signed=True),
            "training and choice": tables.number(row.training, signed=True),
            "`corrected`": tables.number(row.corrected),
        }
        for row in steps.itertuples()
    )


def _every_claim(summary: pd.DataFrame) -> Section:
    """A row for every claim."""
    counts = summary["verdict"].value_counts()
    tally = ", ".join(f"{counts[v]} {v}" for v in verdicts.VERDICTS if v in counts)
    cells = [
        {
            "claim": row["statement"],
            "section": row["section"],
            "verdict": f"**{row['verdict']}**",
            "as claimed": f"{row['agreeing']} of {row['measured']}" if row["measured"] else DASH,
            "effect": effect(row),
            "by the paper's numbers": number(row["paper_effect"], row["unit"]),
        }
        for row in summary.to_dict("records")
    ]
    return Section(f"Every claim: {tally}", READING, pd.DataFrame(cells))


def _claim_section(cases: pd.DataFrame) -> Section:
    """All cases of one claim."""
    first = cases.iloc[0]
    source = f"({first['section']}, line {first['line']} of the text.)"
    caption = f"{first['statement']} {source} {first['because']}"
    silent = set(cases["verdict"]) <= {verdicts.NOT_RUN, verdicts.NOT_CHECKABLE}
    if silent and cases["reason"].nunique() == 1:
        text = f"{caption} {first['verdict'].capitalize()}: {first['reason'].rstrip('.')}."
        return Section(f"`{first['id']}`", text, pd.DataFrame())
    margin = "" if pd.isna(first["margin"]) else f", margin {first['margin']:g}"
    caption += (
        f" Effect in {first['unit']}; expected: {first['relation'].replace('_', ' ')}{margin}."
    )
    cells = [
        {
            "case": row["case"] or "all",
            "compared": " against ".join(filter(None, (row["one"], row["rival"]))) or DASH,
            "effect": effect(row),
            "n": str(row["n"]) if row["n"] else DASH,
            "printed": number(row["paper_effect"], row["unit"]),
            "verdict": row["verdict"],
            "why": "; ".join(filter(None, (row["reason"], row["remark"]))) or DASH,
        }
        for row in cases.to_dict("records")
    ]
    table = pd.DataFrame(cells)
    if len(table) > 1 and table["why"].nunique() == 1:  # once, not in every row
        why = table.pop("why").iloc[0]
        caption += "" if why == DASH else f" Why, in every case: {why}."
    return Section(f"`{first['id']}`", caption, table)
