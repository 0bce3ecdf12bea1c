"""The address guard: what webhooks and URL sources may reach, however the address is written."""

from __future__ import annotations

import asyncio
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final, Protocol

import httpx

from dedup2d.errors import RequestError
from dedup2d.net.addresses import IPAddress, parse_literal, refusal_of
from dedup2d.settings import Settings

DEFAULT_PORTS: Final = frozenset({80, 443, 8080, 8443})
MAX_URL: Final = 2048  # characters
MAX_NAME: Final = 253  # of a host, by RFC 1035
RESOLVE_TIMEOUT_S: Final = 5
RESOLVE_THREADS: Final = 8

_SCHEME_PORTS: Final = {"http": 80, "https": 443}
_SUSPICIOUS: Final = re.compile(r"[\s\\\x00-\x1f\x7f]")
_AUTHORITY: Final = re.compile(r"[/?#]")  # what ends it
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_METADATA_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
)
_LOCAL_SUFFIXES: Final = (
    ".localhost",
    ".localdomain",
    ".internal",
    ".intranet",
    ".local",
    ".lan",
    ".home.arpa",
)


class Resolver(Protocol):
    """Name to addresses."""

    async def __call__(self, host: str) -> list[str]:
        """Every address of ``host``; raises OSError where it has none or nobody answers."""
        ...


class SystemResolver:
    """The system's resolver, in threads of its own and with a time limit.

    Its own, because names are chosen by users: a name server that answers slowly must not take
    the threads that the rest of the process works with.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, host: str) -> list[str]:
        """See ``Resolver``; TimeoutError, an OSError, after ``RESOLVE_TIMEOUT_S``."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(RESOLVE_THREADS, thread_name_prefix="dedup2d-dns")
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, _getaddrinfo, host
            )


def _getaddrinfo(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class AddressGuard:
    """Says which URLs are called. Every refusal is a RequestError ``ADDRESS_REFUSED``.

    Refused are: other schemes than https (and http if allowed), user information, ports that
    are not listed, every notation of an address but the canonical one, names of the local
    machine and network, and every name with an address that is not public. With
    ``DEDUP2D_CALLBACK_BLOCK_PRIVATE_NETWORKS=0`` private networks and any port are allowed;
    link-local, metadata, multicast and reserved addresses never are.
    """

    def __init__(self, settings: Settings, *, resolver: Resolver | None = None) -> None:
        self._private_allowed = not settings.callback_block_private
        self._schemes = {"https", "http"} if settings.callback_allow_http else {"https"}
        self._allowlist = tuple(entry.lower().rstrip(".") for entry in settings.callback_allowlist)
        self._ports = frozenset(settings.callback_ports)
        if not self._ports and not self._private_allowed:
            self._ports = DEFAULT_PORTS
        self._resolve: Resolver = resolver or SystemResolver()

    async def check(self, url: str) -> None:
        """Check an address that a user names, resolving its name.

        A name that does not resolve now passes: its owner may be about to create it, and the
        connection is checked in any case.
        """
        parsed = self.check_form(url)
        try:
            await self.addresses(parsed.raw_host.decode("ascii"))
        except OSError:
            return

    def check_form(self, url: str | httpx.URL) -> httpx.URL:
        """Check everything that can be known without resolving; gives the parsed URL."""
        text = str(url)
        if len(text) > MAX_URL or _SUSPICIOUS.search(text):
            raise refused("it is too long, or has blanks, backslashes or control characters")
        try:
            parsed = httpx.URL(text)
        except (httpx.InvalidURL, ValueError) as error:
            raise refused("it is no valid URL") from error
        if parsed.scheme not in self._schemes:
            raise refused(f"it must begin with {' or '.join(sorted(self._schemes))}")
        if "@" in _AUTHORITY.split(text.partition("://")[2])[0]:
            raise refused("it has a user name or password")
        port = _SCHEME_PORTS[parsed.scheme] if parsed.port is None else parsed.port
        if not 0 < port < 2**16 or (self._ports and port not in self._ports):
            raise refused(f"port {port} is not allowed")
        self._check_host(parsed.raw_host.decode("ascii"))
        return parsed

    async def addresses(self, host: str) -> list[str]:
        """The addresses of ``host`` in the resolver's order, after checking every one of them.

        Raises OSError where the name does not resolve.
        """
        literal = self._check_host(host)
        if literal is not None:
            return [str(literal)]
        found = [ip_address(text.partition("%")[0]) for text in await self._resolve(host)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        for address in found:
            reason = refusal_of(address, private_allowed=self._private_allowed)
            if reason is not None:
                raise refused(f"{host} leads to an address that is not called: {reason}")
        return [str(address) for address in found]

    def _check_host(self, host: str) -> IPAddress | None:
        """Check the notation and the lists; gives the address that a literal spells."""
        name = host.lower()
        try:
            literal = parse_literal(name)
        except ValueError as error:
            raise refused("its host is an unusual notation of an IP address") from error
        if self._allowlist and not any(_listed(name, entry) for entry in self._allowlist):
            raise refused("its host is not on the allowlist")
        if literal is not None:
            reason = refusal_of(literal, private_allowed=self._private_allowed)
            if reason is not None:
                raise refused(reason)
        else:
            self._check_name(name)
        return literal

    def _check_name(self, name: str) -> None:
        labels = name.split(".")
        if len(name) > MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
            raise refused("its host is no valid name")
        if name in _METADATA_NAMES or name.startswith("metadata."):
            raise refused("its host serves machine credentials")
        if self._private_allowed:
            return
        if len(labels) == 1 or name.endswith(_LOCAL_SUFFIXES):
            raise refused("its host is a name of the local machine or network")


def _listed(host: str, entry: str) -> bool:
    """An entry is an exact host, or ``.suffix`` or ``*.suffix`` for everything below it."""
    entry = entry.removeprefix("*")
    return host.endswith(entry) if entry.startswith(".") else host == entry


def refused(reason: str) -> RequestError:
    """The refusal of an address; ``reason`` ends the sentence."""
    return RequestError("ADDRESS_REFUSED", f"The address is refused: {reason}.")
