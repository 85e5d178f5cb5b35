"""Certificates on disk and the command for them; no connection."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from controller.adapters.opcua import security
from controller.adapters.opcua.security import NotTrusted, Security
from controller.adapters.site_file import SiteFileError, read_site
from fabcommons.cli import main

DAY_MS = 24 * 3600 * 1000


def ours(folder: Path) -> Security:
    return Security(folder / "certificate.der", folder / "key.pem", trust=folder / "trusted")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our pair, the next one, and a cell's certificate trusted; making keys is slow."""
    made = tmp_path_factory.mktemp("pki")
    pair = ours(made)
    security.make_pair(pair.certificate, pair.key, "controller", 365)
    security.make_pair(pair.certificate, pair.key, "controller", 10, ".next")
    security.trust(made / "trusted", (made / "certificate.next.der").read_bytes())
    return made


def test_pair_speaks_for_its_uri_and_is_for_its_owner_only(folder: Path) -> None:
    found = security.pairs(folder / "certificate.der", folder / "key.pem")
    assert [pair.generation for pair in found] == [".next", ""]
    assert found[1].uri.startswith("urn:") and found[1].uri.endswith(":fabcommons:controller")
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    facts = security.facts_of(found[1].certificate)
    assert len(facts.thumbprint) == 40
    assert facts.days_left(facts.not_after_at - 3 * DAY_MS) == 3
    assert facts.days_left(facts.not_after_at + DAY_MS) == -1


def test_key_of_another_certificate_is_no_pair(folder: Path) -> None:
    with pytest.raises(NotTrusted, match="we have no certificate"):
        security.pairs(folder / "certificate.der", folder / "key.next.pem")


def check_shown(folder: Path, der: bytes, uri: str, problem: str) -> None:
    with pytest.raises(NotTrusted, match=problem):
        security.check_server(ours(folder), der, uri, "opc.tcp://cell-1")


def test_only_what_is_trusted_valid_and_its_own_passes(folder: Path) -> None:
    known = (folder / "certificate.next.der").read_bytes()
    uri = security.facts_of(known).uris[0]
    security.check_server(ours(folder), known, uri, "opc.tcp://cell-1")
    check_shown(folder, known, "urn:other", "does not speak for urn:other")
    check_shown(folder, (folder / "certificate.der").read_bytes(), uri, "which is not trusted")
    check_shown(folder, b"junk", uri, "no certificate that can be read")
    assert len(list((folder / "rejected").glob("*.der"))) == 1


def test_ended_certificate_is_refused(tmp_path: Path) -> None:
    pair = ours(tmp_path)
    facts = security.make_pair(pair.certificate, pair.key, "controller", 0)
    security.trust(tmp_path / "trusted", pair.certificate.read_bytes())
    check_shown(tmp_path, pair.certificate.read_bytes(), facts.uris[0], "not valid today")


def test_rotation_keeps_the_old_pair(tmp_path: Path) -> None:
    pair = ours(tmp_path)
    first = security.make_pair(pair.certificate, pair.key, "controller", 365)
    assert not security.finish_rotation(pair.certificate, pair.key)
    before = security.stamp(pair)
    second = security.make_pair(pair.certificate, pair.key, "controller", 365, ".next")
    assert security.stamp(pair) != before
    assert security.finish_rotation(pair.certificate, pair.key)
    found = security.pairs(pair.certificate, pair.key)
    assert [p.generation for p in found] == ["", ".old"]
    assert [security.facts_of(p.certificate) for p in found] == [second, first]


def test_command_shows_compares_and_trusts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--folder", str(folder)]
    verbs = ["cell", "certificates"]
    assert main([*verbs, "make", *place]) == 1  # never replaces one
    assert main([*verbs, "show", *place]) == 1  # the trusted one ends in 10 days
    shown = capsys.readouterr().out
    assert "ours, current" in shown and "ours, next" in shown and "rotate it" in shown
    file = str(folder / "certificate.der")
    assert main([*verbs, "trust", file, *place]) == 2  # nothing compared yet
    assert main([*verbs, "trust", file, *place, "--thumbprint", "00000000"]) == 1
    thumbprint = security.facts_of((folder / "certificate.der").read_bytes()).thumbprint
    typed = ":".join(thumbprint[i : i + 2] for i in range(0, 20, 2))
    assert main([*verbs, "trust", file, *place, "--thumbprint", typed]) == 0
    assert (folder / "trusted" / f"{thumbprint}.der").exists()
    (folder / "trusted" / f"{thumbprint}.der").unlink()


def test_site_file_names_what_is_wrong_with_security(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    path.write_text(
        "site: shop\nmachines:\n- {id: cell-1, kind: cell, link: opcua, url: 'opc.tcp://c:4840',"
        " security: {policy: Basic128Rsa15, mode: None, user: fab}}\n"
    )
    with pytest.raises(SiteFileError) as caught:
        read_site(path)
    text = str(caught.value)
    assert "machines[0].security.policy: must be one of Basic256Sha256" in text
    assert "machines[0].security.mode" in text and "security.password_env" in text
