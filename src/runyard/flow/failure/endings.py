"""What an exit code, a signal and a provider's reason say of a failure, as tables. Pure."""

from __future__ import annotations

from signal import Signals

from runyard.flow.failure.saying import Meaning
from runyard.model.failure import FailureClass, Shortage

F = FailureClass

# fmt: off
#: A signal by which a task was ended. What no signal handler and no program itself does is decided
#: by the signal alone (https://cloud.google.com/run/docs/container-contract lists 4, 7, 9, 11, 15);
#: SIGKILL without a stop or a timeout of ours is the kernel's, for want of memory somewhere.
SIGNALS: dict[int, Meaning] = {
    Signals.SIGHUP:  (F.CANCELLED, None),
    Signals.SIGINT:  (F.CANCELLED, None),
    Signals.SIGQUIT: (F.CANCELLED, None),
    Signals.SIGILL:  (F.APPLICATION, None),
    Signals.SIGBUS:  (F.APPLICATION, None),
    Signals.SIGFPE:  (F.APPLICATION, None),
    Signals.SIGKILL: (F.RESOURCE, Shortage.MEMORY),
    Signals.SIGSEGV: (F.APPLICATION, None),
    Signals.SIGALRM: (F.TIMEOUT, None),
    Signals.SIGTERM: (F.CANCELLED, None),
    Signals.SIGXCPU: (F.TIMEOUT, None),
    Signals.SIGXFSZ: (F.RESOURCE, Shortage.DISK),
    Signals.SIGSYS:  (F.PERMISSION, None),
}
#: An exit code that says it by itself. 124: `timeout` of coreutils; 127: the shell found no such
#: command; 128 + n: a shell's child was ended by signal n (POSIX 2.8.2).
EXIT_CODES: dict[int, Meaning] = {
    124: (F.TIMEOUT, None),
    127: (F.APPLICATION, None),
    **{128 + number: meaning for number, meaning in SIGNALS.items()},
}
#: An exit code that is believed where the log says nothing (BSD's sysexits.h).
EXIT_CODES_WEAK: dict[int, Meaning] = {
    68: (F.NETWORK, None),                 # EX_NOHOST
    69: (F.NETWORK, None),                 # EX_UNAVAILABLE: a service is not available
    71: (F.RESOURCE, Shortage.CAPACITY),   # EX_OSERR: cannot fork, cannot create a pipe
    75: (F.PLATFORM, None),                # EX_TEMPFAIL: try again later
    77: (F.PERMISSION, None),              # EX_NOPERM
    126: (F.PERMISSION, None),             # found, but not to be executed (POSIX 2.8.2)
}
#: The provider's word for why an attempt ended or was not started: Cloud Run's condition reasons
#: (v2 `reason` and `executionReason`), Google's canonical codes, and our own LOST.
REASONS: dict[str, Meaning] = {
    "CANCELLED":                                  (F.CANCELLED, None),
    "CANCELLING":                                 (F.CANCELLED, None),
    "DELETED":                                    (F.CANCELLED, None),
    "CONTAINER_PERMISSION_DENIED":                (F.PERMISSION, None),
    "CONTAINER_IMAGE_UNAUTHORIZED":               (F.PERMISSION, None),
    "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED": (F.PERMISSION, None),
    "ENCRYPTION_KEY_PERMISSION_DENIED":           (F.PERMISSION, None),
    "ENCRYPTION_KEY_CHECK_FAILED":                (F.PERMISSION, None),
    "SECRETS_ACCESS_CHECK_FAILED":                (F.PERMISSION, None),
    "PERMISSION_DENIED":                          (F.PERMISSION, None),
    "UNAUTHENTICATED":                            (F.PERMISSION, None),
    "RESOURCE_EXHAUSTED":                         (F.RESOURCE, Shortage.CAPACITY),
    "PROGRESS_DEADLINE_EXCEEDED":                 (F.TIMEOUT, None),
    "VPC_NETWORK_NOT_FOUND":                      (F.NETWORK, None),
    "JOB_STATUS_SERVICE_POLLING_ERROR":           (F.PLATFORM, None),
    "INTERNAL":                                   (F.PLATFORM, None),
    "UNAVAILABLE":                                (F.PLATFORM, None),
    "DEADLINE_EXCEEDED":                          (F.PLATFORM, None),
    "ABORTED":                                    (F.PLATFORM, None),
    "LOST":                                       (F.PLATFORM, None),
}
# fmt: on
