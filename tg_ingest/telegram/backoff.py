"""How long to wait between attempts at something that failed and may work later."""

import random

from tg_ingest.telegram.clock import Clock

_FIRST, _LONGEST = 1.0, 60.0
LONGEST_TROUBLE = 600.0


class Backoff:
    """1, 2, 4 ... 60 seconds with jitter, and no more than `budget` seconds (at most ten minutes) without a success."""

    def __init__(self, clock: Clock | None = None, *, budget: float = LONGEST_TROUBLE) -> None:
        self._clock = clock or Clock()
        self._budget = min(budget, LONGEST_TROUBLE)
        self.reset()

    def reset(self) -> None:
        """Note a success."""
        self._delay = _FIRST
        self._failing_since: float | None = None

    async def wait(self) -> bool:
        """Wait before the next attempt; False, at once, when it is time to give up."""
        now = self._clock.now()
        self._failing_since = now if self._failing_since is None else self._failing_since
        left = self._budget - (now - self._failing_since)
        if left <= 0:
            return False
        await self._clock.sleep(min(left, self._delay * random.uniform(0.8, 1.2)))  # noqa: S311  # jitter
        self._delay = min(2 * self._delay, _LONGEST)
        return True
