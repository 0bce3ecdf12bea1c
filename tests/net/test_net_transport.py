"""The connection goes to the checked address and to no other."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
from guard_kit import Answers, settings

from dedup2d.errors import RequestError
from dedup2d.net.guard import AddressGuard
from dedup2d.net.transport import GuardedTransport

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"


class Listener:
    """A server of this machine that keeps what it was sent."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listening = Listener()
    server = await asyncio.start_server(listening, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    yield listening
    server.close()
    await server.wait_closed()


def client(resolver: Answers, **changes) -> httpx.AsyncClient:
    guard = AddressGuard(settings(**changes), resolver=resolver)
    context = ssl.create_default_context()
    return httpx.AsyncClient(
        transport=GuardedTransport(guard, ssl_context=context), trust_env=False, timeout=5
    )


async def test_a_name_that_changes_its_answer_does_not_reach_this_machine(listener):
    resolver = Answers(["93.184.216.34"], ["127.0.0.1"])
    strict = {"callback_ports": (listener.port,)}
    url = f"http://rebinding.example:{listener.port}/"
    await AddressGuard(settings(**strict), resolver=resolver).check(url)
    async with client(resolver, **strict) as calling:
        with pytest.raises(RequestError) as caught:
            await calling.get(url)
    assert caught.value.code == "ADDRESS_REFUSED"
    assert listener.connections == 0


async def test_the_checked_address_is_the_one_connected_to(listener):
    resolver = Answers(["127.0.0.1"], ["203.0.113.1"])
    async with client(resolver, callback_block_private=False) as calling:
        answer = await calling.get(f"http://hook.example:{listener.port}/x")
    assert answer.text == "ok"
    assert resolver.asked == ["hook.example"]
    assert f"Host: hook.example:{listener.port}".encode() in listener.heads[0]


async def test_the_next_address_is_tried_when_the_first_does_not_answer(listener):
    resolver = Answers(["::1", "127.0.0.1"])
    async with client(resolver, callback_block_private=False) as calling:
        assert (await calling.get(f"http://two.example:{listener.port}/")).status_code == 200


async def test_a_redirect_is_not_followed(listener):
    listener.answer = MOVED
    resolver = Answers(["127.0.0.1"])
    async with client(resolver, callback_block_private=False) as calling:
        answer = await calling.get(f"http://hook.example:{listener.port}/")
    assert answer.status_code == 302
    assert len(listener.heads) == 1


async def test_a_followed_redirect_is_checked_again(listener):
    listener.answer = MOVED.replace(b"127.0.0.1", b"169.254.169.254")
    resolver = Answers(["127.0.0.1"])
    async with client(resolver, callback_block_private=False) as calling:
        with pytest.raises(RequestError):
            await calling.get(f"http://hook.example:{listener.port}/", follow_redirects=True)


async def test_a_redirect_to_loopback_is_refused_where_the_first_hop_was_allowed(listener):
    listener.answer = MOVED
    resolver = Answers(["127.0.0.1"])
    allowed = {"callback_block_private": False, "callback_allowlist": ("hook.example",)}
    async with client(resolver, **allowed) as calling:
        with pytest.raises(RequestError):
            await calling.get(f"http://hook.example:{listener.port}/", follow_redirects=True)
    assert len(listener.heads) == 1


async def test_a_name_that_changes_its_answer_between_two_deliveries_is_refused(listener):
    """The guard looks at each connection, however often the name was good before."""
    resolver = Answers(["127.0.0.1"], ["169.254.169.254"])
    listener.answer = ANSWER.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
    async with client(resolver, callback_block_private=False) as calling:
        await calling.get(f"http://hook.example:{listener.port}/")
        with pytest.raises(RequestError):
            await calling.get(f"http://hook.example:{listener.port}/")


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://2130706433/", "ftp://example.com/"])
async def test_a_refused_url_is_refused_by_the_transport_itself(url):
    async with client(Answers(["93.184.216.34"])) as calling:
        with pytest.raises(RequestError):
            await calling.get(url)


async def test_a_connection_is_used_again_for_the_same_host_only(listener):
    resolver = Answers(["127.0.0.1"])
    async with client(resolver, callback_block_private=False) as calling:
        for name in ("a.example", "a.example", "b.example"):
            await calling.get(f"http://{name}:{listener.port}/")
    assert listener.connections == 2


async def test_a_name_without_an_address_is_a_connection_error():
    async with client(Answers([])) as calling:
        with pytest.raises(httpx.ConnectError):
            await calling.get("http://unknown.example/")


async def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(tls):
    resolver = Answers(["127.0.0.1"])
    guard = AddressGuard(settings(callback_block_private=False), resolver=resolver)
    transport = GuardedTransport(guard, ssl_context=tls.trusting)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as calling:
        good = await calling.get(f"https://hook.example:{tls.port}/")
        assert good.text == "ok"
        assert tls.server_names == ["hook.example"]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await calling.get(f"https://other.example:{tls.port}/")
