"""The service worker, at the root: its address decides which pages it may see."""

from __future__ import annotations

from django.contrib.staticfiles import finders
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

WORKER = "notifcenter/push-worker.js"


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> FileResponse:
    """Browsers ask for it anew now and then, also long after the last visit."""
    path = finders.find(WORKER)
    if path is None:
        raise Http404
    return FileResponse(open(path, "rb"), content_type="text/javascript")
