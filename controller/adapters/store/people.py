"""People in the store: accounts, sessions, tokens for programs, the audit log."""

from sqlalchemy import delete, insert, select, update

from controller.adapters.store import people_tables as tables
from controller.adapters.store.rows import Room, as_row, to_row
from controller.people.records import Account, ApiToken, AuditLine, Session

_account, _session, _token = tables.account, tables.session, tables.api_token
_audit = tables.audit


class PeopleRoom(Room):
    """Accounts with their sessions and tokens; the audit log is only ever added to."""

    def get(self, account: str) -> Account | None:
        """One account, or None."""
        return self._one(Account, select(_account).where(_account.c.id == account))

    def by_oidc(self, subject: str) -> Account | None:
        """The account an identity provider knows by this subject, or None."""
        return self._one(Account, select(_account).where(_account.c.oidc == subject))

    def all(self) -> list[Account]:
        """Every account, by name."""
        return self._all(Account, select(_account).order_by(_account.c.id))

    def add(self, account: Account) -> None:
        """Store a new account."""
        self._run(insert(_account).values(as_row(_account, account)))

    def change(self, account: str, **changes: object) -> None:
        """Change fields of one account."""
        where = _account.c.id == account
        self._run(update(_account).where(where).values(to_row(_account, changes)))

    def sessions(self) -> list[Session]:
        """Every session, oldest first."""
        return self._all(Session, select(_session).order_by(_session.c.created_at))

    def add_session(self, session: Session) -> None:
        """Store a new session."""
        self._run(insert(_session).values(as_row(_session, session)))

    def end_session(self, sha: str) -> None:
        """Forget one session."""
        self._run(delete(_session).where(_session.c.sha == sha))

    def end_sessions(self, account: str) -> None:
        """Forget every session of an account."""
        self._run(delete(_session).where(_session.c.account == account))

    def end_expired(self, now_ms: int) -> None:
        """Forget sessions whose time is over."""
        self._run(delete(_session).where(_session.c.expires_at <= now_ms))

    def keep_newest(self, account: str, count: int) -> None:
        """Forget all but the newest sessions of an account."""
        newest = select(_session.c.sha).where(_session.c.account == account)
        newest = newest.order_by(_session.c.created_at.desc()).limit(count)
        keep = [row[0] for row in self._conn.execute(newest)]
        mine = _session.c.account == account
        self._run(delete(_session).where(mine, _session.c.sha.not_in(keep)))

    def tokens(self) -> list[ApiToken]:
        """Every token that was not revoked."""
        return self._all(ApiToken, select(_token).where(_token.c.revoked_at.is_(None)))

    def tokens_of(self, account: str) -> list[ApiToken]:
        """Tokens of an account, oldest first, revoked ones too."""
        query = select(_token).where(_token.c.account == account).order_by(_token.c.created_at)
        return self._all(ApiToken, query)

    def add_token(self, token: ApiToken) -> None:
        """Store a new token."""
        self._run(insert(_token).values(as_row(_token, token)))

    def revoke_token(self, token: str, at: int) -> None:
        """Say since when a token is worth nothing."""
        where = (_token.c.id == token, _token.c.revoked_at.is_(None))
        self._run(update(_token).where(*where).values(revoked_at=at))

    def append(self, line: AuditLine) -> None:
        """Add a line to the audit log."""
        self._run(insert(_audit).values(as_row(_audit, line)))

    def audit_page(self, limit: int, before: int = 0, who: str = "") -> list[AuditLine]:
        """Lines, newest first; those before a number and of one person when asked."""
        query = select(_audit).order_by(_audit.c.id.desc()).limit(limit)
        if before:
            query = query.where(_audit.c.id < before)
        if who:
            query = query.where(_audit.c.who == who)
        return self._all(AuditLine, query)
