"""One-time codes in the store: what scrypt made of them, never the codes."""

from sqlalchemy import delete, func, insert, select

from controller.adapters.store.enrol_tables import enrol_code as _code
from controller.adapters.store.rows import Room, as_row
from controller.values import OpenCode


class EnrolRoom(Room):
    """Codes given out and not used yet."""

    def put(self, code: OpenCode, now_ms: int, most: int) -> bool:
        """Keep a code in place of its machine's last; False when ``most`` others are open."""
        self._run(
            delete(_code).where((_code.c.ends_at <= now_ms) | (_code.c.machine == code.machine))
        )
        if self._scalar(select(func.count()).select_from(_code)) >= most:
            return False
        self._run(insert(_code).values(as_row(_code, code)))
        return True

    def take(self, name: str) -> OpenCode | None:
        """A code by its name, which is then gone; None when it is not there."""
        found = self._one(OpenCode, select(_code).where(_code.c.name == name))
        self._run(delete(_code).where(_code.c.name == name))
        return found
