"""What exit codes, signals and a provider's reasons say where nothing else was said."""

from __future__ import annotations

from signal import Signals

import pytest

from runyard.flow.failure.classify import classify
from runyard.model.failure import Failure, FailureClass, Shortage
from runyard.model.outcome import Ending, Outcome, TaskFailure
from tests.support.runs import make_outcome

F = FailureClass

#: Google's reasons (CommonReason and ExecutionReason of Cloud Run v2, google.rpc.Code) and LOST.
SAID = {
    F.CANCELLED: {"CANCELLED", "CANCELLING", "DELETED"},
    F.PERMISSION: {
        "CONTAINER_PERMISSION_DENIED",
        "CONTAINER_IMAGE_UNAUTHORIZED",
        "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED",
        "ENCRYPTION_KEY_PERMISSION_DENIED",
        "ENCRYPTION_KEY_CHECK_FAILED",
        "SECRETS_ACCESS_CHECK_FAILED",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
    },
    F.RESOURCE: {"RESOURCE_EXHAUSTED"},
    F.TIMEOUT: {"PROGRESS_DEADLINE_EXCEEDED"},
    F.NETWORK: {"VPC_NETWORK_NOT_FOUND"},
    F.PLATFORM: {
        "JOB_STATUS_SERVICE_POLLING_ERROR",
        "INTERNAL",
        "UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "LOST",
    },
}
#: Those that say that an attempt ended, and not by what.
SAYS_NOTHING = {
    "CONTAINER_MISSING",
    "DELAYED_START_PENDING",
    "IMMEDIATE_RETRY",
    "NON_ZERO_EXIT_CODE",
    "POSTPONED_RETRY",
    "REVISION_FAILED",
    "UNKNOWN",
    "WAITING_FOR_OPERATION",
}


def why(outcome: Outcome) -> Failure:
    found = classify(outcome)
    assert found is not None
    return found


def ended(*, exit_code: int | None = None, signal: int | None = None) -> Failure:
    task = TaskFailure(0, 1, "it ended", exit_code=exit_code, signal=signal)
    return why(Outcome(Ending.FAILED, "it failed", failures=(task,)))


@pytest.mark.parametrize("failure_class", SAID)
def test_a_reason_of_the_provider_decides(failure_class: FailureClass) -> None:
    for reason in SAID[failure_class]:
        found = why(make_outcome(Ending.FAILED, reason=reason))
        assert (found.failure_class, found.rule) == (failure_class, "reason")
        assert (found.shortage is Shortage.CAPACITY) is (failure_class is F.RESOURCE)


@pytest.mark.parametrize("reason", sorted(SAYS_NOTHING))
def test_where_a_reason_says_nothing_the_tasks_decide(reason: str) -> None:
    task = TaskFailure(0, 1, "it ended", exit_code=1, last_lines=("connection refused",))
    found = why(make_outcome(Ending.FAILED, reason=reason, failures=(task,)))
    assert (found.failure_class, found.task) == (F.NETWORK, 0)


@pytest.mark.parametrize(
    ("signal", "failure_class", "shortage"),
    [
        (Signals.SIGHUP, F.CANCELLED, None),
        (Signals.SIGINT, F.CANCELLED, None),
        (Signals.SIGQUIT, F.CANCELLED, None),
        (Signals.SIGTERM, F.CANCELLED, None),
        (Signals.SIGILL, F.APPLICATION, None),
        (Signals.SIGBUS, F.APPLICATION, None),
        (Signals.SIGFPE, F.APPLICATION, None),
        (Signals.SIGSEGV, F.APPLICATION, None),
        (Signals.SIGALRM, F.TIMEOUT, None),
        (Signals.SIGXCPU, F.TIMEOUT, None),
        (Signals.SIGKILL, F.RESOURCE, Shortage.MEMORY),
        (Signals.SIGXFSZ, F.RESOURCE, Shortage.DISK),
        (Signals.SIGSYS, F.PERMISSION, None),
    ],
)
def test_a_signal_says_the_same_to_a_task_and_to_a_child_of_its_shell(
    signal: Signals, failure_class: FailureClass, shortage: Shortage | None
) -> None:
    itself, child = ended(signal=signal), ended(exit_code=128 + signal)
    assert (itself.failure_class, itself.shortage, itself.rule) == (
        failure_class,
        shortage,
        "signal",
    )
    assert (child.failure_class, child.shortage, child.rule) == (
        failure_class,
        shortage,
        "exit code",
    )


@pytest.mark.parametrize(
    ("code", "failure_class", "shortage"),
    [
        (68, F.NETWORK, None),
        (69, F.NETWORK, None),
        (71, F.RESOURCE, Shortage.CAPACITY),
        (75, F.PLATFORM, None),
        (77, F.PERMISSION, None),
        (126, F.PERMISSION, None),
    ],
)
def test_a_code_of_sysexits_is_believed_where_the_log_says_nothing(
    code: int, failure_class: FailureClass, shortage: Shortage | None
) -> None:
    found = ended(exit_code=code)
    assert (found.failure_class, found.shortage, found.rule) == (
        failure_class,
        shortage,
        "exit code",
    )
    task = TaskFailure(0, 1, "it ended", exit_code=code, last_lines=("KeyError: 'x'",))
    said = why(Outcome(Ending.FAILED, "it failed", failures=(task,)))
    assert said.failure_class is F.APPLICATION
