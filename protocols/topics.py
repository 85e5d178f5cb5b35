"""Topics: ``fab/1/{site}/{machine}/{leaf}``. Identity is the topic, never the payload."""

from protocols.errors import WireError
from protocols.records import is_id

VERSION = 1
_PREFIX = "fab/1/"

# leaf: (QoS, retained, what it carries). "up/" is sent by machines, "dn/" by the controller.
LEAVES = {
    "up/state": (1, True, "reported state; also the last will"),
    "up/hello": (1, False, "sent after each connect: journal range, counters"),
    "up/ev": (1, False, "journalled events, +1 per journal"),
    "up/tele": (0, False, "telemetry; loss allowed"),
    "up/rsp": (1, False, "answer to a command"),
    "dn/want": (1, True, "desired: idle, offer, grant, stop"),
    "dn/ack": (1, False, "highest contiguous event committed"),
    "dn/cmd": (1, False, "command of a person"),
    "dn/time": (0, False, "time of the floor"),
}
CONTROLLER_LEAF = "state"  # fab/1/{site}/_ctl/state, QoS 1, retained
_CONTROLLER = "_ctl"


def _need_id(text: str, field: str) -> None:
    if not is_id(text):
        raise WireError("topic", field, "must be an id: a-z, 0-9 and '-', at most 32 characters")


def machine_topic(site: str, machine: str, leaf: str) -> str:
    """Topic of one machine's leaf; raise WireError for a bad id or an unknown leaf."""
    _need_id(site, "site")
    _need_id(machine, "machine")
    if leaf not in LEAVES:
        raise WireError("topic", "leaf", "is not a leaf of the protocol: " + leaf)
    return _PREFIX + site + "/" + machine + "/" + leaf


def controller_topic(site: str) -> str:
    """Topic on which a site's controller says that it is on."""
    _need_id(site, "site")
    return _PREFIX + site + "/" + _CONTROLLER + "/" + CONTROLLER_LEAF


def up_filter(site: str) -> str:
    """Subscription of a site's controller: everything its machines send."""
    return _PREFIX + site + "/+/up/#"


def down_filter(site: str, machine: str) -> str:
    """Subscription of a machine: everything sent to it."""
    return _PREFIX + site + "/" + machine + "/dn/#"


def parse_topic(topic: str) -> "tuple[str, str, str]":
    """Split a topic into (site, machine, leaf); the controller's own is (site, "", "state")."""
    parts = topic.split("/")
    if len(parts) < 5 or parts[0] != "fab" or parts[1] != "1" or not is_id(parts[2]):
        raise WireError("topic", "", "is not a topic of this protocol")
    if parts[3] == _CONTROLLER and parts[4:] == [CONTROLLER_LEAF]:
        return parts[2], "", CONTROLLER_LEAF
    leaf = "/".join(parts[4:])
    if not is_id(parts[3]) or leaf not in LEAVES:
        raise WireError("topic", "", "is not a topic of this protocol")
    return parts[2], parts[3], leaf
