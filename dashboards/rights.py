"""What each address of the interface needs: the one table. An address that is not here is refused.

``OPEN``: no account, because nothing secret is told or another credential stands in the request
(said beside it). ``SELF``: any account, about itself. Else a right of controller/people/roles.py.
"""

from controller.people.roles import AUDIT, GOVERN, MANAGE, NEED, OPERATE, READ, RECORD, STOP, VOTE

OPEN, SELF = "open", "self"

_TABLE: tuple[tuple[str, str], ...] = (
    # the page itself, which holds no data, and how the interface is described
    ("GET /", OPEN),
    ("GET /schedule", OPEN),
    ("GET /needs", OPEN),
    ("GET /needs/{id}", OPEN),
    ("GET /materials", OPEN),
    ("GET /machines/{id}", OPEN),
    ("GET /parts/{id}", OPEN),
    ("GET /people", OPEN),
    ("GET /commons", OPEN),
    ("GET /tv", OPEN),
    ("GET /openapi.json", OPEN),
    ("GET /healthz", OPEN),
    # machines: a program is named by its SHA-256, a release is signed, a code seals its settings
    ("GET /programs/{sha256}", OPEN),
    ("HEAD /programs/{sha256}", OPEN),
    ("GET /firmware/{version}/{path:path}", OPEN),
    ("POST /api/enrol", OPEN),
    # other sites: every request is signed and numbered
    ("GET /commons/needs", OPEN),
    ("POST /commons/needs/{verb}", OPEN),
    # coming and going
    ("GET /api/me", OPEN),
    ("POST /api/log-in", OPEN),
    ("POST /api/log-out", OPEN),
    ("POST /api/set-up", OPEN),
    ("GET /oidc/log-in", OPEN),
    ("GET /oidc/back", OPEN),
    ("POST /api/me/password", SELF),
    ("POST /api/me/member", SELF),
    ("GET /api/me/tokens", SELF),
    ("POST /api/me/tokens", SELF),
    ("POST /api/me/tokens/{token}/revoke", SELF),
    # what is public
    ("GET /api/parts/{need}", RECORD),
    ("GET /api/records/{need}", RECORD),
    ("GET /records/style.css", RECORD),
    ("GET /records/local.js", RECORD),
    ("GET /records/{need}", RECORD),
    ("GET /records/{need}/label.pdf", RECORD),
    ("GET /records/{need}/label.png", RECORD),
    ("GET /api/ledger.jsonld", RECORD),
    ("GET /api/ledger/context.jsonld", RECORD),
    ("GET /api/communities", RECORD),
    ("GET /api/rounds", RECORD),
    ("GET /api/rounds/{round_id}", RECORD),
    ("GET /api/rounds/{round_id}/files/{name}", RECORD),
    ("GET /api/needs/{need}/rounds", RECORD),
    ("GET /api/designs/{design}/picture.svg", RECORD),
    # the floor
    ("GET /metrics", READ),
    ("GET /api/floor", READ),
    ("GET /api/drain", READ),
    ("GET /api/events", READ),
    ("GET /api/needs", READ),
    ("GET /api/needs/{need}", READ),
    ("GET /api/needs/{need}/bom", READ),
    ("GET /api/needs/{need}/picture.svg", READ),
    ("GET /api/machines", READ),
    ("GET /api/machines/{machine}", READ),
    ("GET /api/lots", READ),
    ("GET /api/ledger", READ),
    ("GET /api/readings", READ),
    ("GET /api/readings/{machine}", READ),
    ("GET /api/materials", READ),
    ("GET /api/discrepancies", READ),
    ("GET /api/timeline", READ),
    ("GET /api/timeline/without/{machine}", READ),
    ("GET /api/schedule", READ),
    ("GET /api/energy", READ),
    ("GET /api/schedule/changes", READ),
    ("GET /api/stations", READ),
    ("GET /api/stations/{machine}", READ),
    ("GET /api/photos/{sha256}", READ),
    ("GET /api/pictures/{sha256}", READ),
    ("GET /api/serials/{serial}", READ),
    ("GET /api/places", READ),
    ("GET /api/firmware", READ),
    ("GET /api/firmware/machines", READ),
    ("POST /api/needs", NEED),
    # a member's token does as well as an account
    ("POST /api/rounds/{round_id}/ballot", VOTE),
    ("GET /api/rounds/{round_id}/ballot", VOTE),
    ("POST /api/needs/{need}/attest", VOTE),
    ("POST /api/members/leave", VOTE),
    # machines
    ("POST /api/machines/{machine}/stop", STOP),
    ("POST /api/machines/{machine}/clear", OPERATE),
    ("POST /api/machines/{machine}/load", OPERATE),
    ("POST /api/machines/{machine}/release", OPERATE),
    ("POST /api/machines/{machine}/{do}", OPERATE),
    ("POST /api/machines/{machine}/out", OPERATE),
    ("POST /api/machines/{machine}/console", OPERATE),  # and qualified (dashboards/qualified.py)
    ("POST /api/machines/{machine}/back", OPERATE),
    ("POST /api/machines/{machine}/pose", OPERATE),
    ("POST /api/machines/{machine}/upkeep", OPERATE),
    ("POST /api/machines/{machine}/upkeep-rule", OPERATE),
    ("POST /api/orders/{order}/resolve", OPERATE),
    ("POST /api/operations/{operation}/retry", OPERATE),
    ("POST /api/lots/{lot}/weigh", OPERATE),
    ("POST /api/stations/{machine}/sign-off", OPERATE),
    ("POST /api/stations/{machine}/photo", OPERATE),
    ("POST /api/discrepancies/{order}", OPERATE),
    ("POST /api/picks/{order}", OPERATE),
    # the commons
    ("POST /api/thresholds", GOVERN),
    ("PUT /api/energy", GOVERN),
    ("POST /api/communities", GOVERN),
    ("POST /api/communities/{community}/members", GOVERN),
    ("POST /api/rounds", GOVERN),
    ("POST /api/rounds/{round_id}/close", GOVERN),
    ("POST /api/needs/{need}/share", GOVERN),
    ("GET /api/commons", READ),
    ("POST /api/commons", GOVERN),
    ("POST /api/commons/{site}/leave", GOVERN),
    ("POST /api/needs/{need}/take-home", GOVERN),
    ("GET /api/audit", AUDIT),
    # who may come in
    ("POST /api/machines/{machine}/enrol", MANAGE),
    ("POST /api/machines/{machine}/revoke", MANAGE),
    ("POST /api/machines/{machine}/update", MANAGE),
    ("GET /api/accounts", MANAGE),
    ("POST /api/drain", MANAGE),
    ("POST /api/accounts", MANAGE),
    ("POST /api/accounts/{name}", MANAGE),
)
NEEDS = dict(_TABLE)


def needed(method: str, path: str) -> str | None:
    """What a route needs; None when nobody said."""
    return NEEDS.get(f"{method} {path}")
