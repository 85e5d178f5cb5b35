"""A planner in a process of its own: it may crash or hang, and harms nothing.

``Worker.ask`` hands a problem over and returns at once; ``Worker.answer`` gives the plan when it is
there. All talk with the process is on a thread, so that a stopped process blocks nobody. A process
that dies, or is late, is killed and counted; the next one waits longer after each loss in a row.
"""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from controller.scheduling.effort import Budget
from controller.scheduling.planner import plan
from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Plan

NICE = 10
ORPHAN_S = 1.0
MOST_REST_S = 300.0


class Question(NamedTuple):
    """What a worker is asked."""

    problem: Problem
    seed: int
    budget: Budget
    running: Plan | None = None


class Limits(NamedTuple):
    """Real seconds an answer may take, a new process may take to be ready, and a first rest."""

    late_s: float
    ready_s: float = 600.0  # compiles the search where that was never done
    rest_s: float = 1.0


Planner = Callable[[Question], Plan]
Ready = Callable[[], None]


def make_plan(question: Question) -> Plan:
    """The planner a worker runs unless it is given another."""
    return plan(question.problem, question.seed, question.budget, question.running)


def load_search() -> None:
    """Compile the search, or load it compiled, before the first question."""
    from controller.scheduling.generate import fab_day

    plan(fab_day(4, 8, 1), budget=Budget(rounds=2))


class Worker:
    """One process that plans; ``lost`` counts those that died or were late. For one thread."""

    def __init__(
        self,
        clock: Callable[[], float],
        limits: Limits,
        planner: Planner = make_plan,
        load: Ready = load_search,
    ) -> None:
        self._clock, self._limits = clock, limits
        self._planner, self._load = planner, load
        self._process: BaseProcess | None = None
        self._questions: SimpleQueue[Question | None] = SimpleQueue()
        self._answers: SimpleQueue[Plan | None] = SimpleQueue()
        self._ready = False
        self._asked = False
        self._since_s = 0.0
        self._in_a_row = 0
        self._rest_until_s = clock()
        self.lost = 0

    def ask(self, question: Question) -> bool:
        """Hand a question over; False when one is being answered, or a lost worker rests."""
        self._bury()
        if self._asked or self._clock() < self._rest_until_s:
            return False
        if self._process is None:
            self._begin()
        self._questions.put(question)
        self._asked = True
        if self._ready:
            self._since_s = self._clock()
        return True

    def answer(self) -> Plan | None:
        """The plan, once; None while there is none. A dead or late worker is counted, and gone."""
        made = self._heard()
        if made is None:
            self._bury()
        return made

    @property
    def state(self) -> str:
        """One of off, loading, idle, busy."""
        if self._process is None:
            return "off"
        if not self._ready:
            return "loading"
        return "busy" if self._asked else "idle"

    @property
    def pid(self) -> int:
        """Number of the process; 0 when there is none."""
        return 0 if self._process is None else self._process.pid or 0

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._questions.put(None)
        self._process, self._ready, self._asked = None, False, False

    def _heard(self) -> Plan | None:
        """What the process said meanwhile: that it is ready (None), or a plan."""
        try:
            said = self._answers.get_nowait()
        except Empty:
            return None
        if said is None:
            self._ready = True
            self._since_s = self._clock()
            return self._heard()
        self._asked, self._in_a_row = False, 0
        return said

    def _begin(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._planner, self._load, os.getpid()), daemon=True
        )
        self._process.start()
        theirs.close()
        self._questions, self._answers = SimpleQueue(), SimpleQueue()
        self._since_s = self._clock()
        talk = Thread(target=_talk, args=(ours, self._questions, self._answers), daemon=True)
        talk.start()

    def _bury(self) -> None:
        """Clear away a worker that died, or that has not answered in time."""
        if self._process is None or not self._answers.empty():
            return
        limit_s = self._limits.late_s if self._ready else self._limits.ready_s
        waits = self._asked or not self._ready
        late = waits and self._clock() - self._since_s > limit_s
        if late or not self._process.is_alive():
            self.lost += 1
            self.close()
            rest_s = min(MOST_REST_S, self._limits.rest_s * 2**self._in_a_row)
            self._in_a_row = min(self._in_a_row + 1, 20)
            self._rest_until_s = self._clock() + rest_s


def _talk(
    pipe: Connection,
    questions: "SimpleQueue[Question | None]",
    answers: "SimpleQueue[Plan | None]",
) -> None:
    """On a thread of its own: ready first (None), then one answer for each question."""
    with pipe:
        try:
            pipe.recv()
            answers.put(None)
            while (question := questions.get()) is not None:
                pipe.send(question)
                answers.put(pipe.recv())
        except (EOFError, OSError):
            return  # the process is gone; whoever asked sees that it is


def _serve(pipe: Connection, planner: Planner, load: Ready, parent: int) -> None:
    """The process: gone with its parent, below it in priority, deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    Thread(target=_leave_with, args=(parent,), daemon=True).start()
    load()
    try:
        pipe.send("ready")
        while True:
            question: Question = pipe.recv()
            pipe.send(planner(question))
    except (EOFError, OSError):
        return


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_S)
    os._exit(0)
