"""Sketches are exact where they say so, near where they are not, and add up."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from runyard.model.sketch import PARTS, Sketch, bounds, bucket_of, merged

values = st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=50)


def sketch_of(seen: list[float]) -> Sketch:
    sketch = Sketch()
    for value in seen:
        sketch.add(value)
    return sketch


@given(values, st.floats(0, 1))
def test_a_quantile_is_near_a_value_of_its_rank(seen: list[float], share: float) -> None:
    found = sketch_of(seen).quantile(share)
    assert found is not None
    place = max(0, math.ceil(share * len(seen)) - 1)
    exact = sorted(seen)[place]
    assert abs(found - exact) <= exact / PARTS + 1e-8


@given(st.floats(1e-8, 1e12))
def test_a_value_lies_in_its_bucket(value: float) -> None:
    lower, upper = bounds(bucket_of(value))
    assert lower <= value < upper
    assert upper - lower <= value / PARTS


@given(values, values, values)
def test_sketches_of_parts_add_up_to_that_of_the_whole(
    one: list[float], two: list[float], three: list[float]
) -> None:
    whole = sketch_of([*one, *two, *three])
    left = merged([merged([sketch_of(one), sketch_of(two)]), sketch_of(three)])
    right = merged([sketch_of(three), merged([sketch_of(two), sketch_of(one)])])
    for found in (left, right):
        assert (found.count, found.low, found.high) == (whole.count, whole.low, whole.high)
        assert found.buckets == whole.buckets
        assert math.isclose(found.total, whole.total, rel_tol=1e-9)


def test_of_nothing_there_is_nothing_to_say() -> None:
    empty = Sketch()
    assert (empty.quantile(0.5), empty.mean, empty.count) == (None, None, 0)
    counted = Sketch()
    counted.tally(1.0)
    assert (counted.quantile(0.5), counted.mean, counted.total) == (None, 1.0, 1.0)
