"""What is taken out of files that people send around."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.redacting import REDACTED, arguments, document, text


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("password=hunter2", f"password={REDACTED}"),
        ("DB_PASSWORD: hunter2, next", f"DB_PASSWORD: {REDACTED}, next"),
        ('{"api_key": "hunter2", "a": 1}', f'{{"api_key": {REDACTED}, "a": 1}}'),
        ("token='hunter2 x'", f"token={REDACTED}"),
        ("Authorization: Bearer hunter2hunter2", f"Authorization: {REDACTED}"),
        ("sent bearer hunter2hunter2", f"sent bearer {REDACTED}"),
        ("postgresql://ann:hunter2@db/x", f"postgresql://{REDACTED}@db/x"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.hunter2", REDACTED),
        ("the token is gone, no secret", "the token is gone, no secret"),
        ("https://x.example/a?b=1", "https://x.example/a?b=1"),
        ("", ""),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_a_text(said: str, left: str) -> None:
    assert text(said) == left
    assert "hunter2" not in text(said)


def test_so_is_the_argument_behind_a_flag() -> None:
    said = ["--db-password", "hunter2", "--password=hunter2", "--month", "3", "-token", "--secret"]
    assert arguments(said) == [
        "--db-password",
        REDACTED,
        f"--password={REDACTED}",
        "--month",
        "3",
        "-token",
        REDACTED,
    ]


def test_no_value_of_a_variable_is_left() -> None:
    spec = {
        "env": [
            {"name": "A", "value": "hunter2"},
            {"name": "B", "valueSource": {"secretKeyRef": {"secret": "b", "version": "1"}}},
            "hunter2",
        ],
        "args": ["--token", "hunter2"],
        "command": ["sh", "--token", "hunter2"],
        "more": {"env": {"C": "hunter2"}, "n": 3, "none": None},
        "odd": {"env": 3, "args": "password=hunter2"},
    }
    left = document(spec)
    assert left == {
        "env": [
            {"name": "A", "value": REDACTED},
            {"name": "B", "valueSource": {"secretKeyRef": {"secret": "b", "version": "1"}}},
            REDACTED,
        ],
        "args": ["--token", REDACTED],
        "command": ["sh", "--token", REDACTED],
        "more": {"env": {"C": REDACTED}, "n": 3, "none": None},
        "odd": {"env": 3, "args": f"password={REDACTED}"},
    }


@given(st.text(max_size=2000))
def test_any_text_comes_through(said: str) -> None:
    assert isinstance(text(said), str)
