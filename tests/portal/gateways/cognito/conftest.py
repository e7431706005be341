"""A pool's keys, served over HTTP, and tokens signed with them."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from portal.gateways.cognito import id_tokens
from tests.user_pool import forget

POOL = "eu-central-1_Test"
ISSUER = f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL}"
CLIENT_ID = "the-portals-client"
SECRET = "the-secret-of-the-portals-client"


@functools.cache
def _key(kid: str) -> rsa.RSAPrivateKey:
    """Made once a run: it takes longer than a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Keys:
    """Keys under their ids, and how often they were fetched. What is `published` may be anything."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.published: Any = None
        self.status = 200
        self.fetched = 0
        self.address = ""
        self.add("first")

    def add(self, kid: str) -> None:
        self.keys[kid] = _key(kid)
        self.published = {
            "keys": [
                {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": each, "use": "sig", "alg": "RS256"}
                for each, key in self.keys.items()
            ]
        }

    def sign(self, kid: str = "first", /, **claims: Any) -> str:
        """A good ID token but for these claims; None leaves one out."""
        now = int(time.time())
        good = {
            "sub": "0a-1b",
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "token_use": "id",
            "iat": now,
            "exp": now + 3600,
            "nonce": "n-1",
        }
        said = {name: value for name, value in {**good, **claims}.items() if value is not None}
        return jwt.encode(said, self.keys[kid], algorithm="RS256", headers={"kid": kid})


@pytest.fixture
def keys(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    """The keys of the pool that the settings name."""
    kept = Keys()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.fetched += 1
            self.send_response(kept.status)
            self.end_headers()
            self.wfile.write(
                kept.published if isinstance(kept.published, bytes) else json.dumps(kept.published).encode()
            )

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.address = f"http://127.0.0.1:{server.server_port}/jwks.json"
    settings.PORTICO_USER_POOL_ID, settings.PORTICO_USER_POOL_ISSUER = POOL, ISSUER
    forget()
    monkeypatch.setattr(id_tokens, "metadata", lambda: {"jwks_uri": kept.address})
    yield kept
    server.shutdown()
    server.server_close()
    forget()


@pytest.fixture
def pool_settings(settings: Any) -> Any:
    """Settings of a pool that nobody answers for: calls are stubbed."""
    settings.PORTICO_USER_POOL_ID, settings.PORTICO_USER_POOL_ISSUER = POOL, ISSUER
    settings.PORTICO_USER_POOL_DOMAIN = "https://portico-test.auth.eu-central-1.amazoncognito.com"
    settings.PORTICO_USER_POOL_CLIENT_ID, settings.PORTICO_USER_POOL_CLIENT_SECRET = CLIENT_ID, SECRET
    settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID = "the-public-client"
    forget()
    yield settings
    forget()
