"""The OpenAPI description."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command


def test_it_is_valid_and_made_without_a_warning() -> None:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    for path in (
        "/api/v1/preferences/",
        "/api/v1/job-file/",
        "/api/v1/jobs/",
        "/api/v1/jobs/{framework}/notification-config/",
    ):
        assert path in out.getvalue()
