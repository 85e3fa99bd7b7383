"""Who may call: keys, tokens that Google signed, and nobody unknown. Over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from runyard_runner.faults import Forbidden, SettingsError, Unauthenticated, Unavailable
from runyard_runner.identity.access import Access
from runyard_runner.identity.tokens import Keys, Verifier, Wanted, audiences
from runyard_runner.settings import read_settings
from tests.runner.site import NOWHERE, answer, run, running, serving

NOW = 1_800_000_000.0
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
CLAIMS = {
    "iss": "https://accounts.google.com",
    "aud": "https://runner.example/execute",
    "email": "Scheduler@project.iam.gserviceaccount.com",
    "email_verified": True,
    "sub": "123",
    "iat": NOW - 10,
    "exp": NOW + 3600,
}
WANTED = Wanted(
    audiences(("https://runner.example",)),
    frozenset({"https://accounts.google.com"}),
    frozenset({"scheduler@project.iam.gserviceaccount.com"}),
)


def key_set(*keys: RSAKey | ECKey) -> bytes:
    """The public half, as Google publishes it."""
    return orjson.dumps(KeySet(list(keys)).as_dict(private=False))


def token(claims: dict[str, Any], key: RSAKey | ECKey = RSA, **header: Any) -> str:
    """A signed token."""
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    made: str = jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key)
    return made


def verifier(*keys: RSAKey | ECKey, wanted: Wanted = WANTED) -> Verifier:
    """A verifier that knows these keys."""

    async def fetch() -> tuple[bytes, str]:
        return key_set(*keys), "public, max-age=60"

    return Verifier(Keys(fetch, lambda: 0.0), wanted, lambda: NOW)


@pytest.mark.parametrize("key", [RSA, EC])
@pytest.mark.parametrize(
    "audience",
    [
        "https://runner.example",
        "https://runner.example/",
        "https://runner.example/execute",
        ["other", "https://runner.example"],
    ],
)
def test_a_token_that_holds(key: RSAKey | ECKey, audience: object) -> None:
    async def story() -> None:
        found = await verifier(RSA, EC).verify(token(CLAIMS | {"aud": audience}, key))
        assert found == CLAIMS["email"]

    run(story())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"iss": "https://evil.example"}, "not issued by Google"),
        ({"iss": ["https://accounts.google.com"]}, "not issued by Google"),
        ({"aud": "https://other.example"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"exp": NOW - 61}, "not valid at this time"),
        ({"exp": "never"}, "not valid at this time"),
        ({"exp": True}, "not valid at this time"),
        ({"iat": NOW + 61}, "not valid at this time"),
        ({"nbf": NOW + 61}, "not valid at this time"),
        ({"iat": "then"}, "not valid at this time"),
        ({"email": "other@project.iam.gserviceaccount.com"}, "may not call"),
        ({"email": None}, "may not call"),
        ({"email_verified": False}, "may not call"),
        ({"email_verified": "true"}, "may not call"),
    ],
)
def test_a_token_that_does_not(changed: dict[str, Any], words: str) -> None:
    async def story() -> None:
        with pytest.raises((Unauthenticated, Forbidden)) as told:
            await verifier(RSA).verify(token(CLAIMS | changed))
        assert words in told.value.message

    run(story())


def test_tokens_that_nobody_signed() -> None:
    async def story() -> None:
        good = token(CLAIMS)
        head, claims, signature = good.split(".")
        other = RSAKey.generate_key(2048, {"kid": "rsa"})
        unsigned = "eyJhbGciOiJub25lIiwia2lkIjoicnNhIn0"  # alg: none
        symmetric = "eyJhbGciOiJIUzI1NiIsImtpZCI6InJzYSJ9"  # alg: HS256
        for bad in (
            "",
            "x",
            "a.b.c",
            f"{head}.{claims}.",
            f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
            f"{unsigned}.{claims}.",
            f"{symmetric}.{claims}.{signature}",
            token(CLAIMS, other),
            token(CLAIMS, EC),
            "x" * 9000,
        ):
            with pytest.raises(Unauthenticated):
                await verifier(RSA).verify(bad)

    run(story())


def test_a_token_without_claims() -> None:
    async def story() -> None:
        made = _signed(b"[1]")
        with pytest.raises(Unauthenticated, match="no claims"):
            await verifier(RSA).verify(made)
        with pytest.raises(Unauthenticated, match="cannot be read"):
            await verifier(RSA).verify(_signed(b"not json"))

    run(story())


def _signed(payload: bytes) -> str:
    return jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, payload, RSA)


def test_every_account_where_that_is_wanted() -> None:
    async def story() -> None:
        wanted = Wanted(WANTED.audiences, WANTED.issuers, frozenset({"*"}))
        found = [
            await verifier(RSA, wanted=wanted).verify(token(CLAIMS | {"email": email}))
            for email in ("any@x.example", "")
        ]
        assert found == ["any@x.example", "123"]

    run(story())


def test_keys_are_kept_and_rotated() -> None:
    async def story() -> None:
        now, fetched = 0.0, 0
        published: list[RSAKey | ECKey] = [RSA]
        away = False

        async def fetch() -> tuple[bytes, str]:
            nonlocal fetched
            fetched += 1
            if away:
                raise Unavailable("away")
            return key_set(*published), "max-age=100"

        keys = Keys(fetch, lambda: now)
        await keys.key("rsa")
        await keys.key("rsa")
        assert fetched == 1
        with pytest.raises(Unauthenticated):  # a key that is made up is not asked for again
            await keys.key("ec")
        assert fetched == 1
        now, published = 11.0, [EC]
        await keys.key("ec")  # rotated
        assert fetched == 2
        now, away = 200.0, True
        await keys.key("ec")  # Google is away: the key is still Google's
        assert fetched == 3
        now = 300.0
        with pytest.raises(Unavailable):
            await keys.key("rsa")
        await asyncio.gather(keys.key("ec"), keys.key("ec"))
        assert fetched == 4

    run(story())


@pytest.mark.parametrize("content", [b"x", b"[]", b'{"keys":[{"kty":"RSA"}]}', b'{"keys":5}'])
def test_keys_that_cannot_be_read(content: bytes) -> None:
    async def story() -> None:
        async def fetch() -> tuple[bytes, str]:
            return content, ""

        with pytest.raises(Unavailable, match="cannot be read"):
            await Keys(fetch, lambda: 0.0).key("rsa")

    run(story())


def test_keys_without_a_name_or_an_age() -> None:
    async def story() -> None:
        nameless = RSAKey.generate_key(2048)

        async def fetch() -> tuple[bytes, str]:
            return key_set(nameless, RSA), ""

        assert await Keys(fetch, lambda: 0.0).key("rsa")

    run(story())


def test_tokens_over_the_wire() -> None:
    async def story() -> None:
        async with serving({"/certs": answer(200, key_set(RSA))}) as google:
            environment = {
                "OIDC_AUDIENCE": "https://runner.example/execute",
                "OIDC_EMAILS": str(CLAIMS["email"]),
                "OIDC_KEYS_URL": google.url("/certs"),
                "ENDPOINTS": f'["{google.url("/task")}"]',
            }
            async with running(environment, seconds=lambda: NOW) as site:
                bearer = {"Authorization": f"Bearer {token(CLAIMS)}"}
                for _ in range(2):
                    status, _ = await site.execute(None, **bearer)
                    assert status == 200
                assert [each.path for each in google.asked] == ["/certs", "/task", "/task"]
                assert site.audits[-1]["caller"] == CLAIMS["email"]
                assert "authorization" not in google.asked[-1].headers
                status, said = await site.execute(None, Authorization="Bearer x.y.z")
                assert (status, said["error"]["code"]) == (401, "UNAUTHENTICATED")
                assert (await site.execute(None))[0] == 401
                other = {"Authorization": f"Bearer {token(CLAIMS | {'email': 'x@y.example'})}"}
                assert (await site.execute(None, **other))[0] == 403
                assert (await site.ask("GET", "/health")).status == 200
                assert site.audits[-1]["outcome"] == "refused"

    run(story())


@pytest.mark.parametrize("path", ["/gone", "/refused"])
def test_google_is_not_to_be_had(path: str) -> None:
    async def story() -> None:
        async with serving({"/gone": answer(500)}) as google:
            url = google.url(path) if path == "/gone" else "http://127.0.0.1:9/"
            environment = {"OIDC_AUDIENCE": "x", "OIDC_EMAILS": "*", "OIDC_KEYS_URL": url}
            async with running(environment) as site:
                status, said = await site.execute(None, Authorization=f"Bearer {token(CLAIMS)}")
        assert (status, said["error"]["code"]) == (503, "UNAVAILABLE")
        assert "OIDC_KEYS_URL" in said["error"]["hint"]

    run(story())


def test_a_key_in_a_header() -> None:
    async def story() -> None:
        async with serving() as target:
            environment = {"API_KEY": "correct-horse", "ENDPOINTS": f'["{target.url()}"]'}
            async with running(environment) as site:
                assert (await site.execute(None, X_API_Key="correct-horse"))[0] == 200
                for wrong in ("", "wrong", "correct-horse ünd"):
                    response = await site.ask(
                        "POST", "/execute", b"", {"X-API-Key": wrong.replace("ü", "u")}
                    )
                    assert response.status == 401
                    assert response.headers["www-authenticate"] == "Bearer"
                status, said = await site.execute(None, Authorization="Bearer x")
                assert (status, said["error"]["hint"]) == (
                    401,
                    "Send the key in the header X-API-Key.",
                )
                for path in ("/", "/metrics", "/openapi.json", "/task1"):
                    assert (await site.ask("GET", path)).status == 401
                assert (await site.ask("GET", "/health")).status == 200
                assert "correct-horse" not in str(site.lines)
                assert site.assembled.meters.refusals["UNAUTHENTICATED"] == 8

    run(story())


def test_nobody_is_known() -> None:
    async def story() -> None:
        closed, opened = Access("", None, False), Access("", None, True)
        assert await closed.caller(None, None, "127.0.0.1") == "anonymous"
        assert await opened.caller(None, None, "203.0.113.1") == "anonymous"
        with pytest.raises(Forbidden) as told:
            await closed.caller("x", "Bearer y", "203.0.113.1")
        assert "ALLOW_UNAUTHENTICATED" in told.value.hint

        async def verify(given: str) -> str:
            return given

        both = Access("k", verify, False)
        assert await both.caller(None, "bearer abc ", "") == "abc"
        for authorization in (None, "Basic abc", "Bearer "):
            with pytest.raises(Unauthenticated, match="does not say"):
                await both.caller(None, authorization, "")

    run(story())


def test_an_audience_without_accounts_is_refused_at_start() -> None:
    with pytest.raises(SettingsError) as told:
        read_settings({"OIDC_AUDIENCE": "x"}, NOWHERE)
    assert [each.field for each in told.value.faults] == ["OIDC_EMAILS"]
