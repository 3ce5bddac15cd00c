"""Web addresses that somebody else gives us to send to."""

from __future__ import annotations

import requests
from requests.models import PreparedRequest
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from preferences.targets import TargetRefused

MAX_URL_CHARACTERS = 2000


def web_address(address: str) -> str:
    """The address as it will be asked for. What its host means is looked at whenever it is connected to."""
    request = PreparedRequest()
    try:
        request.prepare_url(address, None)
        parts = parse_url(request.url or "")
    except (requests.RequestException, LocationParseError, ValueError):
        raise TargetRefused("This is no web address; write it like https://example.org/hook.") from None
    if parts.scheme not in ("https", "http") or not parts.host or not address.isprintable():
        raise TargetRefused("This is no web address; write it like https://example.org/hook.")
    if parts.auth:
        raise TargetRefused("Leave out the user name and the password before the @: what is sent is signed.")
    if len(request.url or "") > MAX_URL_CHARACTERS:
        raise TargetRefused(f"The address is too long: at most {MAX_URL_CHARACTERS} characters.")
    return request.url or ""


def host_of(url: str) -> str:
    """With its port, if one is named."""
    return parse_url(url).netloc or ""
