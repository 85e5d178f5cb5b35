"""What months under a policy were worth, and how far that is from what could have been known.

Two yardsticks with hindsight: a *proven bound* (each need alone on the floor: no policy can be
below it), and the *best plan found* by a search that knew every arrival, run time and breakdown
beforehand (no proof; no policy that lives through the months can know as much).
"""

from dataclasses import replace
from statistics import mean
from typing import NamedTuple

from controller.scheduling.effort import Budget
from controller.scheduling.planner import plan
from controller.scheduling.problem import Job, Operation, Problem, Window
from controller.scheduling.schedule import value
from controller.scheduling.simulation.engine import Floor, Policy, ends_of_jobs
from controller.scheduling.simulation.scenario import Story

HOUR = 3600.0
GRACE_S = 365 * 86_400


class Outcome(NamedTuple):
    """Months under one policy; hours unless named otherwise.

    ``fairness`` is Jain's index (1 = all alike) of the communities' mean time to delivery over the
    time their work takes; ``by_community`` that ratio; ``use`` the share of time each kind runs.
    """

    policy: str
    delivered: int
    late: int
    weighted_tardiness_h: float
    mean_delivery_h: float
    worst_delivery_h: float
    setup_h: float
    spoilt: int
    use: dict[str, float]
    fairness: float
    by_community: dict[str, float]
    tardiness_by_day: list[float]


class Hindsight(NamedTuple):
    """Weighted tardiness in hours: a proven bound, and the best plan found knowing everything."""

    proven_h: float
    found_h: float


def outcome(name: str, story: Story, away: tuple[Window, ...], policy: Policy) -> Outcome:
    """Play the story under a policy and measure it."""
    floor = Floor(story, away)
    floor.play(policy, story.until_s + GRACE_S)
    ends = ends_of_jobs(floor)
    work = _work(story)
    delivery = {job: (end - job.release_s) / HOUR for job, end in ends.items()}
    ratios: dict[str, list[float]] = {}
    for job, hours in delivery.items():
        ratios.setdefault(job.community, []).append(hours * HOUR / max(1, work[job.name]))
    shares = {name: mean(values) for name, values in sorted(ratios.items())}
    return Outcome(
        policy=name,
        delivered=len(ends),
        late=sum(end > (job.due_s or end) for job, end in ends.items()),
        weighted_tardiness_h=_weighted_s(ends) / HOUR,
        mean_delivery_h=mean(delivery.values()) if delivery else 0.0,
        worst_delivery_h=max(delivery.values(), default=0.0),
        setup_h=sum(ran.setup_s for ran in floor.ran) / HOUR,
        spoilt=sum(ran.spoilt for ran in floor.ran),
        use=_use(floor),
        fairness=_jain(list(shares.values())),
        by_community=shares,
        tardiness_by_day=_by_day(ends, story.until_s),
    )


def _weighted_s(ends: dict[Job, int]) -> float:
    return sum(job.weight * max(0, end - (job.due_s or end)) for job, end in ends.items())


def _work(story: Story) -> dict[str, int]:
    work: dict[str, int] = {}
    for operation in story.operations:
        work[operation.job] = work.get(operation.job, 0) + operation.scale_permille
    return work


def _use(floor: Floor) -> dict[str, float]:
    busy: dict[str, float] = {}
    count: dict[str, int] = {}
    for name in floor.machines:
        kind = name.split()[0]
        count[kind] = count.get(kind, 0) + 1
    for ran in floor.ran:
        kind = ran.machine.split()[0]
        busy[kind] = busy.get(kind, 0.0) + ran.end_s - ran.begun_s
    whole = max(1, floor.now_s)
    return {kind: busy.get(kind, 0.0) / (whole * machines) for kind, machines in count.items()}


def _jain(values: list[float]) -> float:
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def _by_day(ends: dict[Job, int], until_s: int) -> list[float]:
    """Weighted tardiness in hours summed up to each day's end, by the day of delivery."""
    days = [0.0] * (until_s // 86_400 + 1)
    for job, end in ends.items():
        late = job.weight * max(0, end - (job.due_s or end)) / HOUR
        days[min(end // 86_400, len(days) - 1)] += late
    total = 0.0
    for day, late in enumerate(days):
        total += late
        days[day] = total
    return days


def hindsight(story: Story, away: tuple[Window, ...], cpu_s: float) -> Hindsight:
    """Both yardsticks; the search gets that much CPU."""
    problem = known(story, away)
    found = plan(problem, 1, Budget(cpu_s))
    worth = value(problem, found)
    late_s = worth.late_hard_s + worth.late_urgent + worth.weighted_tardiness
    return Hindsight(_alone_s(problem) / HOUR, late_s / HOUR)


def known(story: Story, away: tuple[Window, ...]) -> Problem:
    """The whole story as one problem, with everything known that nobody could know."""

    def true(operation: Operation) -> Operation:
        run_s = round(operation.scale_permille * story.factor[operation.name])
        release = next_release[operation.job]
        scale = max(1, run_s) + story.person_s[operation.name]
        return replace(operation, scale_permille=scale, release_s=release)

    next_release = {job.name: job.release_s for job in story.jobs}
    machines = tuple(replace(m, closed=story.down[m.name]) for m in story.machines)
    operations = tuple(true(operation) for operation in story.operations)
    return Problem(machines, story.jobs, operations, unstaffed=away, name="hindsight")


def _alone_s(problem: Problem) -> float:
    """Weighted tardiness if each need had the floor to itself: nothing can be below."""
    ends: dict[str, int] = {}
    last: dict[str, int] = {}
    for operation in problem.operations:
        ready = max([operation.release_s, *(ends[before] for before in operation.after)])
        shortest = min(operation.seconds_on(machine) for machine in operation.eligible)
        ends[operation.name] = ready + shortest
        last[operation.job] = max(last.get(operation.job, 0), ends[operation.name])
    jobs = {job.name: job for job in problem.jobs}
    return _weighted_s({jobs[name]: end for name, end in last.items()})
