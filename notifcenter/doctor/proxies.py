"""Whether the proxies before the site say where people come from, and TRUSTED_PROXIES names just those proxies."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from notifcenter.doctor import mirror
from notifcenter.doctor.finding import Seen, fail, ok, warn
from notifcenter.doctor.link import ANSWER_BYTES, connection

MADE_UP = "192.0.2.77"
"""An address of documentation (RFC 5737), which nobody comes from."""

FORWARD = (
    "Let the proxy send where people come from (nginx: proxy_set_header X-Forwarded-For $remote_addr), as "
    "deploy/nginx and deploy/caddy show."
)
LOCKED_TOGETHER = "five wrong passwords lock a name for everybody"


def trusted() -> Seen:
    for network in settings.TRUSTED_PROXIES:
        if network.prefixlen == 0:
            return fail(
                f"TRUSTED_PROXIES holds {network}: anybody may say where they come from",
                "Name your proxies' own addresses only.",
            )
    names = ", ".join(map(str, settings.TRUSTED_PROXIES))
    return ok(f"believed are {names}" if names else "no proxy is believed")


def forwarding(url: str) -> Seen:
    """What reaches the web process when somebody comes with a made-up X-Forwarded-For."""
    parts = urlsplit(url)
    headers = {mirror.HEADER: mirror.pass_(), "X-Forwarded-For": MADE_UP}
    try:
        with closing(connection(parts)) as link:
            link.request("GET", f"{parts.path}{mirror.PATH}", headers=headers)
            own_port = link.sock.getsockname()[1]
            answer = link.getresponse()
            body = answer.read(ANSWER_BYTES)
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        return fail(
            f"where requests come from cannot be asked: {type(error).__name__}", "Look at the proxy's log."
        )
    if answer.status == http.HTTPStatus.NOT_FOUND:
        return fail(
            "the web process does not know this command's SECRET_KEY, or is of an older version",
            "Give all parts the same settings, and restart the web processes after an upgrade.",
        )
    try:
        seen = mirror.Reflection(**json.loads(body))
    except (ValueError, TypeError):
        return fail(f"where requests come from is answered {answer.status}", "Look at the web process's log.")
    return judge(seen, own_port)


def judge(seen: mirror.Reflection, own_port: int) -> Seen:
    """`own_port` is where this request came from, so that one without a proxy is known by it."""
    hops = [hop.strip() for hop in seen.forwarded.split(",") if hop.strip()]
    if hops == [MADE_UP] and seen.port == own_port:
        return ok(f"no proxy stands between: asked from {seen.peer}")
    if seen.client == MADE_UP:
        return warn(
            "an X-Forwarded-For that was made up is believed: from here, at least, anybody can be anyone",
            f"{FORWARD} Or this machine is itself among TRUSTED_PROXIES: name only the proxies there.",
        )
    if not hops or hops == [MADE_UP]:
        todo = f"{FORWARD} Without a proxy before the site this is no mistake."
        return warn(f"{seen.peer} does not say for whom it asks: {LOCKED_TOGETHER}", todo)
    if not _is_trusted(seen.peer):
        return fail(
            f"{seen.peer} is a proxy, and not among TRUSTED_PROXIES: {LOCKED_TOGETHER}",
            f"Add {seen.peer} to TRUSTED_PROXIES.",
        )
    before = hops[hops.index(MADE_UP) + 1 :] if MADE_UP in hops else hops
    if seen.client != before[0] and seen.client in before:
        return fail(
            f"{seen.client} is a proxy, and not among TRUSTED_PROXIES: {LOCKED_TOGETHER}",
            f"Add {seen.client} to TRUSTED_PROXIES, if it is yours.",
        )
    return ok(f"the proxy {seen.peer} is believed: asked from {seen.client}")


def _is_trusted(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.TRUSTED_PROXIES)
