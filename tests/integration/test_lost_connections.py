"""What psycopg2 says of a connection that was lost, whichever class it chooses, is an OperationalError."""

from __future__ import annotations

import psycopg2
import pytest
from django.db import OperationalError, ProgrammingError, connection


@pytest.mark.parametrize("kind", [psycopg2.DatabaseError, psycopg2.OperationalError])
def test_without_a_code_it_is_the_connection(kind: type[Exception]) -> None:
    lost = kind("server closed the connection unexpectedly")
    with pytest.raises(OperationalError, match="server closed") as caught, connection.wrap_database_errors:
        raise lost
    assert caught.value.__cause__ is lost


@pytest.mark.django_db
def test_what_the_server_refuses_is_no_lost_connection() -> None:
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("SELECT nonsense FROM nowhere")
