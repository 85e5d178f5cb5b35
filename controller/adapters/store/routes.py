"""Places, sign-offs, photos and numbered parts in the store; links that change along a route."""

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, func, insert, select, update

from controller.adapters.store import route_tables, tables
from controller.adapters.store.prepared import one_of
from controller.adapters.store.rows import Room, as_row
from controller.routed import Numbered, Photo, Place, SignOff
from controller.values import Operation

_place = route_tables.place
_sign_off = route_tables.sign_off
_photo = route_tables.photo
_numbered = route_tables.numbered
_content = route_tables.photo_content
_event = tables.economic_event
_link = tables.operation_link
_operation = tables.operation
PLANNABLE = ("waiting", "ready", "planned")
_PLANNABLE = one_of(_operation.c.state, PLANNABLE)
_PLACES = select(_place).order_by(_place.c.id)
_WITH_WAYS = select(_operation.c.id).where(_PLANNABLE, _operation.c.ways_json != "[]").limit(1)
_SHARED_RUNS = (
    select(_operation)
    .where(_PLANNABLE, _operation.c.work_json.contains('"share":true'))
    .order_by(_operation.c.seq)
)
_NUMBERED_OF = (
    select(_numbered).where(_numbered.c.need == bindparam("need")).order_by(_numbered.c.serial)
)


class RouteRoom(Room):
    """What a floor's routes are made of besides operations."""

    def places(self) -> list[Place]:
        """Every place, by id."""
        return self._each(Place, _PLACES)

    def put_place(self, place: Place) -> None:
        """Add a place or change what is known of it."""
        row = as_row(_place, place)
        if self._run(update(_place).where(_place.c.id == place.id).values(row)).rowcount == 0:
            self._run(insert(_place).values(row))

    def links_of_needs(self, needs: list[str]) -> list[tuple[str, str, int]]:
        """Links (before, after, pieces) of the operations of needs."""
        mine = select(_operation.c.id).where(_operation.c.need.in_(needs))
        rows = self._conn.execute(
            select(_link.c.before, _link.c.after, _link.c.pieces).where(_link.c.after.in_(mine))
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def lying(self) -> list[Operation]:
        """Operations whose pieces lie in a place, or for which slots are kept there."""
        return self._all(Operation, select(_operation).where(_operation.c.place.is_not(None)))

    def with_ways(self) -> bool:
        """Whether an open operation can be done in several ways."""
        return self._value(_WITH_WAYS) is not None

    def meshed(self) -> list[Operation]:
        """Open operations that have a mesh to be sliced on demand, oldest first."""
        query = select(_operation).where(
            _operation.c.state.in_(PLANNABLE), _operation.c.ways_json.contains('"mesh_sha":')
        )
        return self._all(Operation, query.order_by(_operation.c.seq))

    def shared_runs(self) -> list[Operation]:
        """Runs not ordered yet that may hold parts of several needs, oldest first."""
        return self._each(Operation, _SHARED_RUNS)

    def given_mg(self, lots: Iterable[str], need: str) -> int:
        """Mass of lots that other needs took, mg."""
        query = select(func.sum(_event.c.mass_mg)).where(
            _event.c.lot.in_(lots), _event.c.action == "consume", _event.c.need != need
        )
        return int(self._scalar(query) or 0)

    def put_picture(self, sha: str, content: bytes) -> None:
        """Keep the bytes of a photo; the same bytes once."""
        if self.picture(sha) is None:
            self._run(insert(_content).values(sha=sha, content=content))

    def picture(self, sha: str) -> bytes | None:
        """Bytes of a photo, or None."""
        return self._scalar(select(_content.c.content).where(_content.c.sha == sha))

    def link(self, before: str, after: str, pieces: int) -> None:
        """Add a link."""
        self._run(insert(_link).values(before=before, after=after, pieces=pieces))

    def unlink(self, before: str, after: str) -> None:
        """Take a link away."""
        self._run(delete(_link).where(_link.c.before == before, _link.c.after == after))

    def takers(self, operation: str) -> list[tuple[str, int]]:
        """Operations that take pieces of this one, with how many."""
        rows = self._conn.execute(
            select(_link.c.after, _link.c.pieces)
            .where(_link.c.before == operation, _link.c.pieces > 0)
            .order_by(_link.c.after)
        )
        return [(row[0], row[1]) for row in rows]

    def sign(self, sign_off: SignOff) -> None:
        """Store a sign-off."""
        self._run(insert(_sign_off).values(as_row(_sign_off, sign_off)))

    def signed(self, order: str) -> SignOff | None:
        """The sign-off of a job order, or None."""
        return self._one(SignOff, select(_sign_off).where(_sign_off.c.order_id == order))

    def signed_of(self, operation: str) -> list[SignOff]:
        """Sign-offs of one operation, oldest first."""
        query = select(_sign_off).where(_sign_off.c.operation == operation)
        return self._all(SignOff, query.order_by(_sign_off.c.at))

    def add_photo(self, photo: Photo) -> None:
        """Store what is known of a photo; the same one again changes nothing."""
        if photo.sha not in {known.sha for known in self.photos(photo.order_id)}:
            self._run(insert(_photo).values(as_row(_photo, photo)))

    def photos(self, order: str) -> list[Photo]:
        """Photos taken at a job order, oldest first."""
        query = select(_photo).where(_photo.c.order_id == order).order_by(_photo.c.at)
        return self._all(Photo, query)

    def photo(self, sha: str) -> Photo | None:
        """What is known of a photo by its SHA-256, or None."""
        return self._one(Photo, select(_photo).where(_photo.c.sha == sha))

    def number(self, part: Numbered) -> None:
        """Store a finished part's serial number."""
        self._put(_numbered, as_row(_numbered, part))

    def numbered(self, serial: str) -> Numbered | None:
        """A finished part by its serial number, or None."""
        return self._one(Numbered, select(_numbered).where(_numbered.c.serial == serial))

    def numbered_of(self, need: str) -> list[Numbered]:
        """Finished parts of a need, by serial number."""
        return self._each(Numbered, _NUMBERED_OF, need=need)
