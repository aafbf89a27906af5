"""Time as the session pool sees it, and work that a cancellation must not tear apart."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Seconds since the epoch, and a way to wait. Tests bring their own."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def sleep_unless(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for `seconds` or for the event, whichever comes first; return whether the event is set."""
        if event.is_set() or seconds <= 0:
            return event.is_set()
        waits = {asyncio.ensure_future(self.sleep(seconds)), asyncio.ensure_future(event.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return event.is_set()


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Finish `work` even when the calling task is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # retrieved: the cancellation is what the caller hears of
        raise cancelled
    return task.result()
