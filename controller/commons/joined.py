"""Commons this site joined: whose needs it reads and makes, and who may ask here.

Joining is mutual: each of two sites joins the other by name, address and public key. Who leaves
begins nothing new there; what was begun is still made and told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from controller.commons.records import Peer
from controller.values import Refused
from protocols.records import is_id

if TYPE_CHECKING:
    from controller.adapters.store import Tx

KEY = "joined"
MOST = 200
DAY_MS = 86_400_000
_SCHEMES = ("http://", "https://")


class Joined(NamedTuple):
    """A commons this site joined; ``url`` is "" when the other only asks and is never asked.

    ``unsigned``: people let its answers be unsigned, until it ``signs`` for the first time.
    ``forged``: answers that were not its own, the last one at ``forged_at`` (ms UTC).
    """

    site: str
    url: str = ""
    left: bool = False
    unsigned: bool = False
    signs: bool = False
    forged: int = 0
    forged_at: int = 0

    @property
    def may_be_unsigned(self) -> bool:
        """Whether an answer without a signature is believed."""
        return self.unsigned and not self.signs


def joined(tx: Tx) -> list[Joined]:
    """Commons this site joined, by name; also those it left and still owes a word."""
    return msgspec.json.decode(tx.site.get(KEY) or "[]", type=list[Joined])


def join(tx: Tx, site: str, url: str, public_key: str, *, unsigned: bool = False) -> Joined:
    """Join a commons, or change its address and key; raise Refused."""
    if not is_id(site) or site == tx.site.get("name"):
        words = "must be the other site's id: a-z, 0-9 and '-'"
        raise Refused("bad-site", "site", words)
    if url and not url.startswith(_SCHEMES):
        raise Refused("bad-url", "url", "must begin with http:// or https://")
    if not _is_key(public_key):
        words = "must be 64 hexadecimal digits, as `fabcommons commons key` prints them there"
        raise Refused("bad-key", "public_key", words)
    known = {one.site: one for one in joined(tx)}
    if site not in known and len(known) >= MOST:
        raise Refused("too-many", "site", f"a site joins at most {MOST} commons")
    old = known.get(site, Joined(site))
    found = old._replace(url=url.rstrip("/"), left=False, unsigned=unsigned)
    before = tx.peers.get(site)
    if before is None or before.public_key != public_key:
        tx.peers.put(Peer(site, public_key, before.last_seq if before else 0))
        found = found._replace(signs=False)
    if known.get(site) != found:
        _keep(tx, {**known, site: found})
        tx.notice("commons", site, f"joined the commons of {site}")
    return found


def note_signs(tx: Tx, site: str) -> None:
    """A commons signed an answer: from now on an unsigned one is never believed."""
    known = {one.site: one for one in joined(tx)}
    if site in known and not known[site].signs:
        _keep(tx, {**known, site: known[site]._replace(signs=True)})


def note_forged(tx: Tx, site: str, why: str) -> None:
    """Count an answer that was not a commons' own; the first of a day is told."""
    known = {one.site: one for one in joined(tx)}
    if site not in known:
        return
    before = known[site]
    counted = before._replace(forged=before.forged + 1, forged_at=tx.now_ms)
    _keep(tx, {**known, site: counted})
    if tx.now_ms - before.forged_at > DAY_MS:
        tx.notice("attention", site, f"{why}; nothing of it was used")


def leave(tx: Tx, site: str) -> Joined:
    """Leave a commons: nothing new is taken there or given to it; raise Refused."""
    known = {one.site: one for one in joined(tx)}
    if site not in known:
        raise Refused("unknown-site", "site", f"this site has not joined {site}")
    found = known[site]._replace(left=True)
    _keep(tx, {**known, site: found})
    tx.notice("commons", site, f"left the commons of {site}")
    return found


def forget(tx: Tx, site: str) -> bool:
    """Forget a commons that was left once neither owes the other a word; say whether it was."""
    known = {one.site: one for one in joined(tx)}
    if site not in known or not known[site].left:
        return False
    if tx.peers.lent_to(site) or tx.peers.busy(site):
        return False
    tx.peers.drop(site)
    _keep(tx, {name: one for name, one in known.items() if name != site})
    return True


def has_left(tx: Tx, site: str) -> bool:
    """Whether a peer gets nothing new from here."""
    return any(one.site == site and one.left for one in joined(tx))


def _keep(tx: Tx, known: dict[str, Joined]) -> None:
    tx.site.put(KEY, msgspec.json.encode([known[name] for name in sorted(known)]).decode())


def _is_key(text: str) -> bool:
    return len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)
