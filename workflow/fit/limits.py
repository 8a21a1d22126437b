"""Refuse fits whose estimated cost exceeds the limits."""

from typing import Any

Limits = dict[str, float | None]
"""`memory_gb` and `hours`; None means no limit."""


class RefusedError(RuntimeError):
    """A fit is estimated to exceed a limit; the message has both numbers.

    Attributes:
        estimate: as `check` would have returned it.
    """

    def __init__(self, message: str, estimate: dict[str, float]) -> None:
        super().__init__(message)
        self.estimate = estimate


def check(model: Any, n: int, limits: Limits) -> dict[str, float]:
    """Estimate the cost of a fit to n images, under the names of the limits.

    Memory comes first: a fit that exceeds it is not timed. Time is estimated only if it is limited,
    since that takes some steps of training.

    Raises:
        RefusedError: if an estimate exceeds its limit.
    """
    estimate = {}
    if hasattr(model, "estimated_memory"):
        estimate["memory_gb"] = round(model.estimated_memory / 2**30, 3)
        _check_limit(estimate, limits, "memory_gb", "GiB of memory")
    if hasattr(model, "estimated_seconds") and limits.get("hours") is not None:
        estimate["hours"] = round(model.estimated_seconds(n) / 3600, 4)
        _check_limit(estimate, limits, "hours", "hours")
    return estimate


def _check_limit(estimate: dict[str, float], limits: Limits, name: str, unit: str) -> None:
    """Raise RefusedError if an estimate exceeds its limit."""
    needed, limit = estimate[name], limits.get(name)
    if limit is not None and needed > limit:
        raise RefusedError(
            f"this fit needs about {needed:.2g} {unit}, but limits.{name} is {limit:g}", estimate
        )
