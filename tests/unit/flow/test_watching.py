"""When a standby may take the place of who works: never for what it did not see itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.watching import Watched, is_hung, look

LEASE_SECONDS = 30.0


def test_who_gives_no_sign_for_a_whole_lease_hangs() -> None:
    watched = look(None, "one", 7, 100.0, LEASE_SECONDS)
    for now in range(105, 130, 5):
        watched = look(watched, "one", 7, float(now), LEASE_SECONDS)
        assert not is_hung(watched, LEASE_SECONDS)
    assert is_hung(look(watched, "one", 7, 130.0, LEASE_SECONDS), LEASE_SECONDS)


def test_a_sign_or_another_process_begins_anew() -> None:
    watched = Watched("one", 7, 100.0, 129.0)
    assert look(watched, "one", 8, 131.0, LEASE_SECONDS) == Watched("one", 8, 131.0, 131.0)
    assert look(watched, "two", 7, 131.0, LEASE_SECONDS) == Watched("two", 7, 131.0, 131.0)


def test_who_could_not_look_itself_begins_anew() -> None:
    watched = Watched("one", 7, 100.0, 125.0)
    assert look(watched, "one", 7, 140.0, LEASE_SECONDS).since_seconds == 100.0
    assert look(watched, "one", 7, 140.1, LEASE_SECONDS).since_seconds == 140.1


@given(st.lists(st.floats(0, 60, allow_nan=False), max_size=30))
def test_nobody_hangs_without_a_lease_of_looks_close_together(pauses: list[float]) -> None:
    now, watched = 0.0, look(None, "one", 1, 0.0, LEASE_SECONDS)
    seen = 0.0
    for pause in pauses:
        now += pause
        seen = seen + pause if pause <= LEASE_SECONDS / 2 else 0.0
        watched = look(watched, "one", 1, now, LEASE_SECONDS)
        assert not is_hung(watched, LEASE_SECONDS) or seen >= LEASE_SECONDS - 1e-6
