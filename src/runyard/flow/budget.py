"""Whether a job has a retry left, and what is spent with it. Pure.

A stretch of time begins with the first retry in it and is as long as the job says. What was decided
by a clock that is behind, at an instant before a stretch began, is of that stretch.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runyard.flow.wording import count, span
from runyard.model.run import RetryBudget, Spent


def refusal(budget: RetryBudget, spent: Spent | None, now: datetime) -> str:
    """Why there is no retry now; empty when there is one."""
    used = 0 if spent is None or _is_over(budget, spent, now) else spent.retries
    if used < budget.retries_max:
        return ""
    most = count(budget.retries_max, "retry", "retries")
    return f"its job has had {most} within {span(budget.within_seconds)} by retry.budget"


def spend(
    key: tuple[str, str, str], budget: RetryBudget, spent: Spent | None, now: datetime
) -> Spent:
    """What is spent with one more retry."""
    if spent is None or _is_over(budget, spent, now):
        return Spent(key, now, 1)
    return replace(spent, retries=spent.retries + 1)


def _is_over(budget: RetryBudget, spent: Spent, now: datetime) -> bool:
    return now - spent.began_at >= timedelta(seconds=budget.within_seconds)
