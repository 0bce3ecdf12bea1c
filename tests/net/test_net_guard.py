"""What the address guard refuses, and what it lets pass."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import pytest
from guard_kit import PUBLIC, Answers, guard, settings
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from dedup2d.errors import RequestError
from dedup2d.net.addresses import refusal_of
from dedup2d.net.guard import AddressGuard, SystemResolver

# ruff: noqa: RUF001, SIM905 - look-alike digits are part of the attack; a table reads better
HOSTILE_HOSTS = """
127.0.0.1 127.0.0.2 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1
172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1 100.127.255.254 169.254.0.1
169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.1 192.0.0.192 192.0.2.1
192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255
2130706433 0x7f000001 017700000001 0x7f.0.0.1 0177.0.0.1 127.1 127.0.1 0 0x0 0x 1.1 134744072
8.8.8.010 08.8.8.8 8.8.8 8.8.8.8. 1.2.3.4.5 256.256.256.256 4294967296 0x08080808 1.2.3.0x4
[::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:8.8.8.8] [0:0:0:0:0:ffff:127.0.0.1]
[::127.0.0.1] [::8.8.8.8] [64:ff9b::127.0.0.1] [64:ff9b::808:808] [64:ff9b:1::1] [2002:7f00:1::]
[2002:808:808::] [2001:0:7f00:1::] [2001::1] [2001:10::1] [2001:db8::1] [3fff::1] [fe80::1]
[fe80::1%25eth0] [fec0::1] [fc00::1] [fd12:3456::1] [fd00:ec2::254] [fd20:ce::254] [ff02::1]
[100::1] [5f00::1] [::1%25lo] [4000::1]
localhost LOCALHOST localhost. localhost.localdomain foo.localhost metadata
metadata.google.internal metadata.google.internal. metadata.goog instance-data
metadata.azure.internal kubernetes.default.svc.cluster.local printer.local db.internal
router.lan nas.home.arpa redis ip6-localhost example.com. example..com -a.example a-.example
exa%6dple.com 127.0.0.1%2f %31%32%37.0.0.1 exam$ple.com ①②⑦.0.0.1 １２７.0.0.1 127。0。0。1
ⓛocalhost ʟocalhost xn--
0300.0250.0.1 0xa9.254.0251.254 0xA9FEA9FE 0251.0376.0251.0376 2852039166 127.0.0.1. 169.254.43518
[::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::ffff:0:127.0.0.1] [64:ff9b::a9fe:a9fe]
[64:ff9b::10.0.0.1] [2002:a9fe:a9fe::1] [2001:0:4136:e378:8000:63bf:80ff:fffe] [::ffff:100.64.0.1]
[::ffff:0x7f.1] [fe80::5efe:7f00:1] [fdff::1] [febf::1] [ff0e::1] [2001:2::1] [2001:20::1]
metadata.packet.example metadata.tencentyun.example instance-data.ec2.internal
""".split()

HOSTILE_URLS = [
    "",
    "https://",
    "https:///x",
    "//example.com/x",
    "example.com/hook",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\.evil.example/",
    "https://example.com /",
    " https://example.com/",
    "https://example.com/\r\nX-Evil: 1",
    "https://example.com/\x00",
    "https://exam\tple.com/",
    "https://127.0.0.1:443@example.com/",
    "https://example.com:443@127.0.0.1:443/",
    "https://example.com%40127.0.0.1/",
    "https://example.com%00.evil.example/",
    "https://example.com:00443x/",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:5432/",
    "https://example.com:11211/",
    "https://example.com:6379/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:80:80/",
    "https://[::1/",
    "https://[127.0.0.1]/",
    "https://[v1.a]/",
    "https://[]/",
    "https://example.com/" + "a" * 2048,
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
]


async def code_of(checking) -> str:
    with pytest.raises(RequestError) as caught:
        await checking
    return caught.value.code


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HOSTILE_HOSTS)
async def test_a_hostile_host_is_refused(host, scheme):
    assert await code_of(guard().check(f"{scheme}://{host}/hook")) == "ADDRESS_REFUSED"


@pytest.mark.parametrize("url", HOSTILE_URLS)
async def test_a_hostile_url_is_refused(url):
    assert await code_of(guard().check(url)) == "ADDRESS_REFUSED"


def test_the_table_has_more_than_sixty_entries():
    assert len(set(HOSTILE_HOSTS)) + len(HOSTILE_URLS) > 100


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "HTTPS://EXAMPLE.COM/hook?a=b#c",
        "https://hooks.example.com:8443/x",
        "http://example.com:8080/",
        "https://8.8.8.8/x",
        "https://[2606:4700::1111]:443/",
        "https://münchen.example/",
        "https://xn--mnchen-3ya.example/",
        "https://a_b.example/",
        "https://1password.example/",
        "https://10.example/",
        "https://example.com/user@host:80/%20",
    ],
)
async def test_a_good_address_passes(url):
    await guard().check(url)


async def test_http_needs_to_be_allowed():
    strict = guard(callback_allow_http=False)
    await strict.check("https://example.com/")
    assert await code_of(strict.check("http://example.com/")) == "ADDRESS_REFUSED"


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], [PUBLIC, "10.0.0.1"], [PUBLIC, "::1"], ["::ffff:127.0.0.1"], ["fe80::1%eth0"]],
)
async def test_one_bad_address_of_many_is_enough_to_refuse(answer):
    assert await code_of(guard(answer).check("https://example.com/")) == "ADDRESS_REFUSED"


async def test_a_name_that_does_not_resolve_yet_may_be_submitted():
    await guard([]).check("https://soon.example/")


async def test_private_networks_and_any_port_can_be_allowed_but_nothing_worse():
    intranet = guard(["10.1.2.3"], callback_block_private=False)
    for good in ("127.0.0.1:1", "localhost:5000", "[::1]:8000", "erp.internal", "erp", "10.0.0.7"):
        await intranet.check(f"http://{good}/hook")
    for bad in (
        "169.254.169.254",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "224.0.0.1",
        "[fe80::1]",
        "metadata.google.internal",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "u@10.0.0.7",
        "10.0.0.7.",
        "255.255.255.255",
    ):
        assert await code_of(intranet.check(f"http://{bad}/hook")) == "ADDRESS_REFUSED", bad


async def test_the_allowlist_has_hosts_and_suffixes():
    listed = guard(
        callback_allowlist=("hooks.example.com", ".partner.example", "*.star.example", "8.8.8.8")
    )
    for good in (
        "hooks.example.com",
        "HOOKS.example.com",
        "a.partner.example",
        "b.star.example",
        "8.8.8.8",
    ):
        await listed.check(f"https://{good}/")
    for bad in (
        "example.com",
        "a.hooks.example.com",
        "partner.example",
        "evilpartner.example",
        "hooks.example.com.evil.example",
        "8.8.4.4",
    ):
        assert await code_of(listed.check(f"https://{bad}/")) == "ADDRESS_REFUSED", bad


async def test_an_allowed_host_with_a_private_address_is_refused_all_the_same():
    listed = guard(["10.0.0.1"], callback_allowlist=("erp.example",))
    assert await code_of(listed.check("https://erp.example/")) == "ADDRESS_REFUSED"


async def test_listed_ports_replace_the_default():
    ported = guard(callback_ports=(9443,))
    await ported.check("https://example.com:9443/")
    for url in ("https://example.com/", "https://example.com:8443/"):
        assert await code_of(ported.check(url)) == "ADDRESS_REFUSED"


async def test_literals_are_not_looked_up():
    resolver = Answers([PUBLIC])
    await AddressGuard(settings(), resolver=resolver).check("https://8.8.8.8/")
    assert resolver.asked == []


async def test_the_systems_resolver_knows_this_machine_and_says_what_it_does_not_know():
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver("localhost")
    with pytest.raises(socket.gaierror):
        await resolver("no-such-name.invalid")


async def test_slow_look_ups_do_not_take_the_threads_of_others(monkeypatch):
    answered = threading.Event()

    def slow(host: str) -> list[str]:
        answered.wait()
        return [PUBLIC]

    monkeypatch.setattr("dedup2d.net.guard._getaddrinfo", slow)
    resolver = SystemResolver()
    looking = [asyncio.create_task(resolver("slow.example")) for _ in range(8)]
    await asyncio.sleep(0.05)
    await asyncio.wait_for(asyncio.to_thread(answered.set), timeout=30)
    await asyncio.gather(*looking)


@tries(deadline=None)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_whatever_python_calls_not_global_is_refused(address):
    if not address.is_global or address.is_multicast:
        assert refusal_of(address, private_allowed=False) is not None


@tries(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_the_guard_fail_otherwise_than_by_refusing(text):
    checking = guard()
    for url in (text, f"https://{text}/", f"https://example.com:{text}/"):
        with contextlib.suppress(RequestError):
            checking.check_form(url)


def notations(address: int) -> list[str]:
    """What inet_aton(3) reads as ``address``, besides the four plain numbers."""
    a, b, c, d = address.to_bytes(4, "big")
    return [
        str(address),
        hex(address),
        f"0{address:o}",
        f"{a}.{address & 0xFFFFFF}",
        f"{a}.{b}.{c << 8 | d}",
        f"0x{a:x}.{b}.{c}.{d}",
        f"0{a:o}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.0{d:o}",
        f"{a}.{b}.{c}.{d}.",
        f"00{a}.{b}.{c}.{d}",
    ]


@given(st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("checking", [guard(), guard(callback_block_private=False)])
def test_no_other_notation_of_an_ipv4_address_passes(checking, address):
    for host in notations(address):
        with pytest.raises(RequestError):
            checking.check_form(f"http://{host}/")


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_address_never_passes(address):
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    for host in (
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{address}",
        f"64:ff9b:1::{address}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}::1",
        f"::ffff:0:{address}",
    ):
        with pytest.raises(RequestError):
            guard().check_form(f"https://[{host}]/")
