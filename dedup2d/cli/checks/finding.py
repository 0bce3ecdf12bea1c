"""What a check found, and the edge at which its failure becomes a finding."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from dedup2d.settings import Settings

CHECK_TIMEOUT_S: Final = 30.0


class Level(StrEnum):
    """How bad it is."""

    OK = "OK"  # as it should be
    WARN = "WARN"  # works, but not as one would want it in production
    FAIL = "FAIL"  # something that is needed does not work


class Finding(BaseModel):
    """One line of the doctor's table; ``advice`` says what to do, empty where nothing."""

    model_config = ConfigDict(frozen=True)

    check: str
    level: Level
    said: str
    advice: str = ""


Findings = Iterable[Finding]
Check = Callable[[Settings], Findings | Awaitable[Findings]]


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check=check, level=Level.OK, said=said)


def warn(check: str, said: str, advice: str) -> Finding:
    """Works, but."""
    return Finding(check=check, level=Level.WARN, said=said, advice=advice)


def fail(check: str, said: str, advice: str) -> Finding:
    """Does not work."""
    return Finding(check=check, level=Level.FAIL, said=said, advice=advice)


async def run_check(name: str, check: Check, settings: Settings) -> list[Finding]:
    """The findings of one check; one that breaks is a finding itself."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            if inspect.iscoroutinefunction(check):
                return list(await check(settings))
            found = await asyncio.to_thread(check, settings)
            return list(found) if not inspect.isawaitable(found) else list(await found)
    except TimeoutError:
        return [fail(name, f"no answer within {CHECK_TIMEOUT_S:g} s", "see whether it hangs")]
    except Exception as error:  # noqa: BLE001  # the doctor's edge: every failure is a finding
        return [fail(name, f"{type(error).__name__}: {error}", "mend what this sentence says")]
