"""Doing a thing once for each idempotency key, however often it is asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from dashboards.desk import Answer

BOUND = 2_000


class Once:
    """Remembers the answers to the last keys; a repeat gets the first answer, or waits for it."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Future[Answer]] = OrderedDict()

    def run(self, key: str, do: Callable[[], Answer]) -> Answer:
        """Answer of ``do`` for this key; what was refused may be asked again. "" = no key."""
        if not key:
            return do()
        with self._lock:
            known = self._answers.get(key)
            mine: Future[Answer] = Future()
            if known is None:
                self._answers[key] = mine
                while len(self._answers) > self._bound:
                    self._answers.popitem(last=False)
        if known is not None:
            return known.result()
        return self._fill(key, mine, do)

    def _fill(self, key: str, mine: "Future[Answer]", do: Callable[[], Answer]) -> Answer:
        try:
            answer = do()
        except BaseException as error:
            with self._lock:
                self._answers.pop(key, None)
            mine.set_exception(error)
            raise
        mine.set_result(answer)
        return answer
