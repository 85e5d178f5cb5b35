"""Accounts in the store, the copy in memory, passwords, limits: without a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.clock import ManualClock
from controller.adapters.passwords import Passwords, quick
from controller.adapters.store import Store
from controller.commons import boxes, members
from controller.people import accounts
from controller.people.records import AuditLine
from controller.people.register import Register
from controller.values import Community, Refused
from dashboards.limits import Limit
from support.postgres import store_place

HOUR = 3_600_000


@pytest.fixture
def store_at(tmp_path: Path) -> Iterator[Store]:
    made = Store(store_place(tmp_path / "people.db"), lambda: 1)
    yield made
    made.close()


def refused(run: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        run()
    assert caught.value.code == code


def test_passwords_are_argon2id_and_match_only_themselves() -> None:
    passwords = Passwords()
    kept = passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, "correct horse battery")
    assert not passwords.matches(kept, "correct horse batterY")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("not a hash", "x")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaa", "anna12345678", "x" * 300])
def test_a_poor_password_is_refused(password: str) -> None:
    refused(lambda: accounts.check_password(password, "anna"), "bad-password")


def test_names_and_roles_are_checked(store_at: Store) -> None:
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        refused(lambda: accounts.add(tx, "anna", "member", "hash", 1), "conflict")
        refused(lambda: accounts.add(tx, "A b", "member", "hash", 1), "bad-name")
        refused(lambda: accounts.add(tx, "ben", "public", "hash", 1), "bad-role")


def test_the_last_admin_stays(store_at: Store) -> None:
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        refused(lambda: accounts.set_role(tx, "anna", "member", 2), "last-admin")
        refused(lambda: accounts.set_disabled(tx, "anna", True, 2), "last-admin")
        accounts.add(tx, "ben", "admin", "hash", 1)
        assert accounts.set_role(tx, "anna", "member", 2).role == "member"
        refused(lambda: accounts.set_role(tx, "ben", "member", 2), "last-admin")


def test_sessions_end_by_time_by_password_and_by_disabling(store_at: Store) -> None:
    clock, now = ManualClock(), [0]
    register = Register(store_at.read, lambda: now[0], clock.monotonic_s)

    def opened() -> str:
        with store_at.write() as tx:
            text = accounts.open_session(tx, "ben", HOUR, now[0], "here")
        register.look()
        return text

    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        accounts.add(tx, "ben", "technician", "hash", 1)
    first = opened()
    caller = register.by_session(first)
    assert caller is not None and caller.account == "ben" and "operate" in caller.rights
    now[0] = HOUR
    assert register.by_session(first) is None
    second = opened()
    with store_at.write() as tx:
        accounts.set_password(tx, "ben", "other", 3)
    register.look()
    assert register.by_session(second) is None
    third = opened()
    with store_at.write() as tx:
        accounts.set_disabled(tx, "ben", True, 4)
    register.look()
    assert register.by_session(third) is None
    with store_at.write() as tx:
        refused(lambda: accounts.open_session(tx, "ben", HOUR, 0, ""), "disabled")


def test_what_another_process_changes_is_seen_when_the_copy_is_stale(store_at: Store) -> None:
    clock = ManualClock()
    register = Register(store_at.read, lambda: 0, clock.monotonic_s)
    assert register.stale()
    register.look()
    assert register.empty and not register.stale()
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
    clock.advance_ms(1_999)
    assert not register.stale()
    clock.advance_ms(1)
    assert register.stale()
    register.look()
    assert not register.empty


def test_an_account_has_so_many_sessions(store_at: Store) -> None:
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        for at in range(accounts.MAX_SESSIONS + 5):
            accounts.open_session(tx, "anna", HOUR, at, "")
        kept = tx.people.sessions()
    assert [one.created_at for one in kept] == list(range(5, accounts.MAX_SESSIONS + 5))


def test_a_token_has_no_more_than_its_account(store_at: Store) -> None:
    register = Register(store_at.read, lambda: 10, ManualClock().monotonic_s)
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        accounts.add(tx, "ben", "technician", "hash", 1)
        refused(lambda: accounts.give_token(tx, "ben", "x", ["manage"], (1, 1)), "bad-scopes")
        refused(lambda: accounts.give_token(tx, "ben", "x", [], (1, 1)), "bad-scopes")
        made = accounts.give_token(tx, "ben", "x", ["read", "operate"], (1, 1))
    register.look()
    caller = register.by_token(made.text)
    assert caller is not None and caller.rights == {"read", "operate"}
    with store_at.write() as tx:
        accounts.set_role(tx, "ben", "member", 2)
    register.look()
    caller = register.by_token(made.text)
    assert caller is not None and caller.rights == {"read"}
    with store_at.write() as tx:
        accounts.revoke_token(tx, "ben", made.kept.id, 3)
    register.look()
    assert register.by_token(made.text) is None


def test_nothing_kept_gives_a_secret_away(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    store = Store(path, lambda: 1)
    with store.write() as tx:
        accounts.add(tx, "anna", "admin", quick().hash("correct horse battery"), 1)
        session = accounts.open_session(tx, "anna", HOUR, 1, "")
        token = accounts.give_token(tx, "anna", "x", ["read"], (1, 1)).text
    store.close()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert all(secret.encode() not in held for secret in (session, token, "correct horse battery"))


def test_the_database_refuses_to_change_the_audit_log(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    store = Store(path, lambda: 1)
    with store.write() as tx:
        accounts.audit(tx, AuditLine(None, 1, "anna", "session", "POST /x", "", "200"))
    store.close()
    raw = sqlite3.connect(path)
    for statement in ("UPDATE audit SET who = 'eve'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)
    raw.close()


def test_an_account_takes_the_place_of_its_members_token(store_at: Store) -> None:
    with store_at.write() as tx:
        tx.communities.put(Community("north", "North", 2))
        admitted = members.admit_members(tx, "north", 2)
        accounts.add(tx, "mia", "member", "hash", 1)
        accounts.bind_member(tx, "mia", admitted[0].member.id, 2)
        refused(lambda: members.member_of(tx, admitted[0].token), "not-a-member")
        own = tx.members.get(admitted[0].member.id)
        assert own is not None and members.member_of(tx, own) == own
        refused(lambda: accounts.bind_member(tx, "mia", admitted[1].member.id, 2), "conflict")
        wishes = boxes.Wishes({}, {})
        refused(lambda: boxes.cast_ballot(tx, "r-1", own, wishes), "unknown-round")


def test_a_name_of_the_provider_never_takes_an_account_over(store_at: Store) -> None:
    with store_at.write() as tx:
        accounts.add(tx, "anna", "admin", "hash", 1)
        made = accounts.of_oidc(tx, "https://id 7", "Anna", "member", 2)
        assert (made.id, made.role, made.password) == ("anna-2", "member", None)
        assert accounts.of_oidc(tx, "https://id 7", "Other", "admin", 3) == made


def test_permits_refill_with_time_and_are_bounded() -> None:
    clock = ManualClock()
    limit = Limit(2, 10.0, clock.monotonic_s)
    assert [limit.take("a"), limit.take("a")] == [0, 0]
    assert limit.take("a") == pytest.approx(10)
    assert limit.take("b") == 0
    clock.advance_ms(10_000)
    assert limit.take("a") == 0 and limit.take("a") > 0
    limit.give_back("a")
    assert limit.take("a") == 0
    for n in range(20_000):
        limit.take(str(n))
    assert len(limit._left) <= 10_000
