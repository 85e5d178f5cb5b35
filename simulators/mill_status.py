"""GRBL's status report: which fields, how often (report.c report_realtime_status)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols import grbl

if TYPE_CHECKING:
    from simulators.mill import Mill

_WCO_EVERY, _WCO_EVERY_BUSY = 10, 30  # config.h REPORT_WCO_REFRESH_*
_OV_EVERY, _OV_EVERY_BUSY = 10, 20  # config.h REPORT_OVR_REFRESH_*
_BUSY = ("Run", "Hold", "Door", "Jog", "Home")


class Reports:
    """How many reports until WCO and until Ov come again."""

    def __init__(self) -> None:
        self._wco_in = 0
        self._ov_in = 0

    def extra(self, busy: bool) -> str:
        """Which of ``wco`` and ``ov`` this report carries; "" for neither."""
        what = ""
        if self._wco_in == 0:
            self._wco_in = _WCO_EVERY_BUSY if busy else _WCO_EVERY
            self._ov_in = max(self._ov_in, 2)
            what = "wco"
        elif self._ov_in <= 1:
            what = "ov"
            self._ov_in = 1 + (_OV_EVERY_BUSY if busy else _OV_EVERY)
        self._wco_in -= 1
        self._ov_in -= 1
        return what


def status_line(mill: Mill) -> str:
    """Answer to ``?``."""
    state, sub = mill.state
    where = [round(mm * 1000) for mm in mill.planner.where(mill.now)]
    offset = [nm // 1000 for nm in mill.axes.offset(mill.modes.wcs)]
    mask = int(mill.settings.values[10])
    report: dict[str, object] = {"state": state, "sub": sub}
    if mask & 1:
        report["mpos"] = where
    else:
        report["wpos"] = [w - o for w, o in zip(where, offset, strict=True)]
    if mask & 2:
        free = mill.planner.capacity - len(mill.planner.blocks)
        report["bf"] = [free, grbl.RX_BUFFER_SIZE - len(mill.rx)]
    rpm = 0 if mill.spindle == 5 else mill.modes.speed // 1_000_000
    report["fs"] = [round(mill.planner.speed(mill.now) * 60), rpm]
    if mill.held.door == "open":
        report["pins"] = "D"
    extra = mill.reports.extra(state in _BUSY)
    if extra == "wco":
        report["wco"] = offset
    elif extra == "ov":
        _overrides(mill, report)
    return grbl.status(report)


def _overrides(mill: Mill, report: dict[str, object]) -> None:
    axes = mill.axes
    report["ov"] = [axes.feed_percent, axes.rapid_percent, axes.spindle_percent]
    on = {3: "S", 4: "C"}.get(mill.spindle, "")
    on += "F" * (8 in mill.coolant) + "M" * (7 in mill.coolant)
    if on:
        report["accessories"] = on
