"""Sharing between sites in the store."""

from sqlalchemy import delete, func, insert, select, update

from controller.adapters.store import peer_tables as tables
from controller.adapters.store.rows import Room, as_row
from controller.commons.records import Borrowed, Peer, SharedNeed

_peer, _shared, _borrowed = tables.peer, tables.shared_need, tables.borrowed


class PeerRoom(Room):
    """Peers, offers to them, and what is made for them."""

    def get(self, site: str) -> Peer | None:
        """One peer, or None."""
        return self._one(Peer, select(_peer).where(_peer.c.site == site))

    def all(self) -> list[Peer]:
        """Every peer, by name."""
        return self._all(Peer, select(_peer).order_by(_peer.c.site))

    def put(self, peer: Peer) -> None:
        """Add a peer or replace its key."""
        self._run(delete(_peer).where(_peer.c.site == peer.site))
        self._run(insert(_peer).values(as_row(_peer, peer)))

    def use_seq(self, site: str, seq: int) -> bool:
        """Take a request number; False when it is not above every one before."""
        where = (_peer.c.site == site, _peer.c.last_seq < seq)
        return self._run(update(_peer).where(*where).values(last_seq=seq)).rowcount == 1

    def shared(self, need: str) -> SharedNeed | None:
        """One offered need, or None."""
        return self._one(SharedNeed, select(_shared).where(_shared.c.need == need))

    def put_shared(self, shared: SharedNeed) -> None:
        """Add or replace an offered need."""
        self._run(delete(_shared).where(_shared.c.need == shared.need))
        self._run(insert(_shared).values(as_row(_shared, shared)))

    def drop_shared(self, need: str) -> None:
        """Offer a need no longer."""
        self._run(delete(_shared).where(_shared.c.need == need))

    def open_after(self, seq: int, limit: int) -> list[SharedNeed]:
        """Open offers after a cursor, oldest first."""
        query = select(_shared).where(_shared.c.state == "open", _shared.c.seq > seq)
        return self._all(SharedNeed, query.order_by(_shared.c.seq).limit(limit))

    def expired(self, now_ms: int) -> list[SharedNeed]:
        """Leases that ended before their holder began."""
        query = select(_shared).where(_shared.c.state == "leased", _shared.c.expires_at <= now_ms)
        return self._all(SharedNeed, query.order_by(_shared.c.seq))

    def shares(self) -> dict[str, int]:
        """Offered needs by state."""
        query = select(_shared.c.state, func.count()).group_by(_shared.c.state)
        return {row[0]: row[1] for row in self._conn.execute(query)}

    def borrowed(self, home: str, state: str, limit: int = 1000) -> list[Borrowed]:
        """Needs of a home in a state, by need."""
        query = select(_borrowed).where(_borrowed.c.home == home, _borrowed.c.state == state)
        return self._all(Borrowed, query.order_by(_borrowed.c.need).limit(limit))

    def put_borrowed(self, one: Borrowed) -> None:
        """Add or replace a borrowed need."""
        self.drop_borrowed(one)
        self._run(insert(_borrowed).values(as_row(_borrowed, one)))

    def drop_borrowed(self, one: Borrowed) -> None:
        """Forget a borrowed need."""
        where = (_borrowed.c.home == one.home, _borrowed.c.need == one.need)
        self._run(delete(_borrowed).where(*where))

    def borrow(self, home: str, need: str) -> Borrowed | None:
        """One borrowed need, or None."""
        where = (_borrowed.c.home == home, _borrowed.c.need == need)
        return self._one(Borrowed, select(_borrowed).where(*where))

    def homes(self, needs: list[str]) -> dict[str, str]:
        """Site that each of these needs of ours is made for, where it is another's."""
        query = select(_borrowed.c.local, _borrowed.c.home).where(_borrowed.c.local.in_(needs))
        return {row[0]: row[1] for row in self._conn.execute(query)}

    def holders(self, needs: list[str]) -> dict[str, str]:
        """Site that holds each of these needs, "" while it is offered to all."""
        query = select(_shared.c.need, _shared.c.holder).where(_shared.c.need.in_(needs))
        return {row[0]: row[1] for row in self._conn.execute(query)}

    def lent_to(self, site: str) -> int:
        """Needs another site holds and has not finished."""
        where = (_shared.c.holder == site, _shared.c.state.in_(("leased", "begun")))
        return self._scalar(select(func.count()).where(*where))

    def busy(self, home: str = "") -> int:
        """Borrowed needs that are not done, of one home or of all."""
        where = [_borrowed.c.state != "done"]
        if home:
            where.append(_borrowed.c.home == home)
        return self._scalar(select(func.count()).where(*where))

    def taken(self, home: str) -> dict[str, int]:
        """Needs of a home taken here, by state."""
        query = select(_borrowed.c.state, func.count()).where(_borrowed.c.home == home)
        return {row[0]: row[1] for row in self._conn.execute(query.group_by(_borrowed.c.state))}

    def lent(self, site: str) -> dict[str, int]:
        """Needs of ours another site holds, by state."""
        query = select(_shared.c.state, func.count()).where(_shared.c.holder == site)
        return {row[0]: row[1] for row in self._conn.execute(query.group_by(_shared.c.state))}

    def drop(self, site: str) -> None:
        """Forget a peer."""
        self._run(delete(_peer).where(_peer.c.site == site))
