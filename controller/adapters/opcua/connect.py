"""Makes the connection to a cell's server: certificates first, then channel, session and user."""

from typing import Any, NamedTuple

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties

from controller.adapters.opcua import security
from controller.adapters.opcua.security import NotTrusted, Pair, Security

# What any request may raise when the server or the way to it is gone or answers nonsense.
LOST = (OSError, TimeoutError, ua.UaError)
_REFUSED = (
    ua.uaerrors.BadCertificateUntrusted,
    ua.uaerrors.BadCertificateInvalid,
    ua.uaerrors.BadCertificateTimeInvalid,
    ua.uaerrors.BadCertificateUriInvalid,
    ua.uaerrors.BadCertificateUseNotAllowed,
    ua.uaerrors.BadCertificateRevoked,
    ua.uaerrors.BadSecurityChecksFailed,
)
_USER = (
    ua.uaerrors.BadUserAccessDenied,
    ua.uaerrors.BadIdentityTokenRejected,
    ua.uaerrors.BadIdentityTokenInvalid,
)
_CLOSED = (*_USER, ua.uaerrors.BadSecurityPolicyRejected)
_PLAIN_URI = "urn:fabcommons:controller"


class Access(NamedTuple):
    """How to reach a cell; without ``security`` the connection is open to anybody's eyes.

    channel_s: lifetime asked of the secure channel, which asyncua renews at three quarters of it.
    """

    url: str
    machine_name: str = ""
    request_s: float = 4.0
    security: Security | None = None
    user: str = ""
    password: str = ""
    channel_s: int = 3600


class Connected(NamedTuple):
    """An open client; ``warnings`` are about certificates that soon end."""

    client: Client
    warnings: tuple[str, ...] = ()


async def connect(access: Access) -> Connected:
    """Connect and log in; raise one of LOST or NotTrusted."""
    if access.security is None:
        return Connected(await _open(access))
    own = security.pairs(access.security.certificate, access.security.key)
    server = await _server_certificate(access, access.security)
    refused: Exception | None = None
    for pair in own:
        try:
            client = await _secured(access, access.security, pair, server)
        except _USER as error:
            raise NotTrusted(f"{access.url} does not let user {access.user!r} in") from error
        except LOST as error:
            refused = refused or error
        else:
            return Connected(client, _warnings(pair, server))
    if isinstance(refused, _REFUSED):
        thumbprint = security.facts_of(own[0].certificate).thumbprint
        raise NotTrusted(
            f"{access.url} does not accept our certificate {thumbprint} "
            f"({type(refused).__name__}): trust it at the cell"
        ) from refused
    assert refused is not None
    raise refused


async def _open(access: Access) -> Client:
    """A connection without security; raise NotTrusted when the cell wants more."""
    client = _client(access, _PLAIN_URI)
    try:
        await client.connect()
    except ua.UaError as error:
        if isinstance(error, _CLOSED) or str(error).startswith("No matching endpoints"):
            raise NotTrusted(f"{access.url} does not let an open connection in") from error
        raise
    return client


def _client(access: Access, uri: str) -> Client:
    client = Client(access.url, timeout=access.request_s)
    client.application_uri = uri
    client.secure_channel_timeout = access.channel_s * 1000
    if access.user:
        client.set_user(access.user)
        client.set_password(access.password)
    return client


async def _secured(access: Access, wanted: Security, pair: Pair, server: bytes) -> Client:
    client = _client(access, pair.uri)
    await client.set_security(
        getattr(security_policies, f"SecurityPolicy{wanted.policy}"),
        CertProperties(pair.certificate, "der"),
        CertProperties(pair.key, "pem"),
        server_certificate=CertProperties(server, "der"),
        mode=ua.MessageSecurityMode[wanted.mode],
    )
    await client.connect()
    return client


async def endpoints(url: str, request_s: float) -> list[Any]:
    """What a server offers, asked without security as the standard has it; raise one of LOST."""
    client = Client(url, timeout=request_s)
    client.application_uri = _PLAIN_URI
    found: list[Any] = await client.connect_and_get_server_endpoints()
    return found


async def _server_certificate(access: Access, wanted: Security) -> bytes:
    """The certificate of the endpoint we want, once it is found to be the expected one."""
    offered = await endpoints(access.url, access.request_s)
    mode = ua.MessageSecurityMode[wanted.mode]
    policies: list[str] = []
    for endpoint in offered:
        policy: str = (endpoint.SecurityPolicyUri or "").rpartition("#")[2]
        policies.append(f"{policy}/{endpoint.SecurityMode.name}")
        if _plain(policy) == wanted.policy and endpoint.SecurityMode == mode:
            der = security.first_of_chain(endpoint.ServerCertificate or b"")
            uri = endpoint.Server.ApplicationUri or ""
            security.check_server(wanted, der, uri, access.url)
            return der
    offers = ", ".join(sorted(set(policies)))
    raise NotTrusted(f"{access.url} offers no {wanted.policy}/{wanted.mode}, only {offers}")


def _plain(policy: str) -> str:
    """Name of a policy as we write it: ``Aes128_Sha256_RsaOaep`` without its underscores."""
    return policy.replace("_", "")


def _warnings(pair: Pair, server: bytes) -> tuple[str, ...]:
    now_ms = security.now_ms()
    found: list[str] = []
    for whose, der in (("our", pair.certificate), ("the cell's", server)):
        days = security.facts_of(der).days_left(now_ms)
        if days < security.WARN_DAYS:
            found.append(f"{whose} certificate ends in {days} days: rotate it")
    return tuple(found)
