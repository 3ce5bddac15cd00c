"""Requests that the schema allows, and ones that it does not, as a stranger and as a user: no 500, and answers as
the schema says.

`make fuzz` asks each address a thousand times instead of a few.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as bounds
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.addresses import scene
from tests.tokens import SECRET, token

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
REFUSED = {401, 403}
SEED = 20261126
UNAVAILABLE = 503
"""What the database or the job's table lacks; an answer of ours, not an accident."""


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """As Django's own test client has it: a request does not end the connection of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("who", ["stranger", "alice", "program"])
def test_no_request_breaks_the_rest(who: str, settings: Settings, alice: User) -> None:
    settings.PAI_JWT_SECRET, settings.INGEST_TOKEN = SECRET, "of-a-program"
    scene(alice)
    bearer = {"alice": token(), "program": "of-a-program"}.get(who)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    schema = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())
    found: list[Any] = list(schema.get_all_operations())
    operations = [one.ok() for one in found]
    assert len(operations) > 20
    answers: Counter[int] = Counter()
    for operation in operations:
        if (who == "program") == operation.path.startswith("/api/v1/ingest/"):
            _try(operation, headers, answers)
    if who == "program":  # random words are no event, but they are read
        assert not REFUSED & answers.keys(), answers
    else:
        let_in = {status for status in answers if status < 400}
        assert not let_in if who == "stranger" else let_in, answers


def _try(operation: Any, headers: dict[str, str], answers: Counter[int]) -> None:
    strategy = operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE)

    @seed(SEED)
    @bounds(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def each(case: Any) -> None:
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        answers[answer.status_code] += 1
        if answer.status_code != UNAVAILABLE:
            case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    each()
