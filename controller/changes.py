"""Live feed: notices and change marks fanned out to subscribers over bounded queues."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from controller.values import Notice

BOUND = 256


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed: a notice for people, or machine/need ids to look at again."""

    kind: str
    subject: str
    notice: Notice | None = None


class Subscription:
    """One subscriber's queue; ``dropped`` counts changes it was too slow for."""

    def __init__(self, wake: Callable[[], None] | None) -> None:
        self._wake = wake
        self._items: deque[Change] = deque()
        self._ready = threading.Condition()
        self.dropped = 0

    def put(self, change: Change) -> None:
        """Queue a change; the oldest goes when the queue is full."""
        with self._ready:
            if len(self._items) >= BOUND:
                self._items.popleft()
                self.dropped += 1
            self._items.append(change)
            self._ready.notify()
        if self._wake is not None:
            self._wake()

    def take(self, timeout_s: float) -> list[Change]:
        """All changes queued; waits up to ``timeout_s`` real seconds for the first."""
        with self._ready:
            if not self._items:
                self._ready.wait(timeout_s)
            items = list(self._items)
            self._items.clear()
            return items


class Changes:
    """Fans changes out to every subscriber; never waits for one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []

    def subscribe(self, wake: Callable[[], None] | None = None) -> Subscription:
        """Begin to receive; ``wake`` is called (from the writer) after each change."""
        subscription = Subscription(wake)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop to receive."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def publish(self, change: Change) -> None:
        """Hand a change to every subscriber."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.put(change)

    def count(self) -> tuple[int, int]:
        """Subscribers, and changes dropped for slow ones."""
        with self._lock:
            return len(self._subscriptions), sum(s.dropped for s in self._subscriptions)
