"""Resolvers that say what a test wants, and a certificate authority for localhost tests."""

from __future__ import annotations

import socket
from typing import Any

from dedup2d.net.guard import AddressGuard
from dedup2d.settings import Settings, read_settings

PUBLIC = "93.184.216.34"


class Answers:
    """Answers look-ups in turn; the last answer is repeated. Knows how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return answer


def settings(**changes: Any) -> Settings:
    return read_settings({}).model_copy(update={"callback_allow_http": True} | changes)


def guard(*answers: list[str], **changes: Any) -> AddressGuard:
    """A guard whose names resolve to ``answers``; to a public address without any."""
    return AddressGuard(settings(**changes), resolver=Answers(*(answers or ([PUBLIC],))))
