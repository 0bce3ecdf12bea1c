"""An httpx transport that connects only to addresses the guard has checked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from functools import cache

import httpcore
import httpx

from dedup2d.net.guard import AddressGuard


@cache
def default_ssl_context() -> ssl.SSLContext:
    """The usual authorities, loaded once: that takes 40 ms of CPU, so not in an event loop."""
    return httpx.create_ssl_context()


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Checks each request's URL, resolves its name, checks all addresses, connects to one.

    Nothing is resolved twice, so a name that changes its answer in between gains nothing (DNS
    rebinding). Host header, SNI and certificate check use the name as ever. It follows no
    redirect: whoever does sends each hop through here. Proxies are not used, as they would
    resolve again; give ``trust_env=False`` to the client.

    Raises RequestError ``ADDRESS_REFUSED`` besides httpx's errors.
    """

    def __init__(self, guard: AddressGuard, *, ssl_context: ssl.SSLContext | None = None) -> None:
        context = ssl_context or default_ssl_context()
        super().__init__(verify=context)
        self._guard = guard
        # httpx has no parameter for the network backend, its pool has (httpcore's public API).
        # The tests of rebinding fail if httpx should ever keep its pool elsewhere.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=_GuardedBackend(guard),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx's transport, for checked URLs only."""
        self._guard.check_form(request.url)
        return await super().handle_async_request(request)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses, and nothing else."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; all of them share the time limit."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        try:
            addresses = await self._guard.addresses(host)
        except OSError as error:
            raise httpcore.ConnectError("the name does not resolve") from error
        failure: Exception = httpcore.ConnectTimeout("no address answers in time")
        for address in addresses:
            left = None if deadline is None else deadline - loop.time()
            if left is not None and left <= 0:
                break
            try:
                return await self._network.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait between the pool's own tries."""
        await self._network.sleep(seconds)
