"""How the page is reached: on this computer alone as it is; off it with accounts and TLS only."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from pathlib import Path

from controller.adapters.authority import Authority
from controller.adapters.broker import free_port
from controller.adapters.clock import utc_ms
from controller.adapters.oidc import Provider
from controller.adapters.site_file import SiteFile
from controller.app import Site
from controller.people.settings import OidcEntry
from dashboards.gate import FLOOR_NETWORKS, HOUR_MS, Rules
from dashboards.server import Front, is_loopback
from fabcommons.client import FAILED, CliError
from fabcommons.options import secret

EVERYWHERE = ("", "0.0.0.0", "::")


def page_host(settings: SiteFile) -> str:
    """Host the page is bound to."""
    return settings.http.rpartition(":")[0].strip("[]") or "127.0.0.1"


def settle_port(settings: SiteFile) -> None:
    """Give port 0 a number once, for machines are told it as well as people."""
    host, _, port = settings.http.rpartition(":")
    if port == "0":
        settings.http = f"{host}:{free_port(page_host(settings))}"


def wants_tls(settings: SiteFile) -> bool:
    """Whether the page itself speaks TLS."""
    if settings.access.certificate:
        return True
    return settings.access.tls == "auto" and not is_loopback(page_host(settings))


def page_url(settings: SiteFile) -> str:
    """Address people are told."""
    scheme = "https" if wants_tls(settings) else "http"
    return f"{scheme}://{_reached(settings, settings.http)}"


def machines_url(settings: SiteFile) -> str:
    """Address machines fetch programs and firmware from: plain HTTP, checked by hash and signature.

    Beside a page on TLS it is ``access.machine_http``, by default the port after the page's.
    """
    place = machine_http(settings)
    return f"http://{_reached(settings, place or settings.http)}"


def machine_http(settings: SiteFile) -> str:
    """HOST:PORT of the listener for machines alone; "" when the page's own is plain HTTP."""
    if settings.access.machine_http or not wants_tls(settings):
        return settings.access.machine_http
    host, _, port = settings.http.rpartition(":")
    return f"{host}:{int(port) + 1}"


def _reached(settings: SiteFile, place: str) -> str:
    host, _, port = place.rpartition(":")
    if host in EVERYWHERE:
        host = (settings.access.names or [socket.gethostname()])[0]
    return f"{host}:{port}"


def check_open(settings: SiteFile, site: Site, set_up: bool) -> None:
    """Refuse to be reached from elsewhere without accounts; raise CliError with the fix."""
    with site.read() as tx:
        any_account = bool(tx.people.all())
    if is_loopback(page_host(settings)) or any_account or set_up:
        return
    raise CliError(
        f"http: {settings.http} can be reached from other computers, and nobody has an account.\n"
        "Make the first: `fabcommons account add SITE.yml NAME --role admin`, or start once with\n"
        "--set-up, which prints a code for the page; or bind to loopback: http: 127.0.0.1:8010",
        FAILED,
    )


def set_up_code(site: Site) -> str:
    """A code for the first account, "" when there is one already."""
    with site.read() as tx:
        return "" if tx.people.all() else secrets.token_hex(8)


def make_front(settings: SiteFile, folders: tuple[Path, Path], code: str) -> Front:
    """How the page's server lets people in; folders = (the site's, the settings file's)."""
    access, tls = settings.access, wants_tls(settings)
    rules = Rules(
        loopback=is_loopback(page_host(settings)),
        tls=tls or access.tls == "proxy",
        session_ms=access.session_hours * HOUR_MS,
        floor_networks=tuple(access.stop_from) or FLOOR_NETWORKS,
        set_up_code=code,
        oidc=_provider(access.oidc),
    )
    return Front(
        hosts=tuple(access.names),
        rules=rules,
        certificate=certificate(settings, *folders) if tls else None,
        proxies=tuple(access.proxies),
        machine_http=machine_http(settings),
    )


def _provider(entry: OidcEntry | None) -> Provider | None:
    """The identity provider; raise CliError when Authlib is not installed."""
    if entry is None:
        return None
    try:
        held = secret("access.oidc.client_secret_env", entry.client_secret_env)
        return Provider(entry, held, lambda: utc_ms() // 1000)
    except ImportError as error:
        words = "access.oidc needs Authlib: uv sync --extra oidc"
        raise CliError(words, FAILED) from error


def certificate(settings: SiteFile, folder: Path, base: Path) -> tuple[Path, Path]:
    """(certificate, key) of the page: the settings' own, else one made by the site's authority."""
    access = settings.access
    if access.certificate:
        found = (base / access.certificate, base / access.key)
        missing = [str(path) for path in found if not path.is_file()]
        if missing:
            raise CliError(f"access.certificate, key: {', '.join(missing)} is not there", FAILED)
        return found
    authority = Authority(folder / "access", settings.site, utc_ms())
    return authority.page(_names(settings))


def _names(settings: SiteFile) -> list[str]:
    """Everything the page may be called by: its names, this computer's, its addresses."""
    names = ["localhost", "127.0.0.1", socket.gethostname(), *settings.access.names]
    host = page_host(settings)
    if host not in EVERYWHERE:
        return list(dict.fromkeys([*names, host]))
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        found = []
    addresses = [str(entry[4][0]) for entry in found]
    return list(dict.fromkeys([*names, *(a for a in addresses if _plain(a))]))


def _plain(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_link_local
    except ValueError:
        return False
