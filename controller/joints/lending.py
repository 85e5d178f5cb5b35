"""A site's own floor as the workshop that makes needs of other sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller import needs
from controller.accepting import accept
from controller.commons.settings import settings_of
from controller.needs import Router
from controller.values import Community, Json, NeedRequest

if TYPE_CHECKING:
    from controller.adapters.store import Tx


class SiteWorkshop:
    """Makes what it has the very design of; a need of another site becomes a need here."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def can_make(self, tx: Tx, offer: Json) -> bool:
        """Whether the design is here in the same version."""
        design = tx.designs.get(str(offer["design"]))
        return design is not None and design.manifest_sha == offer["manifest_sha256"]

    def make(self, tx: Tx, home: str, offer: Json) -> str:
        """State the local need; the same need of the same home gives the same one."""
        community = str(offer["community"])
        if tx.communities.get(community) is None:
            tx.communities.put(Community(community, community, 1, 1))
        request = NeedRequest(
            key=f"{home}/{offer['need']}",
            community=community,
            design=str(offer["design"]),
            part=str(offer["part"]),
            quantity=int(offer["quantity"]),
            due_at=offer.get("due_at"),
            need_class=str(offer["need_class"]),
            note=str(offer.get("note", "")),
            stated_by=f"site {home}",
        )
        made = needs.state(tx, request, self._router)
        if settings_of(tx) is not None and made.state == "stated":
            words = f"made for {home}: decided there, within what this site gives to others"
            accept(tx, made.id, words)
        return made.id

    def state(self, tx: Tx, local: str) -> str:
        """State of a local need."""
        found = tx.needs.get(local)
        return found.state if found else "withdrawn"
