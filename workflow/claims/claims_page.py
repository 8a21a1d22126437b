"""The verdicts for readers: first the question that most come with, then every claim."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from workflow.claims import verdicts
from workflow.claims.claim_run import join
from workflow.common import tables
from workflow.common.tables import DASH, Section

QUESTION = (
    "Does DCGMM-E beat the SPNs at outlier detection, "
    "and why does the answer depend on the protocol?"
)
E = "DCGMM-E"
NETWORKS = ("RAT-SPN", "PD-SPN", "DGCSPN")
E_BEATS = {"paper": "e-beats-spns-as-published", "corrected": "e-beats-spns-corrected"}
WORDS = {"paper": "under the paper's protocol", "corrected": "under the corrected protocol"}

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
    lines: pd.DataFrame, summary: pd.DataFrame, chosen: pd.DataFrame, grid: pd.DataFrame, run: str
) -> list[Section]:
    """The whole page.

    Args:
        lines: a row for every case, from `claim_cases.evaluate`.
        summary: a row for every claim, from `claim_cases.summary`.
        chosen: Table II, empty where the run has none.
        grid: every point of its grids, likewise.
        run: its name.
    """
    steps = pd.DataFrame(_steps(chosen, grid))
    return [
        _answer(lines, steps, run),
        *(
            [Section("What the protocols differ in", STEPS, _step_cells(steps))]
            if len(steps)
            else []
        ),
        _verdicts(summary),
        *(_claim(group) for _, group in lines.groupby("id", sort=False)),
    ]


def _answer(lines: pd.DataFrame, steps: pd.DataFrame, run: str) -> Section:
    """What the run says of DCGMM-E and the networks, a sentence for every dataset."""
    duels = lines[lines["id"].isin(E_BEATS.values()) & lines["effect"].notna()]
    if duels.empty:
        (first, *_) = lines.loc[lines["id"] == E_BEATS["paper"], "reason"]
        return Section(QUESTION, f"Run `{run}` cannot tell: {first}.", pd.DataFrame())
    said = [_of_dataset(name, rows) for name, rows in duels.groupby("case", sort=False)]
    small = duels.loc[duels["verdict"] == verdicts.TOO_SMALL, "reason"]
    if len(small):
        lacking = join(text for reason in small for text in reason.split("; "))
        said.append(
            f"**These are no verdicts on the paper**: run `{run}` is too small ({lacking})."
        )
    said += [*_shifts(steps), DIFFERENT]
    cells = [_duel(rows) for _, rows in duels.groupby(["case", "one", "rival"], sort=False)]
    return Section(QUESTION, "\n\n".join(said), pd.DataFrame(cells))


def _of_dataset(name: str, rows: pd.DataFrame) -> str:
    """As in `MNIST: under the paper's protocol, DCGMM-E is above 3 of 5 networks`."""
    said = []
    for protocol, claim in E_BEATS.items():
        own = rows[rows["id"] == claim]
        if len(own):
            above, surely = (own[column].gt(0).sum() for column in ("effect", "ci_low"))
            below = own["ci_high"].lt(0).sum()
            said.append(
                f"{WORDS[protocol]}, DCGMM-E lies above {above} of {len(own)} networks (by the "
                f"whole 95 % interval above {surely} of them and below {below})"
            )
    return f"**{name}**: {'; '.join(said)}."


def _shifts(steps: pd.DataFrame) -> list[str]:
    """How far both sides move from one protocol to the other, a sentence for every dataset."""
    if steps.empty:
        return []
    said = []
    for dataset, rows in steps.groupby("dataset", sort=False):
        moved = (rows["corrected"] - rows["paper"]).groupby(rows["title"] == E)
        if moved.ngroups == 2 and moved.count().all():
            theirs, ours = (_span(values.dropna()) for _, values in moved)
            said.append(
                f"on {tables.name(dataset)} DCGMM-E by {ours} points, the networks by {theirs}"
            )
    return [f"**Why it depends**: the corrected protocol moves {'; '.join(said)}."] if said else []


def _span(values: pd.Series) -> str:
    low, high = (tables.number(value, signed=True) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _duel(rows: pd.DataFrame) -> dict[str, str]:
    """DCGMM-E against one network, under both protocols."""
    first, own = rows.iloc[0], {row["id"]: row for row in rows.to_dict("records")}
    cells = {"dataset": first["case"], "model": first["one"], "network": first["rival"]}
    for protocol, claim in E_BEATS.items():
        row = own.get(claim)
        cells[f"difference, `{protocol}`"] = effect(row) if row else DASH
        cells[f"verdict, `{protocol}`"] = row["verdict"] if row else DASH
    return cells | {"printed": number(first["paper_effect"], "points"), "n": str(first["n"])}


def _steps(chosen: pd.DataFrame, grid: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """For every model and dataset what it reaches, from one protocol to the other."""
    if chosen.empty or grid.empty:
        return
    key = ["title", "variant", "dataset"]
    exact = grid[grid["metric"] == "auroc"].set_index(
        ["method", "grid_point", "dataset", "evidence"]
    )
    for values, rows in chosen.fillna({"variant": ""}).groupby(key, sort=False):
        own = {row["protocol"]: row for row in rows.to_dict("records")}
        if values[0] not in (E, *NETWORKS) or set(own) != set(E_BEATS):
            continue
        paper, corrected = own["paper"], own["corrected"]
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
            "model": f"{row.title} ({row.variant})" if row.variant else row.title,
            "dataset": tables.name(row.dataset),
            "`paper`": tables.number(row.paper),
            "exact measure": tables.number(row.exact, signed=True),
            "all pixels": tables.number(row.pixels, signed=True),
            "training and choice": tables.number(row.training, signed=True),
            "`corrected`": tables.number(row.corrected),
        }
        for row in steps.itertuples()
    )


def _verdicts(summary: pd.DataFrame) -> Section:
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


def _claim(lines: pd.DataFrame) -> Section:
    """All cases of one claim."""
    first = lines.iloc[0]
    source = f"({first['section']}, line {first['line']} of the text.)"
    caption = f"{first['statement']} {source} {first['because']}"
    silent = set(lines["verdict"]) <= {verdicts.NOT_RUN, verdicts.NOT_CHECKABLE}
    if silent and lines["reason"].nunique() == 1:
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
        for row in lines.to_dict("records")
    ]
    return Section(f"`{first['id']}`", caption, pd.DataFrame(cells))


def effect(row: dict[str, Any]) -> str:
    """`+3.1 [1.0, 5.2]`, or the number alone where there is no interval."""
    text = number(row["effect"], row["unit"])
    if pd.isna(row["ci_low"]) or row["ci_low"] == row["ci_high"]:
        return text
    return f"{text} [{number(row['ci_low'], row['unit'])}, {number(row['ci_high'], row['unit'])}]"


def number(value: float, unit: str | None) -> str:
    """A difference with its sign, finer where it is not of points or percent; a share has none."""
    unit = unit if isinstance(unit, str) else ""  # a CSV has NaN for none
    digits = 1 if unit.startswith(("points", "%", "nats")) else 3
    return tables.number(value, digits, signed=not unit.startswith(("share", "R²")))
