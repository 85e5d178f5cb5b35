"""A plan as a picture: one row a machine, one bar an operation, coloured by job. SVG text."""

from html import escape

from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Plan, makespan

WIDTH, ROW, LEFT, TOP = 1100, 22, 120, 30


def gantt(problem: Problem, plan: Plan) -> str:
    """The plan as SVG; hover a bar for its name and times."""
    span = max(1, makespan(plan))
    rows = {machine.name: i for i, machine in enumerate(problem.machines)}
    jobs = {job.name: i for i, job in enumerate(problem.jobs)}
    of_job = {operation.name: operation.job for operation in problem.operations}
    height = TOP + ROW * len(rows) + 10
    scale = WIDTH / span
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f"<title>{escape(problem.name)}: {span} s</title>",
        *(_tick(span, scale, i, height) for i in range(11)),
    ]
    for name, row in rows.items():
        y = TOP + ROW * row + 15
        out.append(f'<text x="{LEFT - 6}" y="{y}" text-anchor="end">{escape(name)}</text>')
    for one in plan.assignments:
        hue = jobs[of_job[one.operation]] * 137 % 360
        x, y = LEFT + one.start_s * scale, TOP + ROW * rows[one.machine]
        label = f"{one.operation} ({of_job[one.operation]}): {one.start_s} to {one.end_s} s"
        out.append(
            f'<rect x="{x:.1f}" y="{y + 2}" width="{(one.end_s - one.start_s) * scale:.1f}" '
            f'height="{ROW - 4}" fill="hsl({hue},55%,65%)" stroke="#333" stroke-width="0.4">'
            f"<title>{escape(label)}</title></rect>"
        )
    return "\n".join((*out, "</svg>\n"))


def _tick(span: int, scale: float, i: int, height: int) -> str:
    at = span * i // 10
    x = LEFT + at * scale
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 8}" stroke="#ccc"/>'
        f'<text x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{at}</text>'
    )
