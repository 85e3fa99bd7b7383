"""One table: what a canonical code is as an HTTP status and as a CLI exit status.

HTTP: https://cloud.google.com/apis/design/errors#http_mapping. Exit statuses: BSD's sysexits.h
(64-78), so that no code collides with what a run's own end means (`run_statuses`).
"""

from __future__ import annotations

from runyard.model.errors import Code

# fmt: off
TABLE: dict[Code, tuple[int, int]] = {  # code: (HTTP status, CLI exit status)
    Code.INVALID_ARGUMENT:    (400, 64),
    Code.UNAUTHENTICATED:     (401, 77),
    Code.PERMISSION_DENIED:   (403, 77),
    Code.NOT_FOUND:           (404, 66),
    Code.ALREADY_EXISTS:      (409, 73),
    Code.ABORTED:             (409, 75),
    Code.FAILED_PRECONDITION: (412, 65),
    Code.RESOURCE_EXHAUSTED:  (429, 75),
    Code.CANCELLED:           (499, 130),
    Code.INTERNAL:            (500, 70),
    Code.UNAVAILABLE:         (503, 69),
    Code.DEADLINE_EXCEEDED:   (504, 75),
}
# fmt: on


def http_status(code: Code) -> int:
    """The HTTP status of `code`."""
    return TABLE[code][0]


def exit_status(code: Code) -> int:
    """The CLI exit status of `code`."""
    return TABLE[code][1]
