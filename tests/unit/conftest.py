"""What several unit tests are set in."""

from __future__ import annotations

import pytest
from pytest_django import Settings


@pytest.fixture
def addresses(settings: Settings) -> None:
    settings.CLUSTER_NAME = "berlin"
    settings.BASE_URL = "https://notify.example.org"
    settings.PAI_WEBPORTAL_URL = ""
