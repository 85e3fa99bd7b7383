"""Errors of the operating system, as each language writes them."""

from __future__ import annotations

import pytest

from runyard.flow.failure.reading import read
from runyard.model.failure import FailureClass, Shortage

F, S = FailureClass, Shortage


@pytest.mark.parametrize(
    ("text", "rule", "failure_class", "shortage"),
    [
        ("x: EREMOTEIO", "errno EREMOTEIO", F.NETWORK, None),
        ("code: 'EUSERS'", "errno EUSERS", F.RESOURCE, S.CAPACITY),
        ("x WSAESHUTDOWN x", "errno ESHUTDOWN", F.NETWORK, None),
        ("ESTALE: x", "errno ESTALE", F.PLATFORM, None),
        ("ECANCELED: x", "errno ECANCELED", F.CANCELLED, None),
        ("OSError: [Errno 116] x", "errno 116", F.PLATFORM, None),
        ("OSError: [Errno -3] x", "errno -3", F.NETWORK, None),
        ("[WinError 10013] x", "errno 10013", F.PERMISSION, None),
        ("IO Error: x (os error 12)", "errno 12", F.RESOURCE, S.MEMORY),
        ('Cannot run program "x": error=13, Nix', "errno 13", F.PERMISSION, None),
        ("SocketException (111): x", "errno 111", F.NETWORK, None),
        ("x, errno = 111", "errno 111", F.NETWORK, None),
        ("errno: -104", "errno 104", F.NETWORK, None),
        ('{"errno":104}', "errno 104", F.NETWORK, None),
        ("Os { code: 122, x }", "errno 122", F.RESOURCE, S.DISK),
        ("kind: StorageFull", "kind StorageFull", F.RESOURCE, S.DISK),
        ("kind: NotConnected", "kind NotConnected", F.NETWORK, None),
    ],
)
def test_names_numbers_and_kinds_are_read(
    text: str, rule: str, failure_class: FailureClass, shortage: Shortage | None
) -> None:
    found = read((text,))
    assert found is not None
    assert (found.said.rule, found.said.failure_class, found.said.shortage) == (
        rule,
        failure_class,
        shortage,
    )


@pytest.mark.parametrize(
    "text",
    [
        "x: EXDEV",
        "[Errno 2] x",
        "(os error 17)",
        "errno 104",
        "errno: -1",
        "kind: Other",
        "ESTALES",
    ],
)
def test_what_is_in_no_table_says_nothing(text: str) -> None:
    assert read((text,)) is None
