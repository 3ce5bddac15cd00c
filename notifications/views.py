"""What machines ask: health and metrics."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from notifications import health, metrics, tokens

logger = logging.getLogger(__name__)


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is wrong. Open to everybody: it names parts, never contents.

    With `?part=database` (repeatable) only these are looked at, as a probe wants it that may take the process away.
    """
    parts = request.GET.getlist("part")
    if unknown := set(parts) - set(health.CHECKS):
        known = ", ".join(health.CHECKS)
        return JsonResponse({"detail": f"There is no part {min(unknown)!r}; there are {known}."}, status=400)
    failing = health.failing(parts)
    if failing:
        return JsonResponse({"status": "failing", "failing": failing}, status=503)
    return JsonResponse({"status": "ok"})


@require_GET
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text; 503 without the database, so that the scrape fails instead of showing zeros."""
    if settings.METRICS_TOKEN and not tokens.presents(request, settings.METRICS_TOKEN):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return _text("Send METRICS_TOKEN as a bearer token.", status=401, headers=headers)
    try:
        return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("metrics cannot be read error=%r", str(error).strip())
        return _text("The database does not answer; /healthz says more.", status=503)


def _text(line: str, **more: Any) -> HttpResponse:
    return HttpResponse(f"{line}\n", content_type="text/plain; charset=utf-8", **more)
