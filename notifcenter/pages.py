"""What every page of the site needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context: the cluster's name, the portal's address, and whether this is the demo."""
    return {
        "cluster_name": settings.CLUSTER_NAME,
        "portal_url": settings.PAI_WEBPORTAL_URL,
        "demo": settings.DEMO,
    }
