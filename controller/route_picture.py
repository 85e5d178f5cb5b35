"""A route as a picture: steps as boxes in columns by precedence, joins and splits as lines. SVG.

Pure: nodes and edges in, text out. ``nodes_of`` draws a production profile, ``nodes_of_need`` the
operations of a need with how far they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from controller.values import Json, Operation

WIDE, HIGH, GAP_X, GAP_Y, EDGE = 190, 62, 70, 22, 24
LETTER = 6.4  # mean width of a letter at 12 px
COLOURS = {
    "fdm": "#d9822b",
    "mill": "#3a7ca5",
    "assemble": "#6a4c93",
    "inspect": "#2a9d5c",
    "move": "#7a6a53",
}
STATES = {
    "done": "#dff3e4",
    "running": "#fff3d6",
    "inspecting": "#fff3d6",
    "ordered": "#fff3d6",
    "held": "#fbdcdc",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A step: id, title, small lines below it, its process, the colour of its box."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    process: str = "station"
    fill: str = "#ffffff"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """From one step to another; ``label`` is written on it, rework is dashed."""

    before: str
    after: str
    label: str = ""
    dashed: bool = False


@dataclass(slots=True)
class _Layout:
    """Column and row of each node."""

    column: dict[str, int] = field(default_factory=dict[str, int])
    row: dict[str, float] = field(default_factory=dict[str, float])


# what is drawn ---------------------------------------------------------------------------------
def nodes_of(profile: Mapping[str, Any]) -> tuple[list[Node], list[Edge]]:
    """Steps of a stored production profile."""
    steps: list[Json] = list(profile["steps"])
    reworks: list[Json] = list(profile.get("rework", ()))
    nodes = [_node(step) for step in steps] + [_node(step, dashed=True) for step in reworks]
    count = {step["step"]: int(step.get("count", 1)) for step in steps}
    edges: list[Edge] = []
    for step in steps:
        for before in step.get("after", ()):
            pieces = count[before] if count[before] > count[step["step"]] else 1
            edges.append(Edge(before, step["step"], f"x{pieces}" if pieces > 1 else ""))
        on_fail = step.get("on_fail")
        if on_fail:
            edges.append(Edge(step["step"], on_fail["rework"], "fails", dashed=True))
            edges.append(Edge(on_fail["rework"], step["step"], "again", dashed=True))
    return nodes, edges


def _node(step: Json, *, dashed: bool = False) -> Node:
    process = step["process"]
    words = [f"{process}, {_time(int(step.get('duration_s', 0)))}"]
    if int(step.get("yields", 1)) > 1:
        words[0] += f", {step['yields']} at once" + (" (shared)" if step.get("share") else "")
    material = ", ".join(str(m["material"]) for m in step.get("materials", ()))
    work: Json = step.get("work") or {}
    measured = [str(m["name"]) for m in work.get("measures", ())]
    others = [_way(way) for way in step.get("alternatives", ())]
    details = [material, *(f"or {way}" for way in others)]
    if measured:
        details.append("measures " + ", ".join(measured))
    words += [" ".join(text for text in details if text)]
    return Node(
        step["step"], step.get("title") or step["step"], tuple(words), process, dashed=dashed
    )


def _way(way: Json) -> str:
    material = ", ".join(str(m["material"]) for m in way.get("materials", ()))
    return f"{way['process']} {material}".strip()


def nodes_of_need(
    operations: Iterable[Operation], links: Iterable[tuple[str, str, int]]
) -> tuple[list[Node], list[Edge]]:
    """Operations of a need, those of one step in one box, with how many are done."""
    live = [op for op in operations if op.state != "cancelled"]
    step_of = {op.id: op.step for op in live}
    groups: dict[str, list[Operation]] = {}
    for op in live:
        groups.setdefault(op.step, []).append(op)
    nodes = [_group(step, members) for step, members in groups.items()]
    edges: dict[tuple[str, str], Edge] = {}
    for before, after, _ in links:
        if before in step_of and after in step_of:
            pair = (step_of[before], step_of[after])
            edges[pair] = Edge(*pair)
    return nodes, list(edges.values())


def _group(step: str, members: list[Operation]) -> Node:
    done = sum(op.state == "done" for op in members)
    states = {op.state for op in members}
    shown = next((s for s in ("held", "running", "inspecting", "ordered") if s in states), "")
    if done == len(members):
        shown = "done"
    reasons = [op.reason for op in members if op.reason and op.state != "done"]
    machines = sorted({op.machine for op in members if op.machine})
    words = (f"{done} of {len(members)} done", ", ".join(machines) or "".join(reasons[:1]))
    first = members[0]
    rework = "rework_of" in first.work
    return Node(
        step, first.title or step, words, first.process, STATES.get(shown, "#ffffff"), rework
    )


def _time(seconds: int) -> str:
    if seconds < 3600:
        return f"{-(-seconds // 60)} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


# where it is drawn -----------------------------------------------------------------------------
def _layout(nodes: list[Node], edges: list[Edge]) -> _Layout:
    forward = [edge for edge in edges if not edge.dashed]
    made = _Layout(_columns(nodes, forward))
    by_column: dict[int, list[Node]] = {}
    for node in nodes:
        by_column.setdefault(made.column[node.id], []).append(node)
    tallest = max(len(column) for column in by_column.values())
    for _ in range(4):
        for column in sorted(by_column):
            members = sorted(by_column[column], key=lambda n: _middle(n, forward, made))
            offset = (tallest - len(members)) / 2
            for place, node in enumerate(members):
                made.row[node.id] = offset + place
    return made


def _columns(nodes: list[Node], forward: list[Edge]) -> dict[str, int]:
    """Each step as far right as the step that takes its result allows; rework below its step."""
    after: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for edge in forward:
        after.setdefault(edge.before, []).append(edge.after)
        before.setdefault(edge.after, []).append(edge.before)
    depth: dict[str, int] = {}
    for _ in nodes:
        for node in nodes:
            depth[node.id] = 1 + max((depth.get(n, 0) for n in before.get(node.id, ())), default=-1)
    last = max(depth.values())
    column = dict(depth)
    for node in sorted(nodes, key=lambda n: -depth[n.id]):
        later = [column[n] for n in after.get(node.id, ())]
        if node.dashed and not later:
            column[node.id] = max(0, last - 1)
        elif later:
            column[node.id] = min(later) - 1
    return column


def _middle(node: Node, forward: list[Edge], made: _Layout) -> float:
    """Mean row of the steps around a node; its place so far when there are none."""
    around = [e.before for e in forward if e.after == node.id]
    around += [e.after for e in forward if e.before == node.id]
    rows = [made.row[name] for name in around if name in made.row]
    return sum(rows) / len(rows) if rows else made.row.get(node.id, 99.0 if node.dashed else 0.0)


# drawing ---------------------------------------------------------------------------------------
def picture(nodes: list[Node], edges: list[Edge], title: str) -> str:
    """The route as SVG text; hover a box for all of its words."""
    if not nodes:
        return f'<svg xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title></svg>\n'
    made = _layout(nodes, edges)
    at = {n.id: _corner(made, n.id) for n in nodes}
    width = max(x for x, _ in at.values()) + WIDE + EDGE
    height = max(y for _, y in at.values()) + HIGH + EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fafafa"/>',
        f'<text x="{EDGE}" y="{EDGE}" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    out += [_line(at, edge) for edge in edges if edge.before in at and edge.after in at]
    out += [_box(at[node.id], node) for node in nodes]
    return "\n".join((*out, "</svg>\n"))


def _corner(made: _Layout, name: str) -> tuple[float, float]:
    x = EDGE + made.column[name] * (WIDE + GAP_X)
    return x, EDGE + 22 + made.row[name] * (HIGH + GAP_Y)


def _line(at: Mapping[str, tuple[float, float]], edge: Edge) -> str:
    (x0, y0), (x1, y1) = at[edge.before], at[edge.after]
    if edge.dashed:
        return _loop((x0, y0), (x1, y1), edge)
    x0, y0, y1 = x0 + WIDE, y0 + HIGH / 2, y1 + HIGH / 2
    bend = (x1 - x0) / 2
    path = f"M{x0:.0f} {y0:.0f}C{x0 + bend:.0f} {y0:.0f} {x1 - bend:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
    words = _word((x0 + 6, y0 - 5), edge.label)
    return f'<path d="{path}" fill="none" stroke="#667" stroke-width="1.4"/>{words}'


def _loop(start: tuple[float, float], end: tuple[float, float], edge: Edge) -> str:
    """To rework and back: from the lower side of one box to the near side of the other."""
    side = 0.35 if edge.label == "fails" else 0.65
    (x0, y0), (x1, y1) = start, end
    x0, x1 = x0 + WIDE * side, x1 + WIDE * side
    y0, y1 = (y0 + HIGH, y1) if y1 > y0 else (y0, y1 + HIGH)
    middle = (y0 + y1) / 2
    path = f"M{x0:.0f} {y0:.0f}C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1:.0f}"
    words = _word(((x0 + x1) / 2 + 6, middle + 4), edge.label)
    dash = 'stroke="#c0392b" stroke-dasharray="5 4"'
    return f'<path d="{path}" fill="none" {dash} stroke-width="1.4"/>{words}'


def _word(where: tuple[float, float], text: str) -> str:
    if not text:
        return ""
    return f'<text x="{where[0]:.0f}" y="{where[1]:.0f}" fill="#445">{escape(text)}</text>'


def _box(corner: tuple[float, float], node: Node) -> str:
    x, y = corner
    dash = ' stroke-dasharray="5 4"' if node.dashed else ""
    colour = COLOURS.get(node.process, "#5c6770")
    words = "\n".join((node.title, *node.lines))
    rows = [
        f"<g><title>{escape(words)}</title>",
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDE}" height="{HIGH}" rx="5" '
        f'fill="{node.fill}" stroke="{colour}"{dash}/>',
        f'<rect x="{x:.0f}" y="{y:.0f}" width="6" height="{HIGH}" fill="{colour}"/>',
        f'<text x="{x + 14:.0f}" y="{y + 20:.0f}" font-weight="bold">'
        f"{escape(_short(node.title, 0.92))}</text>",
    ]
    for n, text in enumerate(node.lines):
        rows.append(
            f'<text x="{x + 14:.0f}" y="{y + 37 + 16 * n:.0f}" fill="#445" font-size="11">'
            f"{escape(_short(text, 1.1))}</text>"
        )
    return "".join(rows) + "</g>"


def _short(text: str, scale: float) -> str:
    most = int((WIDE - 20) / LETTER * scale)
    return text if len(text) <= most else text[: most - 1] + "\u2026"
