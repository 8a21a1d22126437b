"""The question that most readers come with, answered by the claims that `claims.yaml` names for it.

Front page, claims page and README say what stands here. Nothing is decided: verdicts are those of
`claims.csv` and `claims_cases.csv`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workflow.claims import verdicts
from workflow.claims.claim_run import join
from workflow.common import tables

PROTOCOLS = {"paper": "Under the paper's protocol", "corrected": "Under the corrected protocol"}
SHORT = {verdicts.HOLDS: "yes", verdicts.FAILS: "no"}


@dataclass(frozen=True)
class Answer:
    """What a run says under one protocol.

    Attributes:
        protocol: its name.
        verdict: on the claim.
        reason: why it is no other verdict.
        standings: a sentence for each dataset.
    """

    protocol: str
    verdict: str
    reason: str = ""
    standings: tuple[str, ...] = ()

    @property
    def opening(self) -> str:
        """`Under the paper's protocol`."""
        return PROTOCOLS[self.protocol]

    @property
    def short(self) -> str:
        """Yes, no, or why it is neither."""
        return SHORT.get(self.verdict, self.verdict)

    @property
    def sentence(self) -> str:
        """The answer and its reason, in Markdown."""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.opening}: **{self.short}**{reason}."


@dataclass(frozen=True)
class Headline:
    """The question, and who answers it.

    Attributes:
        question: as readers ask it.
        claims: protocol -> id of the claim that answers it.
        ours: title of the model that the question is about.
        rivals: titles of those that it is compared with.
    """

    question: str
    claims: dict[str, str]
    ours: str
    rivals: tuple[str, ...]

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Headline":
        """The headline of the file of claims, as `claims_file.load` returns it."""
        question, claims = content["headline"]["question"], content["headline"]["claims"]
        (first, *_) = (one for one in content["claims"] if one["id"] == claims["paper"])
        ours, rivals = first["one"]["title"], first["than"]["title"]
        return cls(question, claims, ours, (rivals,) if isinstance(rivals, str) else tuple(rivals))

    def answers(self, claims: pd.DataFrame, cases: pd.DataFrame) -> list[Answer]:
        """The answer under each protocol.

        Args:
            claims: a row for every claim, as in `claims.csv`.
            cases: a row for every case, as in `claims_cases.csv`.
        """
        found = []
        for protocol, name in self.claims.items():
            verdict = next(iter(claims.loc[claims["id"] == name, "verdict"]), verdicts.NOT_RUN)
            rows = cases[cases["id"] == name]
            found.append(Answer(protocol, verdict, _reason(verdict, rows), (*_standings(rows),)))
        return found


def _reason(verdict: str, rows: pd.DataFrame) -> str:
    """What the cases with the claim's verdict say, or those that did not run, each once."""
    deciding = rows[rows["verdict"] == verdict]
    if verdict == verdicts.FAILS and len(deciding):
        return f"refuted by {', '.join(dict.fromkeys(deciding['rival']))}"
    if deciding.empty:
        deciding = rows[rows["verdict"] == verdicts.NOT_RUN]
    return join(text for reason in deciding["reason"].dropna() for text in reason.split("; "))


def _standings(rows: pd.DataFrame) -> Iterator[str]:
    """As in `MNIST: holds; ahead by the mean in 5 of 5 comparisons. Hardest rival: ...`."""
    for dataset, group in rows.groupby("case", sort=False):
        measured = group[group["effect"].notna()]
        if measured.empty:
            continue
        counts = group["verdict"].value_counts()
        tally = [f"{name} in {counts[name]}" for name in verdicts.VERDICTS if name in counts]
        mixed = f" ({', '.join(tally)})" if len(tally) > 1 else ""
        ahead = measured["effect"].gt(0).sum()
        hardest = measured.loc[measured["effect"].idxmin()]
        yield (
            f"**{dataset}**: {verdicts.overall(list(group['verdict']))}{mixed}; ahead by the mean "
            f"in {ahead} of {len(measured)} comparisons. Hardest rival: {hardest['rival']}, "
            f"{effect(hardest)} points for {hardest['one']}, n = {hardest['n']}."
        )


def effect(row: Any) -> str:
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
