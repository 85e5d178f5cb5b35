"""Settings of a site about meshes it slices and commons it joined."""

from __future__ import annotations

import msgspec

from protocols.records import is_id


class SlicingEntry(msgspec.Struct, forbid_unknown_fields=True):
    """How meshes without a program are sliced: settings files of PrusaSlicer by profile id.

    A machine names the profiles it prints with in its capability ``slicer_profile``. Without any
    here there are those that come with this program. processes: slicers at work at once, each
    within the limits; 0 = one less than this computer has cores, at least one.
    """

    profiles: dict[str, str] = {}
    time_limit_s: int = 600
    memory_limit_mb: int = 3000
    processes: int = 0


class PeerEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Another commons: its site id, its address (none: it only asks here), its public key.

    ``unsigned``: its release does not sign answers yet; over once it signs one.
    """

    site: str
    public_key: str
    url: str = ""
    unsigned: bool = False


class CommonsEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Needs shared with other sites: those joined, how often they are asked, what they may take.

    ``make_at_once``: needs of others that are made here at a time. ``key``: this site's own key,
    made when there is none. `fabcommons commons join` adds to ``peers`` without this file.
    """

    key: str = "site.key"
    every_s: int = 10
    make_at_once: int = 20
    peers: list[PeerEntry] = []


def slicing_problems(slicing: SlicingEntry) -> list[str]:
    """Everything wrong with them: field and fix."""
    wrong = [
        f"profiles.{name}: must be an id: a-z, 0-9, '-' and '.'"
        for name in slicing.profiles
        if not is_id(name.replace(".", "-"))
    ]
    bounds = (
        ("time_limit_s", 1, 86_400),
        ("memory_limit_mb", 100, 1_000_000),
        ("processes", 0, 64),
    )
    for field, least, most in bounds:
        if not least <= getattr(slicing, field) <= most:
            wrong.append(f"{field}: must be between {least} and {most}")
    return wrong


def commons_problems(commons: CommonsEntry, site: str) -> list[str]:
    """Everything wrong with them: field and fix."""
    wrong: list[str] = []
    for place, peer in enumerate(commons.peers):
        if not is_id(peer.site) or peer.site == site:
            wrong.append(f"peers[{place}].site: must be the id of another site")
        if peer.url and not peer.url.startswith(("http://", "https://")):
            wrong.append(f"peers[{place}].url: must begin with http:// or https://")
        if len(peer.public_key) != 64:
            words = "64 hexadecimal digits, as `fabcommons commons key` prints"
            wrong.append(f"peers[{place}].public_key: must be {words}")
    if not 1 <= commons.every_s <= 86_400:
        wrong.append("every_s: must be between 1 and 86400")
    if not 0 <= commons.make_at_once <= 10_000:
        wrong.append("make_at_once: must be between 0 and 10000")
    return wrong
