"""The sources of events. A new one is a package beside this file and a line here."""

from notifications.sources.base import Source
from notifications.sources.frameworks.source import FrameworkSource

SOURCES: list[type[Source]] = [FrameworkSource]
