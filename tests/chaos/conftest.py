"""What a run leaves in the database is not seen by the tests that come after it in the same process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.database import sql


@pytest.fixture(autouse=True)
def _no_table_is_left(transactional_db: None) -> Iterator[None]:
    yield
    sql("DROP TABLE IF EXISTS chaos_committed")
