"""Whatever is written: faults with places or jobs, nothing else, and in bounded time."""

from __future__ import annotations

import json
import re
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.manifest import Loaded, Source, load
from runyard.model.manifest.text import CHARACTERS_MAX
from tests.support.manifests import DESIGN, make_job, make_text

GOOD = json.loads(make_text(make_job(), defaults={}, environments={"dev": {}}))
GOOD["jobs"]["job-0"] |= {
    "retry": {"attempts": 2, "backoff": {"initial": "1s"}},
    "needs": {"egress": ["a:1"], "buckets": [{"name": "abc"}]},
    "labels": {"team": "data"},
}
GOOD["jobs"]["job-0"]["template"]["template"]["volumes"] = [{"name": "a", "emptyDir": {}}]
GOOD["jobs"]["job-0"]["template"]["template"]["containers"][0] |= {
    "name": "main",
    "env": [{"name": "A", "value": "b"}, {"name": "B", "valueSource": {"secretKeyRef": {}}}],
    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
    "volumeMounts": [{"name": "a", "mountPath": "/a"}],
    "startupProbe": {"httpGet": {"path": "/"}, "periodSeconds": 3},
}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["900s", "1Gi", "us-central1", "/a", "a", "main", "\x00", "*a", "&a", "<<"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "secret", "env", "limits", "template", "containers", "items"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def checked(*texts: str) -> Loaded | InvalidSpec:
    """What `load` makes of `texts`; anything but jobs or whole faults fails here."""
    sources = [Source(f"{number}.yaml", text) for number, text in enumerate(texts)]
    try:
        loaded = load(sources, executor="process")
    except InvalidSpec as refused:
        check_faults(refused.faults, sources)
        return refused
    assert loaded.jobs
    for job in loaded.jobs:
        assert JobSpec.from_document(json.loads(json.dumps(job.document()))) == job
    return loaded


def check_faults(faults: tuple[Fault, ...], sources: list[Source]) -> None:
    lines = {source.name: len(re.split(r"\r\n|\r|\n", source.text)) for source in sources}
    assert faults
    for fault in faults:
        assert 1 <= fault.line <= lines[fault.file]
        assert fault.column >= 1
        assert fault.expected
        assert str(fault).isprintable()
        assert len(str(fault)) < 2000


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    below = [(*path, key) for key, _ in entries] if isinstance(data, dict | list) else []
    return below + [
        deeper
        for place in below
        if isinstance(inner := data[place[-1]], dict | list)
        for deeper in places(inner, place)
    ]


PLACES = places(GOOD)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_a_good_manifest_with_some_values_changed(changes: list[tuple[Any, Any]]) -> None:
    made = json.loads(json.dumps(GOOD))
    for path, value in changes:
        here = made
        for step in path[:-1]:
            here = here[step] if isinstance(here, dict | list) and _has(here, step) else {}
        if isinstance(here, dict) or (isinstance(here, list) and _has(here, path[-1])):
            here[path[-1]] = value
    checked(json.dumps(made))


def _has(data: dict[Any, Any] | list[Any], step: Any) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(step, int) and step < len(data)


ODD = "abA01 \t\n:-[]{},'\"&*!|>%#?.~<\\é\x00\ud800\u2028"


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(DESIGN)),
            st.integers(0, 20),
            st.text(
                st.sampled_from("abA01 \t\n:-[]{},'\"&*!|>%#?.~<\\é\x00\ud800\u2028"), max_size=4
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_good_text_with_some_characters_changed(changes: list[tuple[int, int, str]]) -> None:
    text = DESIGN
    for start, length, new in changes:
        text = text[:start] + new + text[start + length :]
    checked(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_any_texts(texts: list[str]) -> None:
    checked(*texts)


@settings(max_examples=200, deadline=None)
@given(st.text("[]{}:,-?&*a0!'\"|>\n \t#%<~", max_size=80))
def test_texts_of_yaml_s_own_characters(text: str) -> None:
    checked(f"project: shop\njobs: {text}")
    checked(text)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=4))
def test_any_mapping(data: dict[str, Any]) -> None:
    checked(json.dumps(data))
    checked(json.dumps({"project": "shop", "jobs": data, "environments": data}))
    checked(json.dumps({**GOOD, "defaults": data}))


LARGE = CHARACTERS_MAX - 1000


@pytest.mark.parametrize(
    "text",
    [
        "[" * LARGE,
        "{a: " * (LARGE // 4),
        "- " * (LARGE // 2),
        "? " * (LARGE // 2),
        "&a " * (LARGE // 3),
        "'" * LARGE,
        '"' + "\\x41" * (LARGE // 4) + '"',
        "a: |\n" + "  \n" * (LARGE // 3),
        "a:\n" * (LARGE // 3),
        "#" * LARGE,
        "---\n" * (LARGE // 4),
        "a: 9" + "9" * LARGE,
        "project: shop\njobs:\n" + "".join(f"  a{n}: {{}}\n" for n in range(40_000)),
        "project: shop\njobs:\n  a:\n" + "".join(f"    priorit{n}: 1\n" for n in range(60_000)),
        "project: shop\njobs: {a: {labels: {"
        + ",".join(f"A{n}: 1" for n in range(60_000)) + "}}}",
        "project: shop\njobs: {a: {template: {template: {containers: ["
        + ",".join(["{image: A, args: ['$A'], dependsOn: [x]}"] * 9_000) + "]}}}}",
        "project: shop\njobs: {a: {template: {template: {containers: ["
        + ",".join(f"{{name: a{n}, dependsOn: [a{n + 1}]}}" for n in range(9_000)) + "]}}}}",
        "project: shop\njobs: {a: {template: {template: {containers: [{image: a, volumeMounts: ["
        + ",".join(f"{{name: a{n}, mountPath: /a{n}}}" for n in range(9_000)) + "]}]}}}}",
        "project: shop\njobs:\n" + "".join(
            f"  b{job}: {{template: {{template: {{volumes: ["
            + ",".join(f"{{name: volume-{n}, emptyDir: {{}}}}" for n in range(800))
            + "], containers: [{image: a, volumeMounts: ["
            + ",".join(f"{{name: v0lume-{n}{job}, mountPath: /{n}}}" for n in range(1900))
            + "]}]}}}\n" for job in range(15)),
        "project: shop\njobs: {c: {regions: ["
        + ",".join(f"us-centrl{n}" for n in range(1999)) + "]}}",
        "project: shop\njobs: {d: {template: {template: {containers: [{image: a, volumeMounts: ["
        + ",".join(f"{{name: a, mountPath: {'/a' * 2000}{n}}}" for n in range(900)) + "]}]}}}}",
    ],
    ids=lambda text: text[:12] + text[-24:-18],
)  # fmt: skip
def test_the_largest_texts_take_bounded_time(text: str) -> None:
    assert len(text) <= CHARACTERS_MAX
    began = thread_time()
    checked(text)
    assert thread_time() - began < 10  # a second or two, several times that when traced


def test_a_key_that_pydantic_uses_for_keys_is_a_key_like_any_other() -> None:
    found = checked("project: shop\nenvironments: {'[key]': 3, fine: 4}\n")
    assert isinstance(found, InvalidSpec)
    assert {fault.path for fault in found.faults} >= {"environments.fine"}
