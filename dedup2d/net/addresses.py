"""Which IP addresses are public: the special-purpose registries of IANA, as a function.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates);
for notations RFC 3986, the WHATWG URL standard's "ends in a number" and inet_aton(3).
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(text) for text in texts)


# An intranet may use these; they are reachable only where private networks are allowed.
_PRIVATE: Final = _networks(
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # shared address space of carriers (CGNAT)
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
)

# Where clouds serve machine credentials; the link-local ones are in _NEVER already.
_METADATA: Final = _networks(
    "100.100.100.200/32",  # Alibaba
    "168.63.129.16/32",  # Azure's wire server, a public address
    "192.0.0.192/32",  # Oracle
    "fd00:ec2::/32",  # AWS
    "fd20:ce::254/128",  # Google
)

_NEVER: Final = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",  # link-local, most metadata services
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    # of IPv6's global unicast space 2000::/3:
    "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "3fff::/20",  # documentation
)
_GLOBAL_IPV6: Final = IPv6Network("2000::/3")

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def refusal_of(address: IPAddress, *, private_allowed: bool) -> str | None:
    """Why ``address`` is not called, as the end of a sentence; None where it may be called.

    IPv6 outside of the global unicast space is refused, with it every form that carries an
    IPv4 address: mapped, compatible, NAT64.
    """
    if any(address in network for network in _METADATA):
        return "it serves machine credentials"
    if any(address in network for network in _PRIVATE):
        return None if private_allowed else "it is in a private network"
    if any(address in network for network in _NEVER):
        return "it is reserved"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6:
        return "it is not a global address"
    return None


def parse_literal(host: str) -> IPAddress | None:
    """The address that ``host`` spells in its canonical form; None for a name.

    Raises ValueError for every other notation of an address (decimal, octal, hexadecimal,
    shortened IPv4, IPv6 with a zone), since two parsers may read two addresses out of it.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("it has a zone")
        return ip_address(host)
    last_label = host.rstrip(".").rpartition(".")[2].lower()
    if not _NUMBER.fullmatch(last_label):
        return None
    return IPv4Address(host)
