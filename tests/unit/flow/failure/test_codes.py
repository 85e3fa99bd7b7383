"""Codes of databases, clouds, mail servers, tools and children, in the texts that carry them."""

from __future__ import annotations

import pytest

from runyard.flow.failure import codes, errnos, saying
from runyard.flow.failure.reading import read
from runyard.model.failure import FailureClass, Shortage

F, S = FailureClass, Shortage


@pytest.mark.parametrize(
    ("text", "rule", "failure_class", "shortage"),
    [
        ("ERROR x (SQLSTATE 08006)", "sqlstate 08", F.NETWORK, None),
        ("ERROR x (SQLSTATE 55P03)", "sqlstate 55P03", F.TIMEOUT, None),
        ("SQLSTATE[HY000] [2002] x", "mysql 2002", F.NETWORK, None),
        ("(1040, 'x')", "mysql 1040", F.RESOURCE, S.CAPACITY),
        ("ERROR 1114 (HY000): x", "mysql 1114", F.RESOURCE, S.DISK),
        ("ORA-12541: x", "oracle 12541", F.NETWORK, None),
        ("ORA-00942: x", "oracle 00942", F.APPLICATION, None),
        (
            "An error (InsufficientHostCapacity) x",
            "aws InsufficientHostCapacity",
            F.RESOURCE,
            S.CAPACITY,
        ),
        ("SignatureDoesNotMatch: x", "aws SignatureDoesNotMatch", F.PERMISSION, None),
        ('"reason": "SERVICE_DISABLED"', "google SERVICE_DISABLED", F.PERMISSION, None),
        ('"reason": "backendError"', "google backendError", F.PLATFORM, None),
        ("Code: SkuNotAvailable", "azure SkuNotAvailable", F.RESOURCE, S.CAPACITY),
        ("curl: (7) x", "curl 7", F.NETWORK, None),
        ("ldap.SERVER_DOWN: x", "ldap SERVER_DOWN", F.NETWORK, None),
        ("[LDAP: error code 49 - x]", "ldap 49", F.PERMISSION, None),
        ("ldap.TIMEOUT: x", "ldap TIMEOUT", F.TIMEOUT, None),
        ("ldap.SIZELIMIT_EXCEEDED: x", "ldap SIZELIMIT_EXCEEDED", F.RESOURCE, S.CAPACITY),
        ("ftplib.error_temp: 421 x", "smtp 421", F.NETWORK, None),
        ("SMTPDataError: (452, b'x')", "smtp 452", F.RESOURCE, S.CAPACITY),
        ("550 5.7.1 x", "smtp policy", F.PERMISSION, None),
        ("the child returned exit code 137", "a child ended with 137", F.RESOURCE, S.MEMORY),
        ("it died with code -11", "a child ended with -11", F.APPLICATION, None),
        ("npm ERR! errno 137", "a child ended with 137", F.RESOURCE, S.MEMORY),
        ("task: non-zero exit (143)", "a child ended with 143", F.CANCELLED, None),
        ("ended by signal: 24", "a child ended by signal 24", F.TIMEOUT, None),
        ('signaled with signal "15".', "a child ended by signal 15", F.CANCELLED, None),
        ("waitpid returned 9", "a child ended by signal 9", F.RESOURCE, S.MEMORY),
        ("code=killed, status=25/XFSZ", "a child ended by signal 25", F.RESOURCE, S.DISK),
        ("got signal 11 (core)", "a child ended by signal 11", F.APPLICATION, None),
    ],
)
def test_codes_are_read(
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
        "ORA-99999: x",
        "curl: (99) x",
        "it exited with code 3",
        "ldap.NO_SUCH_OBJECT: x",
        "code=exited, status=1/FAILURE",
        "signal 6",
        "signal 7.5 dB",
    ],
)
def test_a_code_that_nobody_listed_says_nothing(text: str) -> None:
    assert read((text,)) is None


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (codes.CLOUDS[0], '"reason": "{}"'),
        (codes.CLOUDS[1], "An error occurred ({}) when calling the PutObject operation: x"),
        (codes.CLOUDS[2], "Code: {}"),
        (codes.CLOUDS_FAULTS[0], '"reason": "{}"'),
        (codes.DATABASES[0], "ORA-{}: x"),
        (codes.DATABASES[1], "ERROR {} (HY000): x"),
        (codes.DATABASES[1], "({}, 'x')"),
        (codes.SQL[0], "SQLSTATE[{:0<5}]: x"),
        (codes.TOOLS[0], "curl: ({}) x"),
        (codes.MAIL[1], "SMTPDataError: {} x"),
        (codes.CHILDREN[0], "the child exited with code {}"),
        (codes.CHILDREN[1], "killed by signal {}"),
        (errnos.ERRNOS[0], "connect {} 10.0.0.1"),
        (errnos.ERRNOS[1], "[Errno {}] x"),
        (errnos.ERRNOS[2], "Custom {{ kind: {}, error: x }}"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value.said)),
)
def test_each_code_is_found_as_its_maker_writes_it(rule: saying.codes, form: str) -> None:
    assert {code: rule.read(form.format(code)) for code in rule.said} == rule.said


@pytest.mark.parametrize("code", codes.LDAP)
def test_each_result_of_a_directory_is_found_by_number_and_by_name(code: str) -> None:
    form = "[LDAP: error code {} - x]" if code.isdecimal() else "ldap.{}: x"
    found = codes.DIRECTORIES[0].read(form.format(code))
    assert found is not None
    assert found.rule == f"ldap {code}"
