"""Coming in by HTTP: log-in, roles, another site's page, tokens, limits, who may stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.gate import Rules
from support import dash_furnish
from support.people import PASSWORD, Served, populate, served

STOP = "/api/machines/printer-1/stop"
CLEAR = "/api/machines/printer-2/clear"
FAR = Rules(loopback=False, floor_networks=("10.9.9.0/24",))


@pytest.fixture(scope="module")
def one(dash_floor: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    desk = dash_floor.FakeDesk(tmp_path_factory.mktemp("people"))
    desk.change(dash_floor.fill)
    desk.change(dash_furnish.furnish)
    desk.token = desk.submit(dash_furnish.open_round)
    populate(desk)
    with served(desk) as made:
        yield made
    desk.close()


@pytest.fixture
def floor(one: Served) -> Served:
    """One floor for the file, its accounts and limits as at the beginning."""
    one.begin_again()
    return one


@pytest.fixture
def far(desk: Any) -> Iterator[Served]:
    """A floor whose own network is elsewhere."""
    populate(desk)
    with served(desk, FAR) as made:
        yield made


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["problems"][0]["code"]


def test_without_accounts_this_computer_is_the_admin(desk: Any) -> None:
    with served(desk) as floor:
        me = floor.browser().get("/api/me").json()
        assert (me["how"], me["role"], me["log_in"], me["accounts"]) == (
            "local",
            "admin",
            False,
            False,
        )
        floor.browser().post(CLEAR, json={"who": "Ana"})
        assert desk.asked[-1][3].who == "Ana"


def test_a_proxy_before_an_open_floor_lets_nobody_in(desk: Any) -> None:
    with served(desk) as floor:
        answer = floor.browser(**{"X-Forwarded-For": "203.0.113.9"}).get("/api/floor")
        assert code(answer) == (401, "log-in")


def test_off_loopback_nobody_is_the_admin(desk: Any) -> None:
    with served(desk, Rules(loopback=False)) as floor:
        assert code(floor.browser().get("/api/floor")) == (401, "log-in")
        assert floor.browser().get("/api/ledger.jsonld").status_code == 200


def test_the_public_reads_what_is_public_and_no_more(floor: Served) -> None:
    nobody = floor.browser()
    for path in (
        "/api/parts/n-3",
        "/api/records/n-3",
        "/api/ledger.jsonld",
        "/api/rounds",
        "/healthz",
    ):
        assert nobody.get(path).status_code == 200, path
    for path in ("/api/floor", "/api/events", "/api/machines/printer-1", "/metrics", "/api/audit"):
        assert code(nobody.get(path)) == (401, "log-in"), path
    assert code(nobody.post(CLEAR, json={})) == (401, "log-in")


def test_each_role_may_what_the_table_says(floor: Served) -> None:
    asks = (
        ("GET", "/api/floor", "mia"),
        ("POST", CLEAR, "tom"),
        ("POST", "/api/rounds", "stella"),
        ("GET", "/api/audit", "stella"),
        ("GET", "/api/accounts", "ada"),
    )
    order = ("mia", "tom", "stella", "ada")
    for name in order:
        client = floor.logged_in(name)
        for method, path, least in asks:
            answer = client.request(method, path, json={} if method == "POST" else None)
            allowed = order.index(name) >= order.index(least)
            assert (answer.status_code != 403) == allowed, (name, path, answer.text)


def test_a_command_is_recorded_under_the_account(floor: Served) -> None:
    tom = floor.logged_in("tom")
    assert tom.post(CLEAR, json={"who": "the boss"}).status_code == 200
    assert floor.desk.asked[-1][3].who == "tom"
    assert tom.post(
        "/api/needs", json={"community": "north", "design": "clamp", "stated_by": "eve"}
    )
    assert floor.desk.asked[-1][1][0].stated_by == "tom"


def test_the_cookie_is_kept_from_scripts_and_other_sites(floor: Served) -> None:
    answer = floor.browser().post("/api/log-in", json={"name": "tom", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert all(
        word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=43200")
    )
    assert answer.headers["cache-control"] == "no-store"


def test_a_session_ends_with_log_out(floor: Served) -> None:
    tom = floor.logged_in("tom")
    kept = dict(tom.cookies)
    assert tom.post("/api/log-out").status_code == 200
    again = floor.browser()
    again.cookies.update(kept)
    assert code(again.get("/api/floor")) == (401, "log-in")


@pytest.mark.parametrize(
    "sent",
    [
        {"X-Fabcommons": ""},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_cannot_use_our_cookie(floor: Served, sent: dict[str, str]) -> None:
    tom = floor.logged_in("tom")
    assert code(tom.post(CLEAR, json={}, headers=sent)) == (403, "origin")
    assert floor.desk.asked == []


def test_an_account_shut_out_is_out_at_once(floor: Served) -> None:
    tom, ada = floor.logged_in("tom"), floor.logged_in("ada")
    assert ada.post("/api/accounts/tom", json={"disabled": True}).status_code == 200
    assert code(tom.get("/api/floor")) == (401, "log-in")
    answer = floor.browser().post("/api/log-in", json={"name": "tom", "password": PASSWORD})
    assert code(answer) == (401, "log-in")


def test_a_stream_ends_with_its_session(floor: Served) -> None:
    tom, ada = floor.logged_in("tom"), floor.logged_in("ada")
    with tom.stream("GET", "/api/events") as stream:
        pieces = stream.iter_bytes()
        next(pieces)
        ada.post("/api/accounts/tom", json={"disabled": True})
        floor.desk.change(lambda tx: tx.notice("note", "floor", "something to tell"))
        told = b"".join(pieces)
    assert b"something to tell" not in told


def test_a_name_that_is_not_there_is_answered_as_a_wrong_password(floor: Served) -> None:
    answers = [
        floor.browser().post("/api/log-in", json={"name": name, "password": "wrong" * 3})
        for name in ("tom", "nobody-here")
    ]
    assert answers[0].json() == answers[1].json()


def test_log_ins_are_limited_for_each_account_and_address(floor: Served) -> None:
    client = floor.browser()
    wrong = {"name": "tom", "password": "not the password"}
    codes = [client.post("/api/log-in", json=wrong).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    right = {"name": "tom", "password": PASSWORD}
    assert client.post("/api/log-in", json=right).status_code == 429
    floor.desk.clock.advance_ms(20_000)
    assert client.post("/api/log-in", json=right).status_code == 200


def test_writes_are_limited_and_a_stop_never(floor: Served) -> None:
    tom = floor.logged_in("tom")
    for _ in range(400):
        floor.gate._writes.take("tom")
    assert code(tom.post(CLEAR, json={})) == (429, "slow-down")
    assert tom.post(STOP).status_code == 200


def test_a_token_acts_within_its_scopes_until_it_is_revoked(floor: Served) -> None:
    tom = floor.logged_in("tom")
    made = tom.post("/api/me/tokens", json={"name": "grafana", "scopes": ["read"]}).json()
    program = floor.browser(Authorization=f"Bearer {made['token']}")
    assert program.get("/metrics").status_code == 200
    assert code(program.post(CLEAR, json={})) == (403, "scope")
    assert code(program.post("/api/me/tokens", json={"name": "x", "scopes": ["read"]})) == (
        403,
        "token",
    )
    assert "token" not in tom.get("/api/me/tokens").json()[0]
    assert tom.post(f"/api/me/tokens/{made['id']}/revoke").status_code == 200
    assert code(program.get("/metrics")) == (401, "token")


def test_a_token_needs_no_cookie_and_no_origin(floor: Served) -> None:
    tom = floor.logged_in("tom")
    scopes = ["read", "operate"]
    made = tom.post("/api/me/tokens", json={"name": "cell", "scopes": scopes}).json()
    program = floor.browser(Authorization=f"Bearer {made['token']}")
    assert program.post(CLEAR, json={}).status_code == 200
    assert floor.desk.asked[-1][3].who == "tom"


def test_on_the_floor_anybody_may_stop(floor: Served) -> None:
    assert floor.browser().post(f"{STOP}?who=Eve").status_code == 200
    assert floor.desk.asked[-1] == ("stop", "printer-1", "Eve (not logged in)")
    spent = floor.browser(Authorization="Bearer fabt-revoked-long-ago")
    assert spent.post(STOP).status_code == 200


def test_from_elsewhere_an_account_may_stop_and_nobody_else(far: Served) -> None:
    assert code(far.browser().post(STOP)) == (401, "log-in")
    assert far.logged_in("mia").post(STOP).status_code == 200
    assert far.desk.asked[-1] == ("stop", "printer-1", "mia")


def test_a_stop_reads_no_database(far: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    mia = far.logged_in("mia")
    far.desk.clock.advance_ms(60_000)

    def hung() -> Any:
        raise AssertionError("a stop read the store")

    monkeypatch.setattr(far.desk, "read", hung)
    assert mia.post(STOP).status_code == 200


def test_the_first_account_is_made_with_the_printed_code_once(desk: Any) -> None:
    with served(desk, Rules(set_up_code="c0de")) as floor:
        client = floor.browser()
        ask = {"name": "ada", "password": PASSWORD, "code": "wrong"}
        assert code(client.post("/api/set-up", json=ask)) == (401, "code")
        assert client.post("/api/set-up", json={**ask, "code": "c0de"}).status_code == 200
        assert client.get("/api/me").json()["role"] == "admin"
        assert code(client.post("/api/set-up", json={**ask, "code": "c0de"})) == (409, "conflict")
        assert code(floor.browser().get("/api/floor")) == (401, "log-in")


def test_a_password_is_changed_by_who_knows_the_old_one(floor: Served) -> None:
    tom, other = floor.logged_in("tom"), floor.logged_in("tom")
    ask = {"old": "not the password", "new": "another long password"}
    assert code(tom.post("/api/me/password", json=ask)) == (401, "log-in")
    assert tom.post("/api/me/password", json={**ask, "old": PASSWORD}).status_code == 200
    assert tom.get("/api/floor").status_code == 200
    assert code(other.get("/api/floor")) == (401, "log-in")


def test_who_did_what_is_written_down(desk: Any) -> None:
    populate(desk)
    with served(desk) as floor:
        _do_things(floor)
        found = [(line.who, line.how, line.what, line.outcome) for line in floor.lines()]
    assert found == [
        ("tom", "public", "POST /api/log-in", "200"),
        ("tom", "session", f"POST {CLEAR}", "200"),
        ("tom", "public", "POST /api/log-in", "401"),
        ("nobody", "public", f"POST {CLEAR}", "401"),
        ("nobody", "public", f"POST {STOP}", "200"),
    ]


def _do_things(floor: Served) -> None:
    tom = floor.logged_in("tom")
    tom.post(CLEAR, json={})
    floor.browser().post("/api/log-in", json={"name": "tom", "password": "wrong password"})
    floor.browser().post(CLEAR, json={})
    floor.browser().post(STOP)


def test_an_account_votes_as_its_own_member_only(floor: Served) -> None:
    token = floor.desk.token
    mia, tom = floor.logged_in("mia"), floor.logged_in("tom")
    bearer = {"Authorization": f"Bearer {token}"}
    ballot = "/api/rounds/current/ballot"
    first = mia.post(ballot, json={"approvals": {}}, headers=bearer)
    assert first.status_code == 200, first.text
    again = mia.post(ballot, json={"approvals": {}})
    assert again.json()["voter"] == first.json()["voter"]
    assert again.json()["version"] == first.json()["version"] + 1
    assert code(tom.post(ballot, json={"approvals": {}}, headers=bearer)) == (401, "not-a-member")
    assert code(floor.browser().get(ballot, headers=bearer)) == (401, "not-a-member")
    other = mia_other(floor)
    assert code(mia.get(ballot, headers={"Authorization": f"Bearer {other}"})) == (
        403,
        "not-yourself",
    )


def mia_other(floor: Served) -> str:
    """The token of another member."""
    from controller.commons import members

    return floor.desk.submit(lambda tx: members.admit_members(tx, "north", 1)[0].token)
