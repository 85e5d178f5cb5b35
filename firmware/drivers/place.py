"""Where a GRBL machine says it is, and whether it stands there."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.records import Record


_MORE = (
    ("bf", ("planner_n", "rx_free_b")),
    ("ov", ("feed_pct", "rapid_pct", "spindle_pct")),
)


class Place:
    """Place in um by its reports; ``still_n`` counts reports in a row that say the same."""

    def __init__(self) -> None:
        self.um: "list[int]" = []
        self.still_n = 0

    def take(self, report: "Record") -> None:
        """Take a status report."""
        um: "list[int]" = report.get("mpos") or report.get("wpos") or []
        self.still_n = self.still_n + 1 if um == self.um else 0
        self.um = um

    def forget(self) -> None:
        """Look for a standstill from here on."""
        self.still_n = 0


def values(place: Place, report: "Record") -> "dict[str, int]":
    """Telemetry of a status report by the names of the field registry."""
    out: "dict[str, int]" = {}
    for name, um in zip(("x_um", "y_um", "z_um"), place.um):
        out[name] = um
    if "fs" in report:
        out["feed_um_s"] = report["fs"][0] * 1000 // 60
        out["spindle_rpm"] = report["fs"][1]
    for key, names in _MORE:
        for name, value in zip(names, report.get(key, ())):
            out[name] = value
    return out
