"""Outcomes as one SVG page: tardiness over time, use of machines, change-overs, fairness."""

from collections.abc import Iterable, Sequence
from html import escape

from controller.scheduling.simulation.measures import Outcome

WIDTH, HEIGHT, GAP, LEFT = 520, 220, 60, 110
COLOURS = ("#1b6ca8", "#d9822b", "#2e8b57", "#b03a5b", "#6a5acd", "#555555")


def page(title: str, outcomes: Sequence[Outcome]) -> str:
    """The SVG text of all four charts."""
    tardiness = {one.policy: one.tardiness_by_day for one in outcomes}
    charts = (
        _lines("weighted tardiness so far, hours (day by day)", tardiness),
        _bars("use of machines, share of time", _uses(outcomes)),
        _bars(
            "change-overs, hours", [(one.policy, one.setup_h, i) for i, one in enumerate(outcomes)]
        ),
        _bars("delivery time over work, by community (1 = at once)", _communities(outcomes)),
    )
    width, height = 2 * (LEFT + WIDTH + GAP), 60 + 2 * (HEIGHT + 2 * GAP)
    placed = (
        f'<g transform="translate({LEFT + (i % 2) * (LEFT + WIDTH + GAP)},'
        f'{90 + (i // 2) * (HEIGHT + 2 * GAP)})">{chart}</g>'
        for i, chart in enumerate(charts)
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="{GAP}" y="32" font-size="18">{escape(title)}</text>',
            *placed,
            "</svg>\n",
        )
    )


def _uses(outcomes: Sequence[Outcome]) -> list[tuple[str, float, int]]:
    return [
        (f"{kind}, {one.policy}", share, i)
        for i, one in enumerate(outcomes)
        for kind, share in sorted(one.use.items())
        if i in (0, len(outcomes) - 1)
    ]


def _communities(outcomes: Sequence[Outcome]) -> list[tuple[str, float, int]]:
    return [
        (f"{name}, {one.policy}", ratio, i)
        for i, one in enumerate(outcomes)
        for name, ratio in one.by_community.items()
        if i in (0, len(outcomes) - 1)
    ]


def _lines(title: str, series: dict[str, list[float]]) -> str:
    top = max((max(values, default=0.0) for values in series.values()), default=0.0) or 1.0
    out = [_head(title), _axis(top)]
    for i, (name, values) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        step = WIDTH / max(1, len(values) - 1)
        points = " ".join(
            f"{day * step:.1f},{HEIGHT - value / top * HEIGHT:.1f}"
            for day, value in enumerate(values)
        )
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="8" y="{14 + 15 * i}" fill="{colour}">{escape(name)}</text>')
    return "".join(out)


def _bars(title: str, rows: Iterable[tuple[str, float, int]]) -> str:
    bars = list(rows)
    top = max((value for _, value, _ in bars), default=0.0) or 1.0
    height = min(24.0, HEIGHT / max(1, len(bars)))
    out = [_head(title)]
    for place, (name, value, colour) in enumerate(bars):
        y = place * height
        out.append(
            f'<rect x="60" y="{y:.1f}" width="{value / top * (WIDTH - 120):.1f}" '
            f'height="{height - 3:.1f}" fill="{COLOURS[colour % len(COLOURS)]}"/>'
            f'<text x="54" y="{y + height - 7:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<text x="{66 + value / top * (WIDTH - 120):.1f}" y="{y + height - 7:.1f}">'
            f"{value:.2f}</text>"
        )
    return "".join(out)


def _head(title: str) -> str:
    return f'<text x="0" y="-14" font-weight="bold">{escape(title)}</text>'


def _axis(top: float) -> str:
    return (
        f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#999"/>'
        f'<text x="-6" y="10" text-anchor="end">{top:.0f}</text>'
        f'<text x="-6" y="{HEIGHT}" text-anchor="end">0</text>'
    )
