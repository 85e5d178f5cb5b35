"""Writes dashboards/grafana from one table over the field registry, so that they stay true.

Raw points are read from fab_raw, rollups (``<field>_min``, ``_max``, ``_sum``, ``_n``) from fab_5m
and fab_1h. A field the registry does not have is a KeyError here.

python scripts/grafana.py           write it
python scripts/grafana.py --check   exit 1 when it is not what the table says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from generated import ROOT, settle

sys.path.insert(0, str(ROOT))

from protocols.telemetry import REGISTRY

FOLDER = ROOT / "dashboards" / "grafana"
SCHEMA_VERSION = 39
DATABASES = ("raw", "5m", "1h")
# unit of the registry: unit of Grafana, what a value is divided by
UNITS = {
    "mdegC": ("celsius", 1000),
    "ppm": ("percent", 10_000),
    "1": ("short", 1),
    "%": ("percent", 1),
    "um": ("lengthmm", 1000),
    "um/s": ("velocityms", 1_000_000),
    "1/min": ("rotrpm", 1),
    "B": ("bytes", 1),
    "mW": ("watt", 1000),
    "mWh": ("watth", 1000),
    "mg": ("massg", 1000),
    "dBm": ("dBm", 1),
}
WHERE = '"site" =~ /^${site:regex}$/ AND "id" =~ /^${machine:regex}$/ AND $timeFilter'
# what is asked: the query of a field, and whether it is a line over time
ASKS = {
    "mean": 'mean("{f}")',
    "max": 'max("{f}")',
    "last": 'last("{f}")',
    "rise": 'non_negative_difference(last("{f}"))',
    "rolled-mean": 'sum("{f}_sum") / sum("{f}_n")',
    "rolled-min": 'min("{f}_min")',
    "rolled-max": 'max("{f}_max")',
    "rolled-rise": 'non_negative_difference(max("{f}_max"))',
}
WORDS = {"rolled-min": "least", "rolled-max": "most", "rolled-mean": "mean"}
NOW = {"now": "", "total": 'sum("v")', "count": 'count("v")'}


class Panel(NamedTuple):
    """One panel: (field, what is asked) from one database; ``kind`` is Grafana's panel type."""

    title: str
    asks: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    database: str = "raw"
    width: int = 12


class Page(NamedTuple):
    """One dashboard; ``several``: whether more than one machine can be chosen."""

    uid: str
    title: str
    since: str
    several: bool
    panels: tuple[Panel, ...]


def _each(ask: str, *fields: str) -> tuple[tuple[str, str], ...]:
    return tuple((field, ask) for field in fields)


PAGES = (
    Page(
        "fab-fleet",
        "Fabcommons: fleet",
        "now-6h",
        True,
        (
            Panel("Printers and mills that tell", _each("count", "journal_n"), "stat", width=4),
            Panel("Cells that tell", _each("count", "jobs_n"), "stat", width=4),
            Panel("Events not yet acknowledged", _each("total", "journal_n"), "stat", width=4),
            Panel("Power now", _each("total", "power_mw"), "stat", width=4),
            Panel("Emergency stops active", _each("total", "estop_n"), "stat", width=4),
            Panel("Protective stops active", _each("total", "pstop_n"), "stat", width=4),
            Panel("Share of the program done", _each("now", "done_ppm"), "bargauge"),
            Panel("Job orders in hand of cells", _each("last", "running_n")),
            Panel("Nozzles", _each("mean", "nozzle_mc")),
            Panel("Beds", _each("mean", "bed_mc")),
            Panel("Spindles", _each("mean", "spindle_rpm")),
            Panel("Power", _each("mean", "power_mw")),
            Panel("Lines sent again", _each("rise", "resend_n")),
            Panel("Least free memory", _each("last", "heap_least_b")),
            Panel("Nozzles, 5 minute means", _each("rolled-mean", "nozzle_mc"), database="5m"),
            Panel("Most power in 5 minutes", _each("rolled-max", "power_mw"), database="5m"),
        ),
    ),
    Page(
        "fab-machine",
        "Fabcommons: machine",
        "now-3h",
        False,
        (
            Panel(
                "Temperatures",
                _each("mean", "nozzle_mc", "nozzle_set_mc", "bed_mc", "bed_set_mc")
                + _each("mean", "chamber_mc", "chamber_set_mc"),
                width=24,
            ),
            Panel("Share of the program done", _each("last", "done_ppm")),
            Panel("Program lines", _each("rise", "lines_n", "resend_n")),
            Panel("Position", _each("last", "x_um", "y_um", "z_um")),
            Panel("Feed rate", _each("mean", "feed_um_s")),
            Panel("Spindle", _each("mean", "spindle_rpm")),
            Panel("Overrides", _each("last", "feed_pct", "rapid_pct", "spindle_pct")),
            Panel("Free places in planner and buffer", _each("last", "planner_n", "rx_free_b")),
            Panel("Power", _each("mean", "power_mw")),
            Panel("Free memory", _each("last", "heap_free_b", "heap_least_b")),
            Panel("Events not yet acknowledged", _each("max", "journal_n")),
            Panel("Cell: job orders", _each("last", "jobs_n", "running_n")),
            Panel(
                "Cell: stops, program, path",
                _each("max", "estop_n", "pstop_n") + _each("last", "program_n", "on_path_n"),
            ),
            Panel("Cell: state and mode", _each("last", "item_state_n", "robot_mode_n")),
            Panel("Cell: speed", _each("mean", "speed_ppm")),
            Panel(
                "Nozzle by the hour",
                tuple(("nozzle_mc", ask) for ask in ("rolled-min", "rolled-mean", "rolled-max")),
                database="1h",
                width=24,
            ),
        ),
    ),
    Page(
        "fab-materials",
        "Fabcommons: materials and energy",
        "now-7d",
        True,
        (
            Panel("On the scales now", _each("now", "spool_mg"), "bargauge"),
            Panel("Electrical energy since each start", _each("now", "energy_mwh"), "bargauge"),
            Panel("Mass on the scale", _each("last", "spool_mg")),
            Panel("Filament seen by encoders", _each("rise", "filament_um")),
            Panel("Electrical energy", _each("rise", "energy_mwh")),
            Panel("Mean power in 5 minutes", _each("rolled-mean", "power_mw"), database="5m"),
            Panel(
                "Least mass on the scale by the hour",
                _each("rolled-min", "spool_mg"),
                database="1h",
            ),
            Panel(
                "Electrical energy by the hour", _each("rolled-rise", "energy_mwh"), database="1h"
            ),
        ),
    ),
)


def query(field: str, ask: str) -> str:
    """InfluxQL of one field, in the unit shown."""
    scale = UNITS[REGISTRY[field][0]][1]
    over = f" / {scale}" if scale != 1 else ""
    if ask == "now":
        return f'SELECT last("{field}"){over} FROM "machine" WHERE {WHERE} GROUP BY "id"'
    if ask in NOW:
        inner = f'SELECT last("{field}") AS "v" FROM "machine" WHERE {WHERE} GROUP BY "id"'
        return f"SELECT {NOW[ask]}{over if ask == 'total' else ''} FROM ({inner})"
    chosen = ASKS[ask].format(f=field)
    return (
        f'SELECT {chosen}{over} FROM "machine" WHERE {WHERE}'
        ' GROUP BY time($__interval), "id" fill(none)'
    )


def _source(database: str) -> dict[str, str]:
    return {"type": "influxdb", "uid": f"fab-{database}"}


def _alias(page: Page, panel: Panel, field: str, ask: str) -> str:
    words = ([] if not page.several else ["$tag_id"]) if ask not in ("total", "count") else []
    if len(panel.asks) > 1 or not words:
        words.append(REGISTRY[field][3].partition(",")[0] + f" ({field})")
        words += [WORDS[ask]] if len({f for f, _ in panel.asks}) == 1 and ask in WORDS else []
    return " ".join(words)


def _panel(page: Page, panel: Panel, number: int, place: tuple[int, int]) -> dict[str, Any]:
    field = panel.asks[0][0]
    counted = panel.asks[0][1] == "count"
    defaults: dict[str, Any] = {"unit": "short" if counted else UNITS[REGISTRY[field][0]][0]}
    if REGISTRY[field][0] == "ppm" and panel.kind == "bargauge":
        defaults |= {"min": 0, "max": 100}
    targets = [
        {
            "refId": chr(ord("A") + i),
            "datasource": _source(panel.database),
            "rawQuery": True,
            "resultFormat": "time_series",
            "alias": _alias(page, panel, name, ask),
            "query": query(name, ask),
        }
        for i, (name, ask) in enumerate(panel.asks)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": ", ".join(sorted({f"{n}: {REGISTRY[n][3]}" for n, _ in panel.asks})),
        "datasource": _source(panel.database),
        "gridPos": {"x": place[0], "y": place[1], "w": panel.width, "h": _height(panel)},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
    }


def _height(panel: Panel) -> int:
    return 4 if panel.kind == "stat" else 8


def _panels(page: Page) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(page.panels, 1):
        if x + panel.width > 24:
            x, y = 0, y + _height(page.panels[number - 2])
        made.append(_panel(page, panel, number, (x, y)))
        x += panel.width
    return made


def _variable(name: str, label: str, tag: str, several: bool) -> dict[str, Any]:
    shown = f'SHOW TAG VALUES FROM "machine" WITH KEY = "{tag}"'
    if tag != "site":
        shown += ' WHERE "site" =~ /^${site:regex}$/'
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": _source("raw"),
        "query": shown,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
    }


def dashboard(page: Page) -> dict[str, Any]:
    """One dashboard as Grafana's JSON."""
    return {
        "uid": page.uid,
        "title": page.title,
        "tags": ["fabcommons"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": page.since, "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                _variable("site", "Site", "site", True),
                _variable("machine", "Machine", "id", page.several),
            ]
        },
        "panels": _panels(page),
    }


def datasources(api: str) -> str:
    """Provisioning of the three databases; v1: user and password, v2: a token."""
    rows = [
        "# Made by scripts/grafana.py. Grafana reads $NAMES from its environment.",
        "apiVersion: 1",
        "datasources:",
    ]
    for database in DATABASES:
        rows += [
            f"  - name: Fabcommons {database}",
            f"    uid: fab-{database}",
            "    type: influxdb",
            "    access: proxy",
            "    url: $FAB_INFLUX_URL",
            *(["    user: $FAB_INFLUX_USER"] if api == "v1" else []),
            "    jsonData:",
            f"      dbName: fab_{database}",
            "      httpMode: POST",
            *(["      httpHeaderName1: Authorization"] if api == "v2" else []),
            "    secureJsonData:",
            "      password: $FAB_INFLUX_PASSWORD"
            if api == "v1"
            else "      httpHeaderValue1: Token $FAB_INFLUX_TOKEN",
        ]
    return "\n".join(rows) + "\n"


PROVIDER = """\
# Made by scripts/grafana.py. FAB_GRAFANA_DASHBOARDS: the folder dashboards/grafana/dashboards.
apiVersion: 1
providers:
  - name: fabcommons
    folder: Fabcommons
    type: file
    allowUiUpdates: false
    options:
      path: $FAB_GRAFANA_DASHBOARDS
"""


def files() -> dict[Path, str]:
    """Every file with its text."""
    made = {
        FOLDER / "dashboards" / f"{page.uid}.json": json.dumps(dashboard(page), indent=1) + "\n"
        for page in PAGES
    }
    for api in ("v1", "v2"):
        folder = FOLDER / f"provisioning-{api}"
        made[folder / "datasources" / "fabcommons.yml"] = datasources(api)
        made[folder / "dashboards" / "fabcommons.yml"] = PROVIDER
    return made


def main() -> int:
    """Write or check the files."""
    return settle(files(), "table")


if __name__ == "__main__":
    sys.exit(main())
