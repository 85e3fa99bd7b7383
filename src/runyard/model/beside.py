"""What stands beside Cloud Run's template in a job, because Cloud Run lacks it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from runyard.model.cloudrun.words import BucketName, SecretReference
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting, Shaped
from runyard.model.run import Jitter, OnConflict, RetryBudget
from runyard.model.strict import Strict

ATTEMPTS_MAX = 100  #: of a run; with 10 task retries each, more is a mistake rather than a wish
BUDGET_MAX = 100_000  #: retries of a job in one stretch; more bounds nothing
BUDGET_SECONDS_MAX = 24 * 3600
BACKOFF_SECONDS_MAX = 24 * 3600  #: a day between two attempts; longer waits want a schedule
DEADLINE_SECONDS_MAX = 366 * 24 * 3600  #: a year: every instant stays within what clocks can hold
CONCURRENCY_MAX = 1000  #: running executions of a project and region (Cloud Run quotas)
PRIORITY_MAX = 10  #: either way from 0


class BackoffSpec(Strict):
    """The wait before attempt n+1: `initial * factor**(n-1)`, at most `max`, then jittered."""

    initial: Annotated[str, Lasting(0, BACKOFF_SECONDS_MAX, "24h")] = "10s"
    factor: Annotated[float, Between(1, 10)] = 2.0
    max: Annotated[str, Lasting(0, BACKOFF_SECONDS_MAX, "24h")] = "600s"
    jitter: Jitter = Jitter.FULL


class TimeoutRetrySpec(Strict):
    """Attempts of a run whose last attempt timed out; 1: a timeout is never retried."""

    attempts: Annotated[int, Between(1, ATTEMPTS_MAX)] = 1


class RetryBudgetSpec(Strict):
    """How many retries all runs of the job may have together in each stretch of time, so that many
    that fail for one reason do not make it worse
    (https://sre.google/sre-book/handling-overload/, "Deciding to Retry")."""

    retries: Annotated[int, Between(1, BUDGET_MAX)]
    within: Annotated[str, Lasting(1, BUDGET_SECONDS_MAX, "24h")] = "1h"

    def policy(self) -> RetryBudget:
        """As a run keeps it."""
        return RetryBudget(self.retries, seconds_of(self.within))


class RetrySpec(Strict):
    """Attempts of the whole run; a task's own retries (`maxRetries`) are inside each."""

    attempts: Annotated[int, Between(1, ATTEMPTS_MAX)] = 1
    backoff: BackoffSpec = BackoffSpec()
    on_timeout: TimeoutRetrySpec = TimeoutRetrySpec()
    budget: RetryBudgetSpec | None = None


class ConcurrencySpec(Strict):
    """How many runs of the job at once (0: no limit), and what a run over the limit does."""

    limit: Annotated[int, Between(0, CONCURRENCY_MAX)] = 0
    on_conflict: OnConflict = OnConflict.QUEUE


class BucketAccess(StrEnum):
    """What the job does with a bucket."""

    READ = "read"
    WRITE = "write"


class TopicAccess(StrEnum):
    """What the job does with a topic."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


class BucketNeed(Strict):
    """A Cloud Storage bucket."""

    name: BucketName
    access: BucketAccess = BucketAccess.READ


class TopicNeed(Strict):
    """A Pub/Sub topic. Its name: 3 to 255 characters, a letter first, not `goog`."""

    name: Annotated[
        str,
        Shaped(
            r"(?!goog)[A-Za-z][A-Za-z0-9_.~+%-]{2,254}",
            "a topic's name: 3 to 255 characters, a letter first, not beginning with goog",
            255,
        ),
    ]
    access: TopicAccess = TopicAccess.PUBLISH


Target = Annotated[
    str,
    Shaped(
        r"(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,30}|\[[0-9A-Fa-f:.]{2,45}\])"
        r":(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])",
        "host:port, such as db.internal:5432",
        300,
    ),
]
Role = Annotated[
    str,
    Shaped(
        r"(?:(?:projects|organizations)/[a-z0-9:.-]+/)?roles/[A-Za-z0-9_.]{1,100}",
        "an IAM role such as roles/storage.objectViewer",
        300,
    ),
]


class NeedsSpec(Strict):
    """What the job must be able to reach, read or be; probes and access checks read it."""

    egress: tuple[Target, ...] = ()
    secrets: tuple[SecretReference, ...] = ()
    buckets: tuple[BucketNeed, ...] = ()
    topics: tuple[TopicNeed, ...] = ()
    roles: tuple[Role, ...] = ()
