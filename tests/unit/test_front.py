"""How a page is reached: refused off loopback without accounts; TLS; commands beside it."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.adapters.broker import free_port
from controller.adapters.passwords import quick
from controller.adapters.site_file import SiteFile, SiteFileError, read_site
from controller.adapters.store import Store
from controller.people import accounts
from controller.people.settings import AccessEntry, OidcEntry, problems
from fabcommons import account as account_command
from fabcommons import doctor
from fabcommons.cli import main
from fabcommons.client import Client, CliError
from fabcommons.front import machines_url, page_url, settle_port
from fabcommons.running import Place, RunningSite

PASSWORD = "correct horse battery"


def site_file(folder: Path, host: str = "127.0.0.1", **access: Any) -> Path:
    path = folder / "site.yml"
    body = {"site": "guarded", "broker": "amqtt", "http": f"{host}:{free_port()}"}
    path.write_text(json.dumps({**body, "access": access}))
    return path


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost nothing."""
    monkeypatch.setattr(account_command, "Passwords", quick)


def add_account(path: Path, name: str = "ada", role: str = "admin") -> int:
    (path.parent / "password").write_text(PASSWORD + "\n")
    words = ["--role", role, "--password-file", str(path.parent / "password")]
    return main(["account", "add", str(path), name, *words])


def running(path: Path) -> RunningSite:
    return RunningSite(read_site(path), Place(path.parent, path.parent))


def test_off_loopback_without_accounts_it_does_not_start(tmp_path: Path) -> None:
    path = site_file(tmp_path, "0.0.0.0")
    with pytest.raises(CliError, match=r"nobody has an account[\s\S]*fabcommons account add"):
        running(path)


@pytest.mark.usefixtures("cheap")
def test_off_loopback_the_page_speaks_tls_and_machines_fetch_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site_file(tmp_path, "0.0.0.0", machine_http=f"0.0.0.0:{free_port()}")
    assert add_account(path) == 0
    with running(path) as site:
        ca = site.place.folder / "access" / "ca.pem"
        url = f"https://127.0.0.1:{site.page.port}"
        trust = ssl.create_default_context(cafile=str(ca))
        with httpx.Client(base_url=url, verify=trust, timeout=60) as page:
            assert page.get("/api/floor").status_code == 401
            ask = {"name": "ada", "password": PASSWORD}
            came = page.post("/api/log-in", json=ask, headers={"X-Fabcommons": "1"})
            cookie = came.headers["set-cookie"]
            assert cookie.startswith("__Host-fabcommons-guarded=") and "Secure" in cookie
            assert page.get("/api/floor").status_code == 200
        plain = site.settings.access.machine_http.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"http://{plain}/programs/{'0' * 64}").json()["problems"][0]["field"]
        assert httpx.get(f"http://{plain}/api/floor").status_code == 404
        assert httpx.get(f"http://{plain}/").status_code == 404
        monkeypatch.setenv("FABCOMMONS_CA", str(ca))
        assert main(["account", "token", str(path), "ada", "--scope", "read", "--json"]) == 0
        with pytest.raises(CliError, match="log in"):
            Client(url).get("/api/floor")
        assert doctor.people(url).text == "everybody logs in"
        assert "FABCOMMONS_API_TOKEN" in doctor.controller(url).fix


@pytest.mark.usefixtures("cheap")
def test_the_command_makes_changes_and_lists_accounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site_file(tmp_path)
    assert add_account(path) == 0
    assert add_account(path, "ben", "member") == 0
    assert main(["account", "role", str(path), "ben", "technician"]) == 0
    assert main(["account", "disable", str(path), "ben"]) == 0
    assert main(["account", "disable", str(path), "ada"]) == 2  # the only admin
    capsys.readouterr()
    assert main(["account", "list", str(path), "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["ben"]["role"] == "technician" and found["ben"]["disabled"]
    assert main(["account", "token", str(path), "ada", "--scope", "read"]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith(accounts.TOKEN_MARK)
    assert main(["audit", str(path), "--json"]) == 0
    text = capsys.readouterr().out
    whats = [line["what"] for line in json.loads(text)][::-1]
    assert whats == [
        "account add ada as admin",
        "account add ben as member",
        "account role ben technician",
        "account disable ben",
        "account token ada for a program: read",
    ]
    assert token not in text and PASSWORD not in text


@pytest.mark.usefixtures("cheap")
def test_a_poor_password_makes_no_account(tmp_path: Path) -> None:
    path = site_file(tmp_path)
    (tmp_path / "poor").write_text("short\n")
    assert (
        main(["account", "add", str(path), "ada", "--password-file", str(tmp_path / "poor")]) == 2
    )
    store = Store(tmp_path / "site.db", lambda: 0)
    with store.read() as tx:
        assert tx.people.all() == []
    store.close()


def test_a_certificate_is_made_for_every_name_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site_file(tmp_path, names=["fab.example.org"])
    assert main(["account", "certificate", str(path)]) == 0
    first = capsys.readouterr().out
    assert len(first.split("SHA-256 ")[1].strip().split(":")) == 32
    assert main(["account", "certificate", str(path)]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("access", "field"),
    [
        (AccessEntry(tls="maybe"), "access.tls"),
        (AccessEntry(tls="proxy"), "access.proxies"),
        (AccessEntry(certificate="a.pem"), "access.certificate"),
        (AccessEntry(session_hours=0), "access.session_hours"),
        (AccessEntry(stop_from=["10.0.0.1/8"]), "access.stop_from[0]"),
        (AccessEntry(machine_http="here"), "access.machine_http"),
        (
            AccessEntry(oidc=OidcEntry("http://far", "x", "https://h/oidc/back")),
            "access.oidc.issuer",
        ),
        (AccessEntry(oidc=OidcEntry("https://i", "x", "https://h/")), "access.oidc.redirect"),
        (
            AccessEntry(oidc=OidcEntry("https://i", "x", "https://h/oidc/back", role="public")),
            "access.oidc.role",
        ),
    ],
)
def test_wrong_settings_name_their_field(access: AccessEntry, field: str) -> None:
    assert [text.partition(":")[0].split(",")[0] for text in problems(access)] == [field]


def test_the_settings_file_is_checked(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match=r"access\.tls"):
        read_site(site_file(tmp_path, tls="never"))
    assert read_site(site_file(tmp_path)) != SiteFile(site="guarded")


def test_port_0_becomes_one_port_for_people_and_machines() -> None:
    settings = SiteFile(site="lab", http="127.0.0.1:0")
    settle_port(settings)
    assert page_url(settings) == machines_url(settings)
    assert not page_url(settings).endswith(":0")
    before = settings.http
    settle_port(settings)
    assert settings.http == before
