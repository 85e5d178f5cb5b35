"""A small OpenID Connect provider on loopback: RS256, PKCE checked, one person; it can lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "fab", "the client's secret"


class FakeProvider:
    """``claims`` replace what a token says; ``key`` signs it."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signs = self.key
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, ask: BaseHTTPRequestHandler) -> None:
        found = urlsplit(ask.path)
        if found.path == "/.well-known/openid-configuration":
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            about = {name: f"{self.issuer}/{name}" for name in names}
            self.answer(ask, {"issuer": self.issuer, **about})
        elif found.path == "/jwks_uri":
            self.answer(ask, {"keys": [self.key.as_dict(private=False)]})
        else:
            query = {name: values[0] for name, values in parse_qs(found.query).items()}
            code = f"code-{len(self.codes)}"
            self.codes[code] = query
            ask.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            ask.send_header("location", f"{query['redirect_uri']}?{back}")
            ask.end_headers()

    def post(self, ask: BaseHTTPRequestHandler) -> None:
        length = int(ask.headers["content-length"])
        body = {name: v[0] for name, v in parse_qs(ask.rfile.read(length).decode()).items()}
        begun = self.codes.pop(body["code"], None)
        challenge = hashlib.sha256(body.get("code_verifier", "").encode()).digest()
        given = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if begun is None or begun["code_challenge"] != given or login not in str(ask.headers):
            self.answer(ask, {"error": "invalid_grant"}, 400)
            return
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "7",
            "exp": now_s + 300,
            "iat": now_s,
            "nonce": begun["nonce"],
            "preferred_username": "Mia",
            **self.claims,
        }
        text = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs)
        self.answer(ask, {"access_token": "x", "token_type": "Bearer", "id_token": text})

    @staticmethod
    def answer(ask: BaseHTTPRequestHandler, document: Any, status: int = 200) -> None:
        body = json.dumps(document).encode()
        ask.send_response(status)
        ask.send_header("content-type", "application/json")
        ask.send_header("content-length", str(len(body)))
        ask.end_headers()
        ask.wfile.write(body)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
