"""Settings of a site that several replicas of the controller serve."""

import msgspec

LEAST_LEASE_S, MOST_LEASE_S = 2, 60
MOST_RANK = 9


class ReplicaEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One of several controllers over one PostgreSQL database; the leader's lease decides.

    ``lease_s``: so long after the leader fell silent another takes over. ``rank``: a replica waits
    so many leases more before it takes a free one, so that sites spread over computers.
    ``address``: URL under which the other replicas reach this one's page; by default its ``http``.
    """

    lease_s: int = 4
    rank: int = 0
    address: str = ""


def problems(entry: ReplicaEntry | None, store: str, broker: str) -> list[str]:
    """What is wrong with them, each with the field and the fix."""
    if entry is None:
        return []
    wrong: list[str] = []
    if not LEAST_LEASE_S <= entry.lease_s <= MOST_LEASE_S:
        wrong.append(f"replica.lease_s: must be between {LEAST_LEASE_S} and {MOST_LEASE_S}")
    if not 0 <= entry.rank <= MOST_RANK:
        wrong.append(f"replica.rank: must be between 0 and {MOST_RANK}")
    if entry.address and not entry.address.startswith(("http://", "https://")):
        wrong.append("replica.address: must begin with http:// or https://")
    if not store.startswith(("postgresql://", "postgres://")):
        wrong.append("store: replicas share a database: write store: postgresql://user@host/name")
    if ":" not in broker:
        wrong.append("broker: replicas share a broker that somebody else runs: write HOST:PORT")
    return wrong
