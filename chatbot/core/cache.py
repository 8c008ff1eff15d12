"""A small cache in this process: values live for some seconds, the oldest make room."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class TimedCache(Generic[Key, Value]):
    """Values that are forgotten after `seconds`.

    Args:
        seconds: how stale a value may be.
        size: how many values are kept at most.
        clock: monotonic seconds.
    """

    def __init__(self, seconds: float, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._values: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return the value, None when it is unknown or too old."""
        found = self._values.get(key)
        if found is None:
            return None
        until, value = found
        if self._clock() >= until:
            del self._values[key]
            return None
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value from now on."""
        self._values[key] = (self._clock() + self._seconds, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def keys(self) -> list[Key]:
        """Return the keys of all values that are not too old."""
        now = self._clock()
        return [key for key, (until, _) in self._values.items() if now < until]

    def forget(self, key: Key) -> None:
        """Drop a value; an unknown one is fine."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Drop every value."""
        self._values.clear()
