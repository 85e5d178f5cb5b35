"""Writes the pages made from tables of the code, so that they cannot differ from it.

docs/wire.md and firmware/package.json whole; in docs/production-profile.md the part between marks.

python scripts/docs.py           write it
python scripts/docs.py --check   exit 1 when it is not what the code says
"""

from __future__ import annotations

import json
import sys
from typing import Any

from generated import ROOT, settle

sys.path.insert(0, str(ROOT))

from controller.definition import profile_fields as production
from controller.definition.fields import describe
from controller.definition.materials import MATERIALS
from controller.definition.schema import profile_schema
from fabcommons import firmware_files
from firmware.version import VERSION
from protocols import messages, orders, telemetry, topics

HEAD = """\
# The wire

Made from the tables in `protocols/` by `make docs`; `make check` fails when it differs.

Machines and controller speak JSON over MQTT (3.1.1 suffices). One record per message, keys in
table order, integers only, in the unit the name ends with. A machine's identity is its topic.
Unknown fields are ignored; a document that does not fit becomes one error that names the field,
is counted and shown.

How an order runs: the controller offers it with a new epoch; the machine fetches and verifies the
program, journals `claim`; the controller commits the claim and grants it, quoting the claim; the
machine journals `started` before the first motion, then events up to `finished`. Every event has
a sequence number `s` in its journal; `dn/ack` names the highest contiguous one committed and only
then may the journal forget it. A time-out never gives an order to another machine.
"""


def type_words(kind: tuple[Any, ...]) -> str:
    """Say a field type in words."""
    tag = kind[0]
    if tag == "int":
        return f"integer {kind[1]} to {kind[2]}"
    if tag == "text":
        return f"text, at most {kind[1]} bytes"
    if tag == "word":
        return " or ".join(f"`{word}`" for word in kind[1])
    if tag == "record":
        return "object: " + ", ".join(f"`{field[0]}`" for field in kind[1])
    if tag in ("list", "map"):
        return f"{tag} of at most {kind[2]}: {type_words(kind[1])}"
    return {"bool": "true or false", "id": "id", "sha256": "SHA-256 in hex"}[tag]


def field_table(fields: tuple[Any, ...]) -> list[str]:
    """Rows of one record."""
    rows = ["| field | type | | meaning |", "|---|---|---|---|"]
    for name, kind, required, meaning in fields:
        rows.append(
            f"| `{name}` | {type_words(kind)} | {'required' if required else ''} | {meaning} |"
        )
    return rows


def topics_part() -> list[str]:
    """The topic table."""
    rows = ["", "## Topics", "", "Prefix `fab/1/{site}/{machine}/`.", ""]
    rows += ["| topic | QoS | retained | carries |", "|---|---|---|---|"]
    for leaf, (qos, retained, meaning) in topics.LEAVES.items():
        rows.append(f"| `{leaf}` | {qos} | {'yes' if retained else ''} | {meaning} |")
    rows.append("| `fab/1/{site}/_ctl/state` | 1 | yes | whether the controller is on |")
    return rows


def messages_part() -> list[str]:
    """Every message, event and shared record."""
    rows = ["", "## Messages", ""]
    rows.append(
        f"At most {messages.MAX_UP_BYTES} bytes up and {messages.MAX_DOWN_BYTES} bytes down."
    )
    for leaf, fields in messages.MESSAGES.items():
        rows += ["", f"### {'_ctl/state' if leaf == 'state' else leaf}", "", *field_table(fields)]
    rows += ["", "## Events", "", "The body of `up/ev` by its type `ty`."]
    for name, fields in messages.EVENTS.items():
        rows += ["", f"### {name}", "", *field_table(fields)]
    rows += ["", "## Records inside messages"]
    for name, fields in (
        ("order held by a machine", messages.RUNNING_FIELDS),
        ("material counter", messages.COUNTER_FIELDS),
        ("lot", messages.LOT_FIELDS),
        ("program", messages.PROGRAM_FIELDS),
        ("claim", messages.CLAIM_FIELDS),
    ):
        rows += ["", f"### {name}", "", *field_table(fields)]
    return rows


def diagram(table: dict[str, dict[str, str]], start: str) -> list[str]:
    """A state table as a Mermaid diagram."""
    rows = ["", "```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    for state, events in table.items():
        by_target: dict[str, list[str]] = {}
        for event, target in events.items():
            by_target.setdefault(target, []).append(event)
        for target, names in by_target.items():
            rows.append(f"    {state} --> {target}: {', '.join(names)}")
        if not events:
            rows.append(f"    {state} --> [*]")
    return [*rows, "```"]


def orders_part() -> list[str]:
    """Job order states and their OPC names."""
    rows = ["", "## Job order states", "", "As the controller sees an order:"]
    rows += diagram(orders.ORDER_STATES, "OFFERED")
    rows += ["", "As its machine sees it; each step is on flash before it is acted on:"]
    rows += diagram(orders.MACHINE_ORDER, "none")
    rows += ["", "Names towards people and OPC UA (OPC 10031-4):", ""]
    rows += ["| state | OPC 10031-4 | number | sub-state | words |", "|---|---|---|---|---|"]
    for state, (opc, number, sub, words) in orders.OPC_STATES.items():
        rows.append(f"| {state} | {opc} | {number} | {sub} | {words} |")
    return rows


def registry_part() -> list[str]:
    """The field registry of telemetry."""
    rows = [
        "",
        "## Telemetry fields",
        "",
        "| field | unit | bounds | meaning |",
        "|---|---|---|---|",
    ]
    for name, (unit, low, high, meaning) in telemetry.REGISTRY.items():
        rows.append(f"| `{name}` | {unit} | {low} to {high} | {meaning} |")
    return rows


def wire_page() -> str:
    """The whole of docs/wire.md."""
    parts = topics_part() + messages_part() + orders_part() + registry_part()
    return HEAD + "\n".join(parts) + "\n"


def profile_part() -> str:
    """Field tables of the production profile, and the materials known."""
    rows: list[str] = []
    for name, fields in (
        ("profile", production.PROFILE),
        ("quantity", production.QUANTITY),
        ("step of work_master", production.STEP),
        ("requires", production.REQUIRES),
        ("material", production.MATERIAL),
        ("program", production.PROGRAM),
        ("mesh", production.MESH),
        ("measure", production.MEASURE),
        ("on_fail", production.ON_FAIL),
        ("alternative", production.ALTERNATIVE),
    ):
        rows += [f"### {name}", "", "| field | type | | meaning |", "|---|---|---|---|"]
        for field in fields:
            need = "required" if field.required else ""
            rows.append(f"| `{field.name}` | {describe(field.type)} | {need} | {field.meaning} |")
        rows.append("")
    rows += ["### materials", "", "| id | what | form | g/cm3 |", "|---|---|---|---|"]
    for name, kind in MATERIALS.items():
        density = kind.density_mg_cm3 / 1000
        rows.append(f"| `{name}` | {kind.title} | {kind.form} | {density:.3f} |")
    return "\n".join(rows)


def profile_page(page: str) -> str:
    """docs/production-profile.md with the part between its marks made anew."""
    head, begin, rest = page.partition("<!-- made by scripts/docs.py -->\n")
    _, end, tail = rest.partition("<!-- end -->\n")
    return head + begin + "\n" + profile_part() + "\n\n" + end + tail


def mip_package() -> str:
    """firmware/package.json: what ``mip install --target /`` puts on a board, and from where."""
    urls = [[name, f"../{source}"] for name, source in firmware_files.BASE.items()]
    urls += [[f"a/{path}", f"../{path}"] for path in firmware_files.modules("board")]
    rows = ",\n".join(f"  {json.dumps(pair)}" for pair in urls)
    return f'{{"version": "{VERSION}", "deps": [], "urls": [\n{rows}\n]}}\n'


def schema_page() -> str:
    """docs/production-profile.schema.json, for editors."""
    return json.dumps(profile_schema(), indent=1) + "\n"


def main() -> int:
    """Write or check the generated pages."""
    wire, profile = ROOT / "docs" / "wire.md", ROOT / "docs" / "production-profile.md"
    package = ROOT / "firmware" / "package.json"
    schema = ROOT / "docs" / "production-profile.schema.json"
    pages = {wire: wire_page(), profile: profile_page(profile.read_text()), package: mip_package()}
    pages[schema] = schema_page()
    return settle(pages, "code")


if __name__ == "__main__":
    sys.exit(main())
