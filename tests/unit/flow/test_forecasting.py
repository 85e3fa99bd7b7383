"""What schedules will do: how many start at once, what is out at once, what would spread them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.estimates import NOT_MEASURED, Estimate
from runyard.flow.schedule.forecast_words import advise
from runyard.flow.schedule.forecasting import Forecast, forecast
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.placing import Asker, Follower, JobKey, Look, Pace, look, place
from runyard.flow.schedule.timing import Timing
from runyard.model.recurrence.reach import shortest_seconds
from runyard.model.recurrence.reading import read
from runyard.model.trigger.schedule import OverlapPolicy

BEGIN = datetime(2026, 11, 26, 20, 30, 17, tzinfo=UTC)
A_MINUTE = Pace(60, 300, 5)
HERE = ("us-central1",)


def asker(job: str, text: str, jitter_seconds: float = 0, **rest: Any) -> Asker:
    recurrence = read(text)
    timing = Timing(
        Timetable(recurrence, ZoneInfo(rest.pop("zone", "UTC")), anchor=BEGIN),
        trigger=f"shop/prod/{job}/at",
        jitter=timedelta(seconds=jitter_seconds),
    )
    rest = {"overlap": OverlapPolicy.SKIP, "regions": HERE} | rest
    below = float(shortest_seconds(recurrence))
    return Asker(("shop", job), "at", timing, jitter_below_seconds=below, **rest)


def chain(
    job: str, *after: str, together: bool = False, regions: tuple[str, ...] = HERE
) -> Follower:
    return Follower(("shop", job), "then", tuple(("shop", one) for one in after), together, regions)


def foresee(
    askers: Sequence[Asker],
    followers: Sequence[Follower] = (),
    *,
    days: int = 1,
    pace: Pace = A_MINUTE,
    placed_max: int = 100_000,
    paces: dict[JobKey, Pace] | None = None,
    wanted: tuple[str | None, str | None] = (None, None),
) -> Forecast:
    jobs = [one.job for one in askers] + [one.job for one in followers]
    priced = {(*one.job, one.name): Estimate(1, 5, 1_000, None, "") for one in askers}
    seen = look(askers, BEGIN, days, placed_max)
    known = dict.fromkeys(jobs, pace) | (paces or {})
    return forecast(askers, followers, known, priced, seen, wanted)


def test_a_herd_is_told_with_what_would_spread_it() -> None:
    herd = [asker(f"job-{number}", "0 2 * * *") for number in range(60)]
    found = foresee([*herd, asker("poll", "15 * * * *")], days=3)
    (region,) = found.regions
    assert (region.starts.count, region.starts.at) == (60, datetime(2026, 11, 27, 2, tzinfo=UTC))
    (told,) = found.herds
    assert (told.starts, told.times, len(told.triggers)) == (60, 3, 60)
    (advice,) = found.advice
    assert advice.jitter_seconds is not None
    spread = [asker(f"job-{number}", "0 2 * * *", advice.jitter_seconds) for number in range(60)]
    after = foresee([*spread, asker("poll", "15 * * * *")])
    assert after.regions[0].starts.count == advice.starts_after <= 12
    assert advise(advice).startswith(
        "60 runs start at 2026-11-27 02:00 UTC in us-central1: `jitter: "
    )
    assert "for its 60 schedules without one leaves at most" in advise(advice)
    assert advise(advice).endswith("around it nothing starts at 01:59 UTC")


def test_what_comes_so_often_that_no_jitter_fits_is_told_to_be_moved() -> None:
    herd = [asker(f"job-{number}", "* * * * *") for number in range(20)]
    (advice,) = foresee(herd).advice
    assert (advice.jitter_seconds, advice.starts_after, advice.quiet_starts) == (None, 20, 20)
    assert "no jitter that these schedules may have spreads them" in advise(advice)
    assert advise(advice).endswith("has the fewest starts, 20")


def test_who_has_a_jitter_already_is_advised_nothing() -> None:
    crowd = [asker(f"job-{number}", "0 2 * * *", 60) for number in range(40)]
    found = foresee(crowd)
    assert found.herds
    assert found.advice == ()


def test_few_that_start_together_are_no_herd() -> None:
    assert foresee([asker(f"job-{number}", "0 2 * * *") for number in range(9)]).herds == ()


def test_runs_that_would_overlap_are_skipped_where_durations_are_known() -> None:
    often = [asker("poll", "every 30s")]
    found = foresee(often)
    assert (found.jobs[0].runs, found.jobs[0].skipped) == (1440, 1439)
    assert foresee(often, pace=Pace(60, 60)).jobs[0].skipped == 0  # nobody has measured it
    side_by_side = foresee([asker("poll", "every 30s", overlap=OverlapPolicy.ALLOW)])
    assert (side_by_side.jobs[0].runs, side_by_side.jobs[0].skipped) == (2879, 0)
    assert found.regions[0].high.count == 1
    assert side_by_side.regions[0].typical.count == 4  # of each minute, and of the one before
    assert side_by_side.regions[0].high.count == 12


def test_a_run_in_all_regions_is_in_each() -> None:
    found = foresee([asker("copy", "@hourly", regions=("europe-west1", "us-central1"))])
    assert [(one.name, one.runs) for one in found.regions] == [
        ("europe-west1", 24),
        ("us-central1", 24),
    ]
    (job,) = found.jobs
    assert (job.runs, job.nano_dollars) == (48, 24_000)
    assert found.runs == 48


def test_chains_follow_what_they_follow() -> None:
    schedules = [asker("a", "@hourly"), asker("b", "0 6 * * *")]
    chains = [chain("c", "a", "b"), chain("d", "a", "b", together=True), chain("e", "d")]
    found = {one.job[1]: one.runs for one in foresee(schedules, chains).jobs}
    assert found == {"a": 24, "b": 1, "c": 25, "d": 1, "e": 1}
    paces = {("shop", "a"): Pace(600, 600, 1), ("shop", "b"): Pace(60, 60, 1)}
    seen = Look(BEGIN, 1, 1)
    placed = {one.job[1]: one for one in place(schedules, chains, paces, seen)}
    six = int(datetime(2026, 11, 27, 6, tzinfo=UTC).timestamp())
    assert six + 600 in placed["c"].starts
    assert six + 60 in placed["c"].starts
    assert list(placed["d"].starts) == [six + 600]  # the last of them to end
    assert list(placed["e"].starts) == [six + 600]  # nobody knows how long d takes


def test_a_circle_of_chains_asks_for_nothing() -> None:
    assert foresee([], [chain("a", "b"), chain("b", "a")]).jobs == ()


def test_a_chain_has_no_price_that_nobody_looked_at() -> None:
    found = foresee([asker("a", "@hourly")], [chain("c", "a")])
    assert (found.unpriced, found.nano_dollars) == (1, 24_000)
    assert {one.job[1]: one.why for one in found.jobs}["c"]


def test_only_what_is_wanted_is_told_and_what_it_follows_is_reckoned() -> None:
    schedules, chains = [asker("a", "@hourly")], [chain("c", "a")]
    (job,) = foresee(schedules, chains, wanted=("shop", "c")).jobs
    assert (job.job, job.runs) == (("shop", "c"), 24)
    assert foresee(schedules, chains, wanted=("other", None)).jobs == ()


def test_many_are_placed_for_the_first_days_and_counted_for_all() -> None:
    hourly = [asker(f"job-{number}", f"{number} * * * *") for number in range(10)]
    found = foresee(hourly, days=30, placed_max=500)
    assert (found.seen.looked_days, found.runs) == (2, 7200)
    assert sum(step.runs for step in found.steps) == 480
    assert found.step_seconds == 86_400


def test_what_comes_too_often_for_a_day_is_even() -> None:
    often = [
        asker("poll", "every 1s", overlap=OverlapPolicy.ALLOW),
        asker("tick", "every 2s"),
        asker("night", "0 2 * * *"),
    ]
    found = foresee(often, [chain("c", "poll")], days=2, placed_max=100)
    assert (found.even, found.seen.looked_days) == (2, 2)
    by_name = {one.job[1]: one.runs for one in found.jobs}
    assert by_name == {"poll": 172_800, "tick": 86_400, "night": 2, "c": 172_800}
    (region,) = found.regions
    assert region.starts.count == 1 + 60 + 30 + 60
    assert region.typical.count == 1 + 60 + 1 + 60
    assert region.high.count == 1 + 300 + 1 + 300
    assert abs(sum(step.runs for step in found.steps) - found.runs) <= len(found.steps)


def test_blackouts_are_left_out() -> None:
    span = (BEGIN, BEGIN + timedelta(hours=12))
    assert foresee([asker("a", "@hourly", blackouts=(span,))]).runs == 12


def test_steps_are_hours_of_a_day_and_days_of_more() -> None:
    found = foresee([asker("a", "@hourly")])
    assert (found.step_seconds, len(found.steps)) == (3600, 25)
    assert found.steps[0].at == datetime(2026, 11, 26, 20, tzinfo=UTC)
    assert [one.runs for one in found.steps] == [0] + [1] * 24
    longer = foresee([asker("a", "@hourly")], days=3)
    assert (len(longer.steps), longer.seen.until) == (4, BEGIN + timedelta(days=3))


def test_what_starts_in_the_last_moment_is_in_a_step() -> None:
    begin = datetime(2026, 11, 26, 12, 0, 0, 3000, tzinfo=UTC)
    one = asker("a", "0 12 * * *")
    found = forecast([one], [], {one.job: A_MINUTE}, {}, Look(begin, 1, 1))
    assert [step.runs for step in found.steps] == [0] * 24 + [1]


def test_what_jitter_takes_beyond_the_end_is_in_no_step() -> None:
    found = foresee([asker("a", "25 20 * * *", 3600), asker("b", "29 20 * * *", 3600)])
    assert (found.runs, sum(one.runs for one in found.steps)) == (2, 0)


def test_nothing_that_asks_is_a_forecast_too() -> None:
    found = foresee([])
    assert (found.runs, found.regions, found.herds, found.nano_dollars) == (0, (), (), 0)


def test_a_price_that_is_unknown_is_said_with_the_reason() -> None:
    one = asker("a", "@hourly")
    prices = {("shop", "a", "at"): Estimate(1, 0, None, None, NOT_MEASURED)}
    found = forecast([one], [], {one.job: A_MINUTE}, prices, Look(BEGIN, 1, 1))
    assert (found.unpriced, found.jobs[0].nano_dollars, found.jobs[0].why) == (
        1, None, NOT_MEASURED,
    )  # fmt: skip


TEXTS = ("0 2 * * *", "@hourly", "*/15 * * * *", "every 7m", "every 30s", "17 3 * * 1-5")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TEXTS),
            st.sampled_from((0, 10, 25)),
            st.sampled_from((OverlapPolicy.ALLOW, OverlapPolicy.QUEUE)),
            st.sampled_from(((), ("europe-west1",))),
            st.integers(1, 2000),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_starts_and_runs_out_are_those_of_a_slow_count(
    given_: list[tuple[str, int, OverlapPolicy, tuple[str, ...], int]],
) -> None:
    askers = [
        asker(f"job-{number}", text, jitter, overlap=overlap, regions=HERE + more)
        for number, (text, jitter, overlap, more, _) in enumerate(given_)
    ]
    lasting = {one.job: seconds for one, (*_, seconds) in zip(askers, given_, strict=True)}
    paces = {job: Pace(seconds, seconds, 3) for job, seconds in lasting.items()}
    found = foresee(askers, paces=paces)
    first, size = int(BEGIN.timestamp()) // 60, 24 * 60
    for region in found.regions:
        starts: Counter[int] = Counter()
        out: Counter[int] = Counter()
        for one in askers:
            if region.name not in one.regions:
                continue
            busy: set[int] = set()
            until = BEGIN + timedelta(days=1)
            for at in one.timing.instants(BEGIN):
                if at >= until:
                    break
                second = int(one.timing.due_at(at).timestamp())
                starts[second // 60 - first] += 1
                minutes = range(second // 60, (second + lasting[one.job]) // 60 + 1)
                if one.overlap is OverlapPolicy.ALLOW:
                    out.update(minute - first for minute in minutes)
                else:
                    busy.update(minute - first for minute in minutes)
            out.update(busy)
        assert region.starts.count == max(starts[minute] for minute in range(size))
        assert region.typical.count == max(out[minute] for minute in range(size))
        assert region.high == region.typical


def test_a_herd_at_the_end_is_spread_beyond_it() -> None:
    found = foresee([asker(f"job-{number}", "28 20 * * *") for number in range(60)])
    (advice,) = found.advice
    assert advice.jitter_seconds is not None
    assert advice.starts_after < 40
