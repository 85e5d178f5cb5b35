"""Inbox of machine events, dead letters, notices and the site's own numbers."""

from sqlalchemy import bindparam, delete, func, insert, select

from controller.adapters.store import tables
from controller.adapters.store.rows import Room, as_row
from controller.values import DeadLetter, Json, Notice

_inbox = tables.inbox
_dead = tables.dead_letter
_notice = tables.notice
_site = tables.site
_SHA = select(_inbox.c.sha).where(
    _inbox.c.machine == bindparam("machine"),
    _inbox.c.jid == bindparam("jid"),
    _inbox.c.s == bindparam("s"),
)
_VALUE = select(_site.c.value).where(_site.c.name == bindparam("name"))


class InboxRoom(Room):
    """Every machine event ever committed, by (machine, journal, s)."""

    def sha(self, machine: str, jid: str, s: int) -> str | None:
        """Hash of a committed event, or None when it was never committed."""
        return self._value(_SHA, machine=machine, jid=jid, s=s)

    def last(self, machine: str, jid: str) -> int:
        """Highest event committed of one journal, 0 when none."""
        found = self._scalar(
            select(func.max(_inbox.c.s)).where(_inbox.c.machine == machine, _inbox.c.jid == jid)
        )
        return found or 0

    def add(self, key: tuple[str, str, int], body: str, sha: str, received_at: int) -> None:
        """Store one event under key (machine, jid, s)."""
        machine, jid, s = key
        row: Json = {"machine": machine, "jid": jid, "s": s, "body": body, "sha": sha}
        self._put(_inbox, row | {"received_at": received_at})

    def count(self) -> int:
        """How many events were ever committed."""
        return self._scalar(select(func.count()).select_from(_inbox)) or 0


class DeadLetterRoom(Room):
    """Messages that could not be understood."""

    def add(self, letter: DeadLetter) -> None:
        """Store one; the oldest beyond 10,000 go."""
        result = self._run(insert(_dead).values(as_row(_dead, letter)))
        key = result.inserted_primary_key
        assert key is not None
        if key[0] % 100 == 0:
            self._run(delete(_dead).where(_dead.c.id <= key[0] - 10000))

    def page(self, limit: int) -> list[DeadLetter]:
        """The newest, newest first."""
        return self._all(DeadLetter, select(_dead).order_by(_dead.c.id.desc()).limit(limit))

    def count(self) -> int:
        """How many there ever were."""
        return self._scalar(select(func.max(_dead.c.id))) or 0


class NoticeRoom(Room):
    """Lines for people and for the live feed."""

    def add(self, at: int, kind: str, subject: str, text: str) -> Notice:
        """Store a notice; the oldest beyond 20,000 go."""
        row: Json = {"at": at, "kind": kind, "subject": subject, "text": text}
        number = self._put_new(_notice, row, "seq")
        if number % 500 == 0:
            self._run(delete(_notice).where(_notice.c.seq <= number - 20000))
        return Notice(number, at, kind, subject, text)

    def since(self, seq: int, limit: int = 500) -> list[Notice]:
        """Notices after ``seq``, oldest first."""
        return self._all(
            Notice,
            select(_notice).where(_notice.c.seq > seq).order_by(_notice.c.seq).limit(limit),
        )

    def page(self, limit: int) -> list[Notice]:
        """The newest, newest first."""
        return self._all(Notice, select(_notice).order_by(_notice.c.seq.desc()).limit(limit))

    def last(self) -> int:
        """Number of the newest notice, 0 when none."""
        return self._scalar(select(func.max(_notice.c.seq))) or 0

    def last_at(self) -> int:
        """Floor time of the newest notice, 0 when none."""
        return self._scalar(select(func.max(_notice.c.at))) or 0


class SiteRoom(Room):
    """The site's own numbers and words: epoch, term, schema version, name."""

    def get(self, name: str) -> str | None:
        """One value, or None."""
        return self._value(_VALUE, name=name)

    def put(self, name: str, value: str) -> None:
        """Store one value."""
        if self._change(_site, {"name": name}, {"value": value}) == 0:
            self._put(_site, {"name": name, "value": value})

    def number(self, name: str) -> int:
        """One number, 0 when never stored."""
        return int(self.get(name) or "0")

    def next(self, name: str) -> int:
        """Count a number up by one and return it."""
        number = self.number(name) + 1
        self.put(name, str(number))
        return number

    def raise_to(self, name: str, least: int) -> int:
        """Make a number at least ``least``; return it."""
        number = self.number(name)
        if number < least:
            self.put(name, str(least))
            return least
        return number
