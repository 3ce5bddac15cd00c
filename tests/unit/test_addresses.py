"""Which addresses may be reached for a user."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from notifications.delivery.addresses import why_refused

INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.0.1",
    "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1",
           "::ffff:8.8.8.8", "64:ff9b::808:808"]  # fmt: skip
NAMES = ["localhost", "metadata.google.internal", "", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"]


def why(host: str, port: int = 443, *, encrypted: bool = True, allowed: str = "", denied: str = "") -> str:
    return why_refused(
        host,
        port,
        encrypted=encrypted,
        allowed=[ip_network(block) for block in allowed.split()],
        denied=[ip_network(block) for block in denied.split()],
    )


@pytest.mark.parametrize("host", INSIDE)
def test_inside(host: str) -> None:
    assert "inside the network" in why(host)


@pytest.mark.parametrize("host", OUTSIDE)
def test_outside(host: str) -> None:
    assert why(host) == ""


@pytest.mark.parametrize("host", NAMES)
def test_only_what_has_been_resolved(host: str) -> None:
    assert "resolved" in why(host)


def test_what_the_admin_allows_and_denies() -> None:
    assert why("10.1.2.3", 22, encrypted=False, allowed="10.1.0.0/16") == ""
    assert "inside" in why("10.2.2.3", allowed="10.1.0.0/16")
    assert why("::ffff:10.1.2.3", allowed="10.1.0.0/16") == ""
    assert "inside" in why("8.8.8.8", denied="8.8.0.0/16")
    assert why("8.8.8.8", denied="8.8.0.0/16", allowed="8.8.8.8") == ""
    assert "inside" in why("64:ff9b::808:808", denied="8.8.8.8")


def test_in_the_clear_only_where_the_admin_allows_it() -> None:
    assert "https://" in why("8.8.8.8", 80, encrypted=False)


@pytest.mark.parametrize("port", [0, 22, 25, 80, 443, 1023, 1024, 8443])
def test_ports(port: int) -> None:
    assert bool(why("8.8.8.8", port)) is (port not in (80, 443, 1024, 8443))
