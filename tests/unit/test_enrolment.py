"""One-time codes: short, used once, expiring, of no use to who listens or guesses."""

import contextlib

import pytest

from controller.adapters import codes
from controller.adapters.access import CONTROLLER, PROBE, Access, acl
from controller.adapters.authority import Authority
from controller.adapters.clock import SystemClock
from controller.adapters.codes import BadCode, Codes, seal, stretch, tidy, unseal
from controller.adapters.store import Store
from controller.enrolment import StoreShelf
from controller.values import OpenCode, Refused

SETTINGS = {"machine": "printer-1", "password": "only for it"}
NOW_MS = 1_760_000_000_000


class Time:
    now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(Store(tmp_path / "site.sqlite", SystemClock().now_ms)) as made:
        yield made


class StoreOnly:
    """As much of a site as a shelf needs."""

    def __init__(self, store):
        self.store = store

    def submit(self, run):
        with self.store.write() as tx:
            return run(tx)


@pytest.fixture
def shelf(store):
    return StoreShelf(StoreOnly(store))


def settings(machine):
    return {**SETTINGS, "machine": machine}


def test_a_code_opens_its_settings_once(shelf):
    open_codes = Codes(Time(), shelf)
    code = open_codes.make("printer-1")
    name, key = stretch(code.lower().replace("-", " "))
    sealed = open_codes.redeem(name, settings)
    assert unseal(key, sealed) == SETTINGS
    assert "only for it" not in sealed
    with pytest.raises(Refused, match="used already"):
        open_codes.redeem(name, settings)


def test_a_code_expires(shelf):
    time = Time()
    open_codes = Codes(time, shelf)
    name, _ = stretch(open_codes.make("printer-1"))
    time.now = codes.LIFE_MS
    with pytest.raises(Refused, match="older than 15 minutes"):
        open_codes.redeem(name, settings)


def test_a_code_is_good_after_a_restart_and_the_store_does_not_hold_it(tmp_path):
    path = tmp_path / "site.sqlite"
    with contextlib.closing(Store(path, SystemClock().now_ms)) as store:
        code = Codes(Time(), StoreShelf(StoreOnly(store))).make("printer-1")
    with contextlib.closing(Store(path, SystemClock().now_ms)) as store:
        open_codes = Codes(Time(), StoreShelf(StoreOnly(store)))
        name, key = stretch(code)
        assert unseal(key, open_codes.redeem(name, settings)) == SETTINGS
        with pytest.raises(Refused, match="used already"):
            open_codes.redeem(name, settings)
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert tidy(code).encode() not in held and code.encode() not in held


def test_a_clock_set_back_prolongs_no_code(shelf):
    time = Time()
    time.now = NOW_MS
    open_codes = Codes(time, shelf)
    name, _ = stretch(open_codes.make("printer-1"))
    time.now -= 1
    with pytest.raises(Refused, match="not known"):
        open_codes.redeem(name, settings)


def test_so_many_codes_are_open_and_expired_ones_make_room(shelf):
    time = Time()
    for n in range(codes.MAX_OPEN):
        assert shelf.put(OpenCode(f"{n}", f"printer-{n}", "00", 1000), 0, codes.MAX_OPEN)
    with pytest.raises(Refused, match="codes are open"):
        Codes(time, shelf).make("mill-1")
    Codes(time, shelf).make("printer-7")
    time.now = 1000
    Codes(time, shelf).make("mill-1")


def test_a_second_code_for_a_machine_ends_the_first(shelf):
    open_codes = Codes(Time(), shelf)
    first, _ = stretch(open_codes.make("printer-1"))
    second, _ = stretch(open_codes.make("printer-1"))
    with pytest.raises(Refused):
        open_codes.redeem(first, settings)
    open_codes.redeem(second, settings)


def test_guessing_is_slowed_down_for_everybody(shelf):
    time = Time()
    open_codes = Codes(time, shelf)
    name, _ = stretch(open_codes.make("printer-1"))
    for n in range(codes.MISSES):
        with pytest.raises(Refused, match="not known"):
            open_codes.redeem(f"guess {n}", settings)
    with pytest.raises(Refused, match="too many"):
        open_codes.redeem(name, settings)
    time.now = codes.MISS_MS
    open_codes.redeem(name, settings)


def test_who_listens_learns_nothing_and_a_false_site_is_noticed():
    _, key = stretch("ABCDE-FGHJK")
    sealed = seal(key, SETTINGS)
    for other in (stretch("ABCDE-FGHJM")[1], bytes(32)):
        with pytest.raises(BadCode):
            unseal(other, sealed)
    for spoiled in ("", "zz", sealed[:-2], sealed[:40] + "00" + sealed[42:]):
        with pytest.raises(BadCode):
            unseal(key, spoiled)


def test_a_code_is_easy_to_read_aloud(shelf):
    code = Codes(Time(), shelf).make("printer-1")
    assert len(code) == 11
    assert not set("01OIULl") & set(code)
    assert tidy(f" {code.lower()} ") == code.replace("-", "")


def test_credentials_are_random_hashed_and_readable_by_the_owner_only(tmp_path):
    access = Access(tmp_path, "workshop")
    one, two = access.give("printer-1"), access.give("printer-2")
    assert one != two and len(one) >= 24
    text = access.passwords.read_text()
    assert one not in text and two not in text
    assert access.passwords.stat().st_mode & 0o077 == 0
    assert access.users() == [CONTROLLER, PROBE, "printer-1", "printer-2"]
    access.revoke("printer-1")
    assert access.users() == [CONTROLLER, PROBE, "printer-2"]
    assert Access(tmp_path, "workshop").login() == access.login()


@pytest.mark.parametrize("machine", ["", "a b", "../x", "a:b", "#", "+", "_controller", "A"])
def test_an_id_that_could_widen_a_topic_is_refused(tmp_path, machine):
    access = Access(tmp_path, "workshop")
    with pytest.raises(Refused):
        access.give(machine)
    with pytest.raises(Refused):
        access.revoke(machine)


def test_a_machine_is_let_speak_only_as_itself():
    assert [line for line in acl("workshop").splitlines() if "pattern" in line] == [
        "pattern write fab/1/workshop/%u/up/#",
        "pattern read fab/1/workshop/%u/dn/#",
        "pattern read fab/1/workshop/_ctl/state",
    ]


def test_the_listeners_certificate_is_renewed_in_time_and_the_ca_stays(tmp_path):
    first = Authority(tmp_path, "workshop", NOW_MS)
    ca, cert = first.ca.read_bytes(), first.cert.read_bytes()
    assert Authority(tmp_path, "workshop", NOW_MS).cert.read_bytes() == cert
    later = Authority(tmp_path, "workshop", NOW_MS + 800 * 86_400_000)
    assert later.cert.read_bytes() != cert
    assert later.ca.read_bytes() == ca
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
