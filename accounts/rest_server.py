"""Asks the cluster's REST server for its users.

It answers with all of them at once (OpenPAI v1.8); a `Link` header with `rel="next"` is followed too, for servers or
proxies that cut the list into pages. Whatever answers is bounded in time, bytes, pages and users, and the token goes to
no other host.
"""

from __future__ import annotations

import json
import time
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

PATH = "/api/v2/users"
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
TOTAL_SECONDS = 60.0
MAX_BYTES = 64 * 1024 * 1024
MAX_USERS = 100_000
MAX_PAGES = 1_000
CHUNK_BYTES = 64 * 1024


class RestServerError(Exception):
    """The users could not be read; the message says why in one line, and holds no secret."""


class _Bearer(AuthBase):
    """Set as `auth`, so that no .netrc takes the header's place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def fetch_users(base_url: str, token: str) -> list[object]:
    """The rows of the cluster's users, unchecked. Raises RestServerError."""
    if not base_url or not token:
        raise RestServerError(
            "Set PAI_REST_SERVER_URL and PAI_REST_SERVER_TOKEN to read the cluster's users."
        )
    if not (token.isascii() and token.isprintable()):
        raise RestServerError("PAI_REST_SERVER_TOKEN holds characters that no token has.")
    until = time.monotonic() + TOTAL_SECONDS
    url: str | None = base_url + PATH
    rows: list[object] = []
    left = MAX_BYTES
    with requests.Session() as session:
        session.auth = _Bearer(token)
        session.headers["Accept"] = "application/json"
        for _ in range(MAX_PAGES):
            if url is None:
                return rows
            page, url, size = _page(session, url, until, left)
            left -= size
            rows += page
            if len(rows) > MAX_USERS:
                raise RestServerError(f"PAI_REST_SERVER_URL names more than {MAX_USERS} users.")
    raise RestServerError(f"PAI_REST_SERVER_URL answers with more than {MAX_PAGES} pages.")


def _page(
    session: requests.Session, url: str, until: float, left: int
) -> tuple[list[object], str | None, int]:
    """Rows, the address of the next page, and how many bytes this one had."""
    try:
        with session.get(
            url, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)
        ) as answer:
            _check(answer)
            body = _body(answer, until, left)
            following = _next(answer, url)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise RestServerError(f"PAI_REST_SERVER_URL {_why(error)}.") from None
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        raise RestServerError("PAI_REST_SERVER_URL answers with something that is no JSON.") from None
    if not isinstance(page, list):
        raise RestServerError("PAI_REST_SERVER_URL answers with something that is no list of users.")
    return page, following, len(body)


def _check(answer: requests.Response) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise RestServerError(
            f"The cluster refuses PAI_REST_SERVER_TOKEN ({status}): it must be a valid token of one of its admins."
        )
    if answer.is_redirect:
        raise RestServerError("PAI_REST_SERVER_URL answers with a redirect; set it to the final address.")
    if status != 200:
        raise RestServerError(f"PAI_REST_SERVER_URL answers {status} to {PATH}.")


def _body(answer: requests.Response, until: float, left: int) -> bytes:
    """Read as it comes, so that neither a trickle nor a flood lasts."""
    body = bytearray()
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > left:
            raise RestServerError(f"PAI_REST_SERVER_URL answers with more than {MAX_BYTES} bytes.")
        if time.monotonic() > until:
            raise RestServerError(f"PAI_REST_SERVER_URL takes longer than {TOTAL_SECONDS:.0f} seconds.")
    return bytes(body)


def _next(answer: requests.Response, url: str) -> str | None:
    link: dict[str, str] = answer.links.get("next", {})
    if "url" not in link:
        return None
    following: str = urljoin(url, link["url"])
    if urlsplit(following)[:2] != urlsplit(url)[:2]:
        raise RestServerError("PAI_REST_SERVER_URL sends us to another host for the next page.")
    return following


def _why(error: Exception) -> str:
    """Without the text of the error: it may hold the address with its password."""
    if isinstance(error, requests.exceptions.SSLError):
        return "shows a certificate that is not trusted (REQUESTS_CA_BUNDLE can name your own authority)"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return f"breaks off ({type(error).__name__})"
