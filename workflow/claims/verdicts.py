"""From effects to verdicts.

A claim expects its effect within a range. It holds where the effect's 95 % interval lies within,
does not hold where the interval lies outside, and is undecided else. Where several things are
compared, all must lie within; one that lies outside refutes the claim, by an interval that is wider
by Bonferroni's rule, since it was sought among several.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from workflow.common.effects import Effect

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
TOO_SMALL, NOT_RUN = "undecided at this scale", "not run"
NOT_CHECKABLE = "not checkable"
VERDICTS = (HOLDS, FAILS, UNDECIDED, TOO_SMALL, NOT_RUN, NOT_CHECKABLE)

_ALL = 1 - 1e-9  # of the pairs
# Relation -> the open range of the effect, given the margin.
RANGES = {
    "greater": lambda margin: (margin, math.inf),
    "less": lambda margin: (-math.inf, -margin),
    "equal": lambda margin: (-margin, margin),
    "slightly_less": lambda margin: (-margin, 0),
    "increasing": lambda margin: (margin, math.inf),
    "descending": lambda margin: (_ALL, math.inf),
    "linear": lambda margin: (margin, math.inf),
}

Range = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """An effect against one rival.

    Attributes:
        rival: its name, empty if there is none.
        effect: with the 95 % interval.
        strict: with the interval by which a claim is refuted.
        paper: the effect by the paper's own numbers, or NaN.
    """

    rival: str
    effect: Effect
    strict: Effect
    paper: float = math.nan


@dataclass(frozen=True)
class Case:
    """One instance of a claim, such as one dataset, and what stands in the way of a verdict.

    Attributes:
        name: which it is.
        one: what the claim is about.
        absent: why there is nothing to compare; the rest is then empty.
        checkable: whether a program could compare at all.
        scale: what the run lacks.
        missing: what should be compared and is not there.
        failed: why values are missing.
        remark: what a reader should know besides.
    """

    name: str
    one: str = ""
    comparisons: Sequence[Comparison] = ()
    absent: str = ""
    checkable: bool = True
    scale: str = ""
    missing: Sequence[str] = field(default=())
    failed: str = ""
    remark: str = ""


def decide(case: Case, expected: Range, repetitions: int) -> tuple[str, str]:
    """The verdict on a case, and its reason.

    Args:
        case: with its comparisons.
        expected: the open range of the effect.
        repetitions: how many every effect takes at least; 0 for exact numbers.
    """
    if case.absent:
        return NOT_RUN if case.checkable else NOT_CHECKABLE, case.absent
    obstacles = _obstacles(case, repetitions)
    if case.scale:
        return TOO_SMALL, "; ".join([case.scale, *obstacles])
    sure = [c for c in case.comparisons if c.effect.n >= repetitions]
    if refuting := [c.rival for c in sure if _outside(c.strict, expected)]:
        return FAILS, _by(refuting, "refuted by ")
    if obstacles:
        return UNDECIDED, "; ".join(obstacles)
    straddling = [c.rival for c in case.comparisons if not _inside(c.effect, expected)]
    if straddling:
        return UNDECIDED, f"the interval reaches over the margin{_by(straddling, ' for ')}"
    return HOLDS, ""


def _obstacles(case: Case, repetitions: int) -> list[str]:
    """What forbids a claim to hold, apart from the scale."""
    found = []
    if case.missing:
        found.append(f"without {', '.join(case.missing)}")
    fewest = min(c.effect.n for c in case.comparisons)
    if fewest < repetitions:
        found.append(f"{fewest} of the {repetitions} repetitions that a verdict takes")
    if case.failed:
        found.append(f"no result: {case.failed}")
    return found


def _by(rivals: Sequence[str], words: str) -> str:
    named = [rival for rival in rivals if rival]
    return f"{words}{', '.join(named)}" if named else ""


def _inside(effect: Effect, expected: Range) -> bool:
    return expected[0] < effect.low and effect.high < expected[1]


def _outside(effect: Effect, expected: Range) -> bool:
    return effect.high <= expected[0] or effect.low >= expected[1]


def slack(value: float, expected: Range) -> float:
    """How far within its range an effect lies; negative outside."""
    return min(value - expected[0], expected[1] - value)


def hardest(comparisons: Sequence[Comparison], expected: Range) -> Comparison:
    """The comparison that speaks least for the claim, of those that have a value."""
    measured = [c for c in comparisons if not math.isnan(c.effect.value)]
    return min(measured or comparisons, key=lambda c: slack(c.effect.value, expected))


def overall(verdicts: Sequence[str]) -> str:
    """The verdict on a claim from those on its cases: all must hold, and none refute it."""
    for verdict in (FAILS, UNDECIDED, TOO_SMALL):
        if verdict in verdicts:
            return verdict
    if HOLDS in verdicts:
        return UNDECIDED if NOT_RUN in verdicts else HOLDS
    return NOT_CHECKABLE if NOT_CHECKABLE in verdicts else NOT_RUN
