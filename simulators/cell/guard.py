"""Who may connect to the simulated cell: certificates in a folder, a user, or everybody.

The folder holds ``own/`` (made when missing), ``trusted/`` (certificates of clients, read at every
connection) and ``rejected/`` (those that were turned away, to be looked at and moved).
"""

import hashlib
import socket
from pathlib import Path
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto import cert_gen
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.validator import CertificateValidator
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

_MAX_REJECTED = 20
_SECURED = [
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]


class Rules(NamedTuple):
    """security: none, offered beside open connections, or demanded; user "" = anonymous."""

    security: str = "none"
    pki: Path | None = None
    user: str = ""
    password: str = ""


class Guard:
    """Turns clients away; also asyncua's user manager."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._checks = CertificateValidator()  # time and ApplicationUri

    async def set_up(self, server: Server, uri: str) -> None:
        """Give a server its certificate and its rules before it starts."""
        await server.set_application_uri(uri)
        policies = [] if self._rules.security == "demanded" else [ua.SecurityPolicyType.NoSecurity]
        if self._rules.security != "none":
            assert self._rules.pki is not None
            own = self._rules.pki / "own"
            own.mkdir(mode=0o700, parents=True, exist_ok=True)
            key, certificate = own / "key.pem", own / "certificate.der"
            names = {"organizationName": "Fabcommons (simulated)"}
            usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            host = socket.gethostname()
            await cert_gen.setup_self_signed_certificate(key, certificate, uri, host, usage, names)
            await server.load_certificate(certificate)
            await server.load_private_key(key)
            server.set_certificate_validator(self._validate)
            policies += _SECURED
        server.set_security_policy(policies)
        token = ua.UserNameIdentityToken if self._rules.user else ua.AnonymousIdentityToken
        server.set_identity_tokens([token])

    async def _validate(self, certificate: x509.Certificate, application: Any) -> None:
        await self._checks.validate(certificate, application)
        assert self._rules.pki is not None
        der = certificate.public_bytes(Encoding.DER)
        trusted = (self._rules.pki / "trusted").glob("*.der")
        if any(path.read_bytes() == der for path in trusted):
            return
        rejected = self._rules.pki / "rejected"
        rejected.mkdir(mode=0o700, exist_ok=True)
        if len(list(rejected.glob("*.der"))) < _MAX_REJECTED:
            name = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
            (rejected / f"{name}.der").write_bytes(der)
        raise ServiceError(StatusCodes.BadCertificateUntrusted)

    def get_user(
        self,
        iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """The user of a session; None turns it away."""
        if self._rules.security == "demanded" and certificate is None:
            return None  # asyncua would let an open channel in beside the policies offered
        if self._rules.user and (username, password) != (self._rules.user, self._rules.password):
            return None
        return User(role=UserRole.User)
