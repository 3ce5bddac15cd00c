"""Browsers, and what they ask."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

JOBS = "/api/v1/jobs/"


def client_of(user: User | None = None, **options: Any) -> Client:
    """A browser in which this user is signed in, or a stranger."""
    client = Client(**options)
    if user:
        client.force_login(user)
    return client


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def send(client: Client, method: str, path: str, body: Any) -> Any:
    return client.generic(method, path, json.dumps(body), content_type="application/json")


def config_url(framework: str) -> str:
    return f"{JOBS}{framework}/notification-config/"
