"""Which addresses of the network may be reached for what users have typed in. Pure.

Sources: IANA's registries of special-purpose addresses for IPv4 and IPv6; RFC 6052 for NAT64; the clouds' own
documentation for metadata services outside these ranges.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

INSIDE_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server, though of a public range
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
OUTSIDE_V6 = IPv6Network("2000::/3")
"""All that is routed publicly; loopback, link-local, unique local, multicast and the rest lie outside of it."""
INSIDE_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",
    )
)
NAT64 = IPv6Network("64:ff9b::/96")

UNENCRYPTED = "http:// sends everything in the clear; use https://"
WELL_KNOWN_PORTS = range(1024)
WEB_PORTS = (80, 443)


def why_refused(
    host: str, port: int, *, encrypted: bool, allowed: Collection[Network], denied: Collection[Network]
) -> str:
    """Why no connection to this address may be made; '' when it may.

    `host` is an address, not a name. What the administrator has `allowed` goes before everything else.
    """
    if is_allowed(host, allowed):
        return ""
    try:
        address = _unwrapped(ip_address(host))
    except ValueError:
        return "only resolved addresses can be connected to"
    if is_inside(address) or _in(address, denied):
        return f"{host} is an address inside the network, which is not allowed here"
    if not encrypted:
        return UNENCRYPTED
    if port in WELL_KNOWN_PORTS and port not in WEB_PORTS:
        return f"port {port} is not allowed; use 443, or one from {WELL_KNOWN_PORTS.stop} on"
    return ""


def is_allowed(host: str, allowed: Collection[Network]) -> bool:
    """Whether this address, not a name, is one of them."""
    try:
        return _in(_unwrapped(ip_address(host)), allowed)
    except ValueError:
        return False


def is_inside(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is anything else than an address of the public network."""
    if isinstance(address, IPv4Address):
        return any(address in block for block in INSIDE_V4)
    return address not in OUTSIDE_V6 or any(address in block for block in INSIDE_V6)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that a packet to this one would reach in the end, if there is one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _in(address: IPv4Address | IPv6Address, blocks: Collection[Network]) -> bool:
    return any(address in block for block in blocks)
