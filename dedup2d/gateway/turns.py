"""Who may go next where only a few may go at a time, and who is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from dedup2d.errors import LimitError

PATIENCE_S: Final = 1.5  # a burst is over by then
CROWDED_PATIENCE_S: Final = 0.05
CALM_S: Final = 1.0  # nobody had to wait so long: the crowd has gone
BACK_AFTER_S: Final = 1.0


class Turns:
    """``at_once`` at a time, the newest first; in a crowd nobody waits long.

    First come, first served, a service that is asked more than it can do answers everybody late.
    Newest first, it answers most at once, and who was unlucky is refused and asks again: adaptive
    LIFO with controlled delay (B. Maurer, Fail at Scale, ACM Queue 13(8), 2015). While nobody is
    served in a burst, it is no crowd but the service that stands still: whoever has the turn will say so.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[asyncio.Future[None]] = []
        self._served = 0
        self._crowd_until = 0.0  # seconds of the event loop's clock

    def check(self) -> None:
        """Raise LimitError ``TOO_BUSY`` where a turn would hardly come."""
        if self._waiting and self._is_crowded():
            self._prolong()
            raise _too_busy()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it. Raises LimitError ``TOO_BUSY``."""
        if self._free:
            self._free -= 1
        else:
            await self._wait()
        try:
            yield
            self._served += 1
        finally:
            self._give()

    def _is_crowded(self) -> bool:
        return asyncio.get_running_loop().time() < self._crowd_until

    def _prolong(self) -> None:
        self._crowd_until = asyncio.get_running_loop().time() + CALM_S

    async def _wait(self) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        served, crowded = self._served, self._is_crowded()
        if crowded:
            self._prolong()
        try:
            while not mine.done():
                await asyncio.wait([mine], timeout=CROWDED_PATIENCE_S if crowded else PATIENCE_S)
                if not mine.done() and (crowded or self._served > served):
                    self._refuse_up_to(mine)
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif not mine.exception():  # the turn came just then
                self._give()
            raise
        mine.result()

    def _refuse_up_to(self, last: asyncio.Future[None]) -> None:
        """It and all that have waited longer."""
        self._prolong()
        count = self._waiting.index(last) + 1
        for waiting in self._waiting[:count]:
            waiting.set_exception(_too_busy())
        del self._waiting[:count]

    def _give(self) -> None:
        if self._waiting:
            self._waiting.pop().set_result(None)
        else:
            self._free += 1


def _too_busy() -> LimitError:
    return LimitError(
        "TOO_BUSY", "More drawings come in than can be taken.", retry_after_s=BACK_AFTER_S
    )
