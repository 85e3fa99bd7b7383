"""When a trigger asks for runs, in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.flow.trigger_words import says

X = {"job": "x", "on": "dead"}


# fmt: off
CASES: list[tuple[dict[str, Any], str]] = [
    ({"schedule": "@daily", "timeZone": "Europe/Berlin"}, "@daily in Europe/Berlin"),
    ({"webhook": {"kind": "github"}}, "webhook of github"),
    ({"after": {"job": "x", "on": "succeeded"}}, "after x (succeeded)"),
    ({"after": {"all": ["x", "y"], "on": "any"}}, "after all of x and y (any)"),
    ({"after": {"any": ["x", "y"], "on": "failed"}}, "after any of x and y (failed)"),
    ({"absence": {"of": X, "within": "1h"}, "do": "run"},
     "run when there was no end of x (dead) for 1 h"),
    ({"absence": {"of": {"event": {"topic": "orders", "type": "sold"}}, "within": "1h"},
      "do": "alert"}, "alert when there was no message of orders (type sold) for 1 h"),
    ({"event": {"topic": "orders"}}, "each message of orders"),
    ({"event": {"topic": "orders", "filter": "a = 1", "subject": "s", "source": "/shop"}},
     "each message of orders (source /shop, subject s, filter a = 1)"),
    ({"moon": "full"}, ""),
]
# fmt: on


@pytest.mark.parametrize(("document", "words"), CASES)
def test_each_kind_has_words(document: dict[str, Any], words: str) -> None:
    assert says(document) == words
