"""The sources of events. A new one is a package beside this file and a line here."""

from notifications.sources.base import Source
from notifications.sources.frameworks.source import FrameworkSource
from notifications.sources.ingest.source import IngestSource

SOURCES: list[type[Source]] = [FrameworkSource, IngestSource]
