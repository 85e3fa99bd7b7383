"""When a message is delivered again, and when it is given up. Pure; instants are microseconds."""

from __future__ import annotations

from runyard.model.pubsub.topic import DeadLetterPolicy, RetryPolicy

SECOND_MICROS = 1_000_000
#: Due when an earlier message of the same ordering key is acknowledged, and not before.
NEVER_MICROS = 2**62


def backoff_micros(policy: RetryPolicy | None, attempts: int) -> int:
    """How long a message waits that was delivered `attempts` times and came back; without a policy
    it does not wait (Subscription.retry_policy)."""
    if policy is None or attempts < 1:
        return 0
    doubled = policy.backoff_seconds_min << min(attempts - 1, 32)
    return min(doubled, policy.backoff_seconds_max) * SECOND_MICROS


def is_given_up(policy: DeadLetterPolicy | None, attempts: int) -> bool:
    """True when a message that was delivered `attempts` times goes to the dead-letter topic."""
    return policy is not None and attempts >= policy.attempts_max


def new_lease(now_micros: int, before: int) -> int:
    """The number of a delivery: larger than that of every one before, and of what was before the
    row, should it have been removed and made again."""
    return max(now_micros, abs(before) + 1)


def ack_id(message: int, lease: int) -> str:
    """What acknowledges a delivery."""
    return f"{message}-{lease:x}"


def read_ack_id(text: str) -> tuple[int, int] | None:
    """Message and lease of an ack id; None when it is none of ours."""
    message, dash, lease = text.partition("-")
    if not (dash and text.isascii() and message.isdigit() and len(text) < 40):
        return None
    try:
        return int(message), int(lease, 16)
    except ValueError:
        return None
