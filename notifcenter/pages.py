"""What every page of the site needs to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context: the cluster's name, the portal's address, whether this is the demo, and the name of the
    OpenID Connect provider, '' without one."""
    return {
        "cluster_name": settings.CLUSTER_NAME,
        "portal_url": settings.PAI_WEBPORTAL_URL,
        "demo": settings.DEMO,
        "oidc_name": settings.OIDC_NAME if settings.OIDC_ISSUER_URL else "",
    }
