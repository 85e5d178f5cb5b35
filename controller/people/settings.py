"""``access:`` of a site's settings: how people reach the page, and who lets them in."""

import ipaddress

import msgspec

from controller.people.roles import ACCOUNT_ROLES

TLS = ("auto", "proxy")


class OidcEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An identity provider; the client's secret is the name of an environment variable.

    Whoever it vouches for gets an account of ``role``; an admin gives more. ``redirect`` is the
    address the provider sends people back to: the page's own address and /oidc/back.
    """

    issuer: str
    client_id: str
    redirect: str
    client_secret_env: str = ""
    label: str = "single sign-on"
    role: str = "member"


class AccessEntry(msgspec.Struct, forbid_unknown_fields=True):
    """How people reach the page.

    ``tls`` auto: TLS off loopback, by ``certificate`` and ``key`` (PEM) or by one the site makes;
    proxy: a reverse proxy at ``proxies`` does it. ``names``: what the page is called. From
    ``stop_from`` (networks; none = the usual private ones) anybody may stop a machine.
    ``machine_http``: HOST:PORT of plain HTTP for machines alone, beside a page on TLS.
    """

    tls: str = "auto"
    certificate: str = ""
    key: str = ""
    proxies: list[str] = []
    names: list[str] = []
    stop_from: list[str] = []
    session_hours: int = 12
    machine_http: str = ""
    oidc: OidcEntry | None = None


def problems(access: AccessEntry) -> list[str]:
    """What is wrong, each beginning with its field."""
    wrong: list[str] = []
    if access.tls not in TLS:
        wrong.append(f"access.tls: must be one of {', '.join(TLS)}")
    if bool(access.certificate) != bool(access.key):
        wrong.append("access.certificate, key: name both PEM files, or neither")
    if access.tls == "proxy" and not access.proxies:
        wrong.append("access.proxies: name the addresses of the reverse proxy, e.g. 127.0.0.1")
    if not 1 <= access.session_hours <= 24 * 30:
        wrong.append("access.session_hours: must be between 1 and 720")
    if access.machine_http and not access.machine_http.rpartition(":")[2].isdigit():
        wrong.append("access.machine_http: must be HOST:PORT, e.g. 0.0.0.0:8011")
    for place, text in enumerate(access.stop_from):
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            wrong.append(f"access.stop_from[{place}]: {error}")
    return wrong + (_oidc_problems(access.oidc) if access.oidc is not None else [])


def _oidc_problems(oidc: OidcEntry) -> list[str]:
    wrong: list[str] = []
    local = ("http://127.0.0.1:", "http://localhost:")
    for field, text in (("issuer", oidc.issuer), ("redirect", oidc.redirect)):
        if not text.startswith(("https://", *local)):
            wrong.append(f"access.oidc.{field}: must begin with https://")
    if not oidc.redirect.endswith("/oidc/back"):
        wrong.append("access.oidc.redirect: must end with /oidc/back")
    if oidc.role not in ACCOUNT_ROLES:
        wrong.append(f"access.oidc.role: must be one of {', '.join(ACCOUNT_ROLES)}")
    return wrong
