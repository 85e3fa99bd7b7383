"""A real OpenID Connect issuer on this machine: discovery, keys that are rotated, tokens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

AUDIENCE = "runyard-client"
SHARED = "c2hhcmVk" * 8  #: a secret that everybody knows, in base64


@dataclass(slots=True)
class Issuer:
    """Its URL, its keys by id, and how often each document was asked for."""

    url: str = ""
    keys: dict[str, RSAKey | ECKey | OctKey] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    claims_to_be: str = ""

    def new_key(self, kid: str, *, curve: bool = False) -> None:
        """Begin to sign with a new key."""
        parameters: Any = {"kid": kid, "use": "sig"}
        if curve:
            self.keys[kid] = ECKey.generate_key("P-256", parameters)
        else:
            self.keys[kid] = RSAKey.generate_key(2048, parameters)

    def token(self, now: float, kid: str, algorithm: str = "RS256", **claims: Any) -> str:
        """A token for our audience that lasts an hour, unless `claims` say otherwise."""
        usual: dict[str, Any] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "1234",
            "iat": int(now),
            "exp": int(now) + 3600,
            "email": "ann@example.com",
            "email_verified": True,
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        header = {"alg": algorithm, "kid": kid}
        return jwt.encode(header, said, self.keys[kid], algorithms=[algorithm])

    def document(self, path: str) -> dict[str, Any] | None:
        """What is answered at `path`."""
        self.asked.append(path)
        if self.broken:
            return None
        if path.endswith("openid-configuration"):
            return {"issuer": self.claims_to_be or self.url, "jwks_uri": f"{self.url}/keys"}
        if path == "/moved":
            return {}
        public = [key.as_dict(private=False) for key in self.keys.values() if key.kid != "shared"]
        return {"keys": [*public, {"kty": "oct", "k": SHARED, "kid": "shared"}]}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that answers, with one key, `first`."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = issuer.document(self.path)
            content = json.dumps(document or {}).encode()
            self.send_response(302 if self.path == "/moved" else 200 if document else 500)
            self.send_header("Location", "/keys")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    issuer.new_key("first")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
