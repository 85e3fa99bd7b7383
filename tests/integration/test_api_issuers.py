"""ID tokens of an issuer get in when they are genuine, for us and of now, and not otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from runyard.api.issuers import OidcIssuers, fetch
from runyard.model.federation import rules_of
from tests.support.api_server import START, Answer, Api, serving
from tests.support.issuer import AUDIENCE, SHARED, Issuer, issuing

RULES = "@example.com=viewer, sub:operator-7=operator@local"


@dataclass(slots=True)
class Scene:
    """A server, an issuer it believes, and the time of both."""

    api: Api
    issuer: Issuer
    now: datetime

    def token(self, kid: str = "first", **claims: Any) -> str:
        """A token of now."""
        return self.issuer.token(self.now.timestamp(), kid, **claims)

    def ask(self, token: str, method: str = "GET", path: str = "/me", body: Any = None) -> Answer:
        """A request with a token."""
        return self.api.ask(method, path, body, {"Authorization": f"Bearer {token}"})

    def refused(self, token: str) -> str:
        """What is said to who is not let in."""
        answer = self.ask(token)
        assert answer.status == 401, answer.content
        message: str = answer.error["message"]
        assert token not in message
        return message


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """All of it, with one key."""
    with issuing() as issuer:
        scenes: list[Scene] = []
        issuers = OidcIssuers(
            [issuer.url, "http://127.0.0.1:1"],
            [AUDIENCE],
            rules_of(RULES),
            lambda: scenes[0].now if scenes else START,
            fetch,
        )
        with serving(tmp_path, issuers=issuers) as api:
            scenes.append(Scene(api, issuer, START))
            yield scenes[0]


def test_who_an_issuer_knows_gets_in_with_the_roles_of_the_rules(scene: Scene) -> None:
    me = scene.ask(scene.token()).document
    assert me["name"] == "ann@example.com"
    assert me["grants"] == [{"role": "viewer", "environment": "*"}]
    assert scene.ask(scene.token(), path="/runs").status == 200
    by_subject = scene.ask(scene.token(sub="operator-7", email=None)).document
    assert by_subject["name"] == f"{scene.issuer.url}#operator-7"
    assert by_subject["grants"] == [{"role": "operator", "environment": "local"}]
    assert len([path for path in scene.issuer.asked if path == "/keys"]) == 1


def test_roles_of_a_principal_of_that_address_come_on_top(scene: Scene) -> None:
    body = {"name": "ann@example.com", "grants": [{"role": "operator", "environment": "dev"}]}
    scene.api.post("/principals", body, 201)
    assert len(scene.ask(scene.token()).document["grants"]) == 2
    scene.api.post("/principals/ann@example.com:disable", {})
    assert "is disabled here" in scene.refused(scene.token())


def test_an_address_that_is_not_verified_counts_for_nothing(scene: Scene) -> None:
    answer = scene.ask(scene.token(email_verified=False))
    assert answer.status == 403
    assert f"you are {scene.issuer.url}#1234" in answer.error["message"]


def test_a_session_is_a_token_of_ones_own(scene: Scene) -> None:
    made = scene.ask(scene.token(), "POST", "/tokens", {"expires_in": "12h", "ceiling": "viewer"})
    assert made.status == 201
    session = made.document["token"]
    scene.now += timedelta(hours=2)  # long after the ID token has ended
    me = scene.ask(session).document
    assert me["name"] == "ann@example.com"
    assert me["grants"] == [{"role": "viewer", "environment": "*"}]
    scene.api.post(f"/tokens/{made.document['id']}:revoke", {})
    assert "was revoked" in scene.refused(session)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "somebody-else"}, "for somebody else"),
        ({"aud": None}, "for somebody else"),
        ({"aud": [AUDIENCE, "another"]}, "for somebody else"),
        ({"exp": None}, "does not say when it ends"),
        ({"exp": int(START.timestamp()) - 60}, "has expired"),
        ({"nbf": int(START.timestamp()) + 120}, "not of now"),
        ({"iat": int(START.timestamp()) + 120}, "not of now"),
        ({"iss": "https://evil.example.com"}, "not among RUNYARD_OIDC_ISSUERS"),
        ({"iss": None}, "not among RUNYARD_OIDC_ISSUERS"),
        ({"sub": None}, "does not say whose it is"),
        ({"sub": "x" * 300}, "does not say whose it is"),
    ],
)
def test_what_is_not_for_us_or_not_of_now_is_refused(
    claims: dict[str, Any], said: str, scene: Scene
) -> None:
    assert said in scene.refused(scene.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [AUDIENCE]},
        {"aud": [AUDIENCE, "another"], "azp": AUDIENCE},
        {"exp": int(START.timestamp()) - 30},
        {"iat": int(START.timestamp()) + 30, "nbf": int(START.timestamp()) + 30},
        {"hd": 7, "email_verified": "true"},
    ],
)
def test_clocks_may_differ_a_little_and_audiences_be_several(
    claims: dict[str, Any], scene: Scene
) -> None:
    assert scene.ask(scene.token(**claims)).status == 200


def _encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_signature_by_anything_but_the_issuers_key_is_refused(scene: Scene) -> None:
    good = scene.token()
    header, claims, signature = good.split(".")
    unsigned = f"{_encoded({'alg': 'none', 'kid': 'first'})}.{claims}."
    public = scene.issuer.keys["first"].as_dict(private=False)
    confused = jwt.encode(
        {"alg": "HS256", "kid": "first"},
        json.loads(base64.urlsafe_b64decode(claims + "==")),
        OctKey.import_key(json.dumps(public)),
        algorithms=["HS256"],
    )
    scene.issuer.keys["shared"] = OctKey.import_key({"kty": "oct", "k": SHARED, "kid": "shared"})
    shared = scene.token("shared", algorithm="HS256")
    other = scene.token(email="root@example.com").split(".")[1]
    for wrong in (
        unsigned,
        confused,
        shared,
        f"{header}.{other}.{signature}",
        f"{header}.{claims}.{signature[:-8]}",
        f"{header}.{claims}.",
    ):
        assert "its signature does not hold" in scene.refused(wrong)
    assert scene.ask(good).status == 200


@pytest.mark.parametrize("text", ["a.b.c", "..", "é.é.é", f"{_encoded({})}.bnVsbA.x", "x." * 9000])
def test_what_only_looks_like_a_token_is_refused(text: str, scene: Scene) -> None:
    assert scene.ask(text.encode("utf-8").decode("latin-1")).status == 401
    assert "too long" in scene.refused(f"{'x' * 20_000}.y.z")


def test_new_keys_are_found_and_looked_for_at_most_once_a_minute(scene: Scene) -> None:
    assert scene.ask(scene.token()).status == 200
    scene.issuer.new_key("second", curve=True)
    rotated = scene.token("second", algorithm="ES256")
    scene.now += timedelta(seconds=61)
    assert scene.ask(rotated).status == 200
    looked = len(scene.issuer.asked)
    scene.issuer.new_key("third")
    unknown = scene.token("third")
    assert "signature" in scene.refused(unknown)
    assert "signature" in scene.refused(unknown)
    assert len(scene.issuer.asked) == looked
    scene.now += timedelta(minutes=2)
    assert scene.ask(scene.token("third")).status == 200
    del scene.issuer.keys["first"]
    gone = scene.token("second", algorithm="ES256", exp=int(scene.now.timestamp()) + 9000)
    scene.now += timedelta(hours=1, minutes=1)
    assert scene.ask(gone).status == 200


def test_keys_that_are_known_go_on_working_while_the_issuer_is_away(scene: Scene) -> None:
    lasting = scene.token(exp=int(scene.now.timestamp()) + 9000)
    assert scene.ask(lasting).status == 200
    scene.issuer.broken = True
    scene.now += timedelta(hours=1, minutes=1)
    assert scene.ask(lasting).status == 200


def test_an_issuer_that_was_never_reached_is_no_fault_of_the_token(scene: Scene) -> None:
    scene.issuer.broken = True
    answer = scene.ask(scene.token())
    assert answer.status == 503
    assert "cannot be had now" in answer.error["message"]
    away = scene.ask(scene.token(iss="http://127.0.0.1:1"))
    assert away.status == 503


def test_a_discovery_document_of_another_issuer_is_not_believed(scene: Scene) -> None:
    scene.issuer.claims_to_be = "https://evil.example.com"
    assert scene.ask(scene.token()).status == 503


def test_documents_are_taken_from_exactly_where_they_are(scene: Scene) -> None:
    with pytest.raises(OSError, match="302"):
        fetch(f"{scene.issuer.url}/moved")
