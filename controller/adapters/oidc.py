"""Log-in by an OpenID Connect provider: authorization code with PKCE, by Authlib (an extra).

OpenID Connect Core 1.0 section 3.1, RFC 7636. The ID token's signature, issuer, audience, time and
nonce are checked; nothing else the provider says is believed but ``sub`` and a name to show.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

from controller.people.settings import OidcEntry
from controller.values import Refused

SCOPE = "openid profile email"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
TIMEOUT_S = 10.0
LEEWAY_S = 60


class Pending(NamedTuple):
    """A log-in that was begun: what must come back with it."""

    state: str
    nonce: str
    verifier: str


class Identity(NamedTuple):
    """Somebody the provider vouches for; ``subject`` is theirs for ever at this issuer."""

    subject: str
    name: str


class Provider:
    """One provider; raise Refused for everything that goes wrong there. ``now_s`` is real time."""

    def __init__(self, entry: OidcEntry, secret: str, now_s: Callable[[], int]) -> None:
        self._entry = entry
        self._secret = secret
        self._now_s = now_s
        self._about: dict[str, Any] | None = None
        self.label = entry.label
        self.role = entry.role
        if find_spec("authlib") is None:
            raise ImportError("authlib")

    def begin(self) -> tuple[str, Pending]:
        """Where to send the browser, and what to remember."""
        pending = Pending(*(secrets.token_urlsafe(32) for _ in range(3)))
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._known()["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return str(url), pending

    def finish(self, pending: Pending, query: str) -> Identity:
        """Who came back with this query string."""
        about = self._known()
        try:
            with self._client(state=pending.state) as client:
                token = client.fetch_token(
                    about["token_endpoint"],
                    authorization_response=f"{self._entry.redirect}?{query}",
                    code_verifier=pending.verifier,
                )
                keys = client.request("GET", about["jwks_uri"], withhold_token=True).json()
            return self._identity(str(token["id_token"]), keys, pending.nonce)
        except Refused:
            raise
        except Exception as error:  # the library's errors share no class
            raise _refused(f"the log-in was not accepted ({type(error).__name__})") from error

    def _identity(self, text: str, keys: Any, nonce: str) -> Identity:
        from joserfc import jwt
        from joserfc.jwk import KeySet

        claims = jwt.decode(text, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        entry = self._entry
        registry = jwt.JWTClaimsRegistry(
            now=self._now_s(),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": entry.issuer},
            aud={"essential": True, "value": entry.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        name = claims.get("preferred_username") or claims.get("email") or claims.get("name") or ""
        return Identity(f"{entry.issuer} {claims['sub']}"[:300], str(name).partition("@")[0][:60])

    def _known(self) -> dict[str, Any]:
        """What the provider says of itself, read once."""
        if self._about is not None:
            return self._about
        url = self._entry.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            with self._client() as client:
                about: dict[str, Any] = client.request("GET", url, withhold_token=True).json()
        except Exception as error:  # the library's errors share no class
            raise _refused(f"{self._entry.issuer} does not answer") from error
        if about.get("issuer") != self._entry.issuer:
            raise _refused(f"{url} speaks for another issuer: correct access.oidc.issuer")
        self._about = about
        return about

    def _client(self, **more: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the names its next version will have
            from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            client_id=self._entry.client_id,
            client_secret=self._secret or None,
            redirect_uri=self._entry.redirect,
            scope=SCOPE,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            timeout=TIMEOUT_S,
            **more,
        )


def _refused(words: str) -> Refused:
    return Refused("provider", "oidc", words)
