"""Creates the cluster's table where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SQL = Path(__file__).with_name("frameworks.sql")


def create_table(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SQL.read_text(encoding="utf-8"))
