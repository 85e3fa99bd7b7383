"""Reading endpoints and orders: what they may say, and every fault of what they may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.faults import RequestError
from runyard_runner.model.auth import Auth
from runyard_runner.model.endpoint import Content, Endpoint, Reader, Sketch
from runyard_runner.model.fields import Fields
from runyard_runner.model.limits import Limits
from runyard_runner.model.order import Order, Orders
from runyard_runner.model.target import Target, TargetError, read_target
from runyard_runner.rules.masking import Mask
from runyard_runner.rules.retrying import Backoff
from tests.runner.rules.test_templates import JSON

VARIABLES = {"KEY": "k3y-value", "BAD": "a\nb"}
READER = Reader(Limits(endpoints_max=3), Mask([]).url, VARIABLES.get)


def read(value: object) -> Endpoint | Sketch:
    fields = Fields()
    found = READER.read("e", value, fields)
    assert fields.faults == []
    assert found is not None
    return found


def whole(value: object) -> Endpoint:
    found = read(value)
    assert isinstance(found, Endpoint)
    return found


def faults(value: object) -> list[str]:
    fields = Fields()
    assert READER.read("e", value, fields) is None
    return [str(each) for each in fields.faults]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", Target("http", "a.example", 80, "/")),
        (
            "https://A.example.:8443/x y".replace(" ", "%20"),
            Target("https", "a.example", 8443, "/x%20y"),
        ),
        ("https://u:p%40@a.example/?q=ä", Target("https", "a.example", 443, "/?q=%C3%A4", "u:p@")),
        ("http://[::1]:80/a", Target("http", "::1", 80, "/a")),
        ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert read_target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://",
        "http://a.example:0/",
        "http://a.example:99999/",
        "http://a.example:x/",
        "http://a .example/",
        "http://a.example/\r\nX: y",
        "http://[::1/",
        "http://[v1.x]/",
        "http://[1:2]/",
        "http://a..example/",
        "http://.example/",
        "http://a%00b/",
        f"http://{'a' * 300}.example/",
        f"http://ü{'a' * 300}.example/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(TargetError):
        read_target(url)


def test_targets() -> None:
    target = read_target("https://a.example:8443/x?y=1")
    assert target.authority == "a.example:8443"
    assert target.with_params((("b", "c d"),)).path == "/x?y=1&b=c+d"
    assert target.with_params(()) is target
    assert target.at("../z") == read_target("https://a.example:8443/z")
    assert read_target("http://[::1]/").authority == "[::1]"
    assert read_target("http://[::1]/").with_params((("a", "1"),)).path == "/?a=1"
    assert target.origin == ("https", "a.example", 8443)


def test_a_url_is_called_with_post() -> None:
    endpoint = whole("https://a.example/x")
    assert (endpoint.method, endpoint.headers, endpoint.content) == ("POST", (), None)
    assert (endpoint.timeout_seconds, endpoint.retries, endpoint.shown) == (
        30.0,
        0,
        "https://a.example/x",
    )


def test_everything_an_endpoint_may_say() -> None:
    endpoint = whole(
        {
            "url": "https://u:p@a.example/x?token=abc",
            "method": "put",
            "headers": {"X-A": "b", "X-N": 5},
            "json": {"a": [1]},
            "params": {"q": ["1", 2], "t": True, "f": False, "none": None},
            "timeout": 2,
            "retries": 3,
            "backoff": {"initial": 0.5, "factor": 3, "max": 9},
            "expect_status": [200, "4xx"],
            "auth": {"api_key": {"env": "KEY", "header": "X-Key"}},
            "name": "x",
            "when": "results[0].success",
            "redirects": 2,
        }
    )
    assert endpoint.target == Target(
        "https", "a.example", 443, "/x?token=abc&q=1&q=2&t=true&f=false"
    )
    assert endpoint.headers == (("X-A", "b"), ("X-N", "5"), ("Authorization", "Basic dTpw"))
    assert endpoint.content == Content(b'{"a":[1]}', "application/json")
    assert endpoint.backoff == Backoff(0.5, 3.0, 9.0)
    assert endpoint.auth == Auth(header="X-Key", key="k3y-value")
    assert endpoint.expected is not None
    assert 418 in endpoint.expected
    assert (endpoint.method, endpoint.retries, endpoint.redirects, endpoint.name) == (
        "PUT",
        3,
        2,
        "x",
    )
    assert endpoint.shown == "https://***@a.example/x?token=***"


def test_bodies() -> None:
    url = "http://a.example/"
    assert whole({"url": url, "body": "raw"}).content == Content(b"raw")
    assert whole({"url": url, "body": [1]}).content == Content(b"[1]", "application/json")
    assert whole({"url": url, "json": 0, "body": "x"}).content == Content(b"0", "application/json")
    assert whole({"url": url, "backoff": 2}).backoff == Backoff(2.0)
    given = whole({"url": "http://u@a.example/", "headers": {"authorization": "mine"}})
    assert given.headers == (("authorization", "mine"),)


def test_ways_to_show_who_we_are() -> None:
    url = "https://a.example/"
    assert whole({"url": url, "auth": "oidc"}).auth == Auth()
    assert whole({"url": url, "auth": {"oidc": {"audience": "x"}}}).auth == Auth(audience="x")


URL = {"url": "http://a.example/"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "e: 5 is not a URL, or an object with `url`"),
        ({}, "e.url: null is not a URL that begins with http:// or https://"),
        ({"url": 5}, "e.url: 5 is not a string"),
        ({**URL, "methd": "GET"}, "did you mean `method`?"),
        ({**URL, "zzz": 1}, "is not a field; there are"),
        ({**URL, "method": "BREW"}, 'e.method: "BREW" is not one of GET, POST'),
        ({**URL, "method": 5}, "e.method"),
        ({**URL, "headers": []}, "e.headers: [] is not an object"),
        ({**URL, "headers": {"X": "a\r\nEvil: 1"}}, 'e.headers.X: "X" is not a header\'s value'),
        ({**URL, "headers": {"X": None}}, "text or a number"),
        ({**URL, "headers": {"X": True}}, "text or a number"),
        ({**URL, "headers": {"Content-Length": "5"}}, "the runner sets this one"),
        ({**URL, "params": {"a": {}}}, "e.params.a: {} is not text"),
        ({**URL, "body": 5}, "e.body: 5 is not a string, an object or a list"),
        ({**URL, "timeout": 0}, "e.timeout: 0 is not a number of seconds above 0"),
        ({**URL, "timeout": True}, "e.timeout"),
        ({**URL, "timeout": "5"}, "e.timeout"),
        ({**URL, "retries": 99}, "e.retries: 99 is not a whole number from 0 to 10"),
        ({**URL, "backoff": {"first": 1}}, "e.backoff.first"),
        ({**URL, "expect_status": "ok"}, 'e.expect_status: "ok" is not a status'),
        ({**URL, "auth": "Bearer abc"}, 'e.auth: "what stands there" is not "oidc"'),
        ({**URL, "auth": {"api_key": {"env": "NONE"}}}, 'e.auth.api_key.env: "NONE"'),
        ({**URL, "auth": {"api_key": {"env": "BAD"}}}, "control characters"),
        ({**URL, "auth": {"api_key": {"env": "KEY", "header": "a b"}}}, "e.auth.api_key.header"),
        ({**URL, "auth": {"oidc": {"audiences": 1}}}, "e.auth.oidc.audiences"),
        ({**URL, "name": "x" * 201}, "e.name"),
        ({**URL, "when": "open()"}, "e.when"),
        ({**URL, "redirects": -1}, "e.redirects"),
        ({"url": "http://a.example/{{ os.environ }}"}, "a template like"),
        ({"url": "http://a.example/{{ results[0].x }}", "what": 1}, "e.what"),
    ],
)
def test_faults(value: object, words: str) -> None:
    told = faults(value)
    assert [each for each in told if words in each], told


def test_every_fault_at_once() -> None:
    assert len(faults({"url": "x", "method": "y", "timeout": -1, "retries": "z"})) == 4


@given(st.dictionaries(st.sampled_from(["url", "method", "headers", "json", "when", "x"]), JSON))
def test_whatever_is_sent_is_read_or_refused(value: dict[str, Any]) -> None:
    fields = Fields()
    found = READER.read("e", value, fields)
    assert (found is None) is bool(fields.faults)


def test_a_sketch_is_read_when_its_holes_are_filled() -> None:
    sketch = read({"url": "http://a.example/{{ results[0].id }}", "name": "n"})
    assert isinstance(sketch, Sketch)
    assert (sketch.name, sketch.when) == ("n", None)
    fields = Fields()
    assert sketch.complete("e", {"url": "http://a.example/1"}, fields) == whole(
        "http://a.example/1"
    )
    assert sketch.complete("e", {"url": "{{ x }}"}, fields) is None


CONFIGURED = (whole("http://a.example/1"), whole("http://a.example/2"))
ORDERS = Orders(READER, CONFIGURED, lambda _where, value, _fields: value)


def test_an_empty_body_is_an_order() -> None:
    for body in (b"", b"  \n", b"null", b"{}"):
        assert ORDERS.read(body) == Order(CONFIGURED, max_workers=2)
    assert ORDERS.read(b"{}").mode == "parallel"
    assert ORDERS.read(b'{"parallel":false}').mode == "sequential"
    assert ORDERS.read(b'{"endpoints":["http://b.example"]}').mode == "sequential"


def test_everything_an_order_may_say() -> None:
    order = ORDERS.read(
        b'{"endpoints":["http://b.example/"],"payload":{"a":1},"parallel":false,"max_workers":7,'
        b'"stop_on_error":true,"send_email":true,"idempotency_key":"k","stream":true,'
        b'"test_mode":true}'
    )
    assert order == Order(
        (whole("http://b.example/"),),
        Content(b'{"a":1}', "application/json"),
        {"a": 1},
        parallel=False,
        max_workers=7,
        stop_on_error=True,
        send_email=True,
        key="k",
        stream=True,
        test_mode=True,
    )
    assert ORDERS.read(b'{"default_payload":"raw"}').content == Content(b"raw")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "The body is not JSON"),
        (b"[1]", "The body is [1], and was expected to be an object"),
        (b'{"endpoints":"x"}', "a list of URLs and objects"),
        (b'{"endpoints":["a","b","c","d"]}', "at most 3 (ENDPOINTS_MAX)"),
        (b'{"paralel":true}', "did you mean `parallel`?"),
        (b'{"parallel":"yes","max_workers":0,"send_email":1}', "3 faults"),
        (b'{"max_workers":true}', "a whole number"),
        (b'{"endpoints":["http://a.example/{{ results[0].x }}"]}', "possible in parallel"),
        (b'{"endpoints":[{"url":"http://a.example/","when":"true"}]}', "possible in parallel"),
    ],
)
def test_orders_that_cannot_be_done(body: bytes, words: str) -> None:
    with pytest.raises(RequestError) as told:
        ORDERS.read(body)
    said = [told.value.message, *(str(each) for each in told.value.faults)]
    assert [each for each in said if words in each], said
    assert told.value.hint or "expected to be" in told.value.message


def test_a_long_value_is_shown_in_part() -> None:
    (told,) = faults({**URL, "when": "x" * 999})
    assert len(told) < 200


def test_a_url_is_read_once_and_forgotten_before_it_fills_the_memory() -> None:
    reader = Reader(Limits(), Mask([]).url)
    fields = Fields()
    first = reader.read("e", "http://a.example/", fields)
    assert reader.read("e", "http://a.example/", fields) is first
    assert reader.read("e", "ftp://a.example/", fields) is None
    assert isinstance(reader.read("e", "http://a.example/{{ payload.x }}", fields), Sketch)
    for n in range(1024):
        reader.read("e", f"http://a.example/{n}", fields)
    assert len(reader.known) <= 1024
    assert reader.read("e", "http://a.example/", fields) == first
    assert len(fields.faults) == 1
