"""What is wrong with a login at somebody else's broker is said, with its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.adapters.authority import Authority
from controller.adapters.broker_login import BrokerLogin, BrokerLoginError, address, problems

AWAY = "mqtt.example.org:8883"


@pytest.mark.parametrize(
    ("login", "broker", "field"),
    [
        (BrokerLogin(tls=True), "mosquitto", "broker:"),
        (BrokerLogin(user="fab"), AWAY, "broker_login.password_env:"),
        (BrokerLogin(user="fab", password_env="A", password_file="b"), AWAY, "password_file:"),
        (BrokerLogin(password_env="A"), AWAY, "broker_login.user:"),
        (BrokerLogin(tls=True, certificate="c.pem"), AWAY, "broker_login.certificate, key:"),
        (BrokerLogin(ca="ca.pem"), AWAY, "broker_login.tls:"),
    ],
)
def test_each_problem_names_its_field(login: BrokerLogin, broker: str, field: str) -> None:
    assert any(field in text for text in problems(login, broker))


def test_sound_logins_have_no_problem() -> None:
    for login in (None, BrokerLogin(tls=True), BrokerLogin(user="fab", password_env="FAB_WORD")):
        assert problems(login, AWAY) == []


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (BrokerLogin(user="fab", password_env="FAB_NO_SUCH"), "password_env: the environment has"),
        (BrokerLogin(user="fab", password_file="none"), "password_file: .*none: No such file"),
        (BrokerLogin(tls=True, ca="none.pem"), "ca: .*none.pem: No such file"),
        (BrokerLogin(tls=True, ca="words.pem"), "ca: .*words.pem"),
        (BrokerLogin(tls=True, certificate="a.pem", key="b.pem"), "certificate: there is no"),
        (BrokerLogin(tls=True, certificate="words.pem", key="words.pem"), "certificate, key: "),
    ],
)
def test_what_is_not_there_is_named(login: BrokerLogin, words: str, tmp_path: Path) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    with pytest.raises(BrokerLoginError, match=f"broker_login.{words}"):
        address(login, "host", 8883, tmp_path)


def test_a_password_is_taken_from_environment_or_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAB_WORD", "from the environment")
    (tmp_path / "word").write_text("from a file\n")
    by_name = address(BrokerLogin(user="fab", password_env="FAB_WORD"), "h", 1, tmp_path)
    by_file = address(BrokerLogin(user="fab", password_file="word"), "h", 1, tmp_path)
    assert (by_name.password, by_file.password) == ("from the environment", "from a file")
    assert address(None, "h", 1, tmp_path).user is None


def test_tls_trusts_the_authority_that_is_named(tmp_path: Path) -> None:
    made = Authority(tmp_path, "floor", 1_760_000_000_000)
    login = BrokerLogin(tls=True, ca=made.ca.name)
    context = address(login, "h", 1, tmp_path).tls
    assert context is not None and context.check_hostname
    assert len(context.get_ca_certs()) == 1
