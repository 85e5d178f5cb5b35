"""What each role may do: the one table. A route names the right it needs (dashboards/rights.py)."""

RECORD = "record"  # read what is public: records of parts, the ledger, rounds
READ = "read"  # read the floor: machines, needs, lots, plans, telemetry
NEED = "need"  # state needs
VOTE = "vote"  # cast one's own ballot, attest as a steward on duty, leave
STOP = "stop"  # emergency stop, from wherever one is
OPERATE = "operate"  # tend machines: clear, load, pause, resume, cancel, resolve, sign off
GOVERN = "govern"  # communities, members, rounds, sharing between sites, thresholds
AUDIT = "audit"  # read who did what
MANAGE = "manage"  # accounts and roles; let machines in and put them out; their firmware

RIGHTS = (RECORD, READ, NEED, VOTE, STOP, OPERATE, GOVERN, AUDIT, MANAGE)

# from the least to the most: each has what stands before it, and its own
PUBLIC, MEMBER, TECHNICIAN, STEWARD, ADMIN = "public", "member", "technician", "steward", "admin"
_OWN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (PUBLIC, (RECORD,)),
    (MEMBER, (READ, NEED, VOTE, STOP)),
    (TECHNICIAN, (OPERATE,)),
    (STEWARD, (GOVERN, AUDIT)),
    (ADMIN, (MANAGE,)),
)
ROLES = tuple(role for role, _ in _OWN)
ACCOUNT_ROLES = ROLES[1:]  # nobody has an account to be the public

MEANING = {
    RECORD: "read what is public",
    READ: "see the floor",
    NEED: "state needs",
    VOTE: "vote",
    STOP: "stop machines",
    OPERATE: "tend machines",
    GOVERN: "run rounds and communities",
    AUDIT: "read who did what",
    MANAGE: "manage accounts and let machines in",
}


def _table() -> dict[str, frozenset[str]]:
    made: dict[str, frozenset[str]] = {}
    have: frozenset[str] = frozenset()
    for role, own in _OWN:
        have |= frozenset(own)
        made[role] = have
    return made


MAY = _table()


def least_role(right: str) -> str:
    """The first role that has a right."""
    return next(role for role in ROLES if right in MAY[role])
