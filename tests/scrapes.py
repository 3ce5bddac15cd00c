"""What /metrics says, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Mapping

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[str, ...]


class Scrape:
    """`text` in Prometheus' format. The labels of a sample are the values in the order of their names."""

    def __init__(self, text: str) -> None:
        self.samples: dict[str, dict[Labels, float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                self.samples.setdefault(sample.name, {})[labels] = sample.value

    def __getitem__(self, name: str) -> float:
        """The value of a metric without labels."""
        return self.samples[f"notifcenter_{name}"][()]

    def counts(self, name: str) -> Mapping[Labels, float]:
        """Its samples that are not 0."""
        return {labels: value for labels, value in self.samples[f"notifcenter_{name}"].items() if value}

    def buckets(self, histogram: str) -> dict[str, float]:
        """Upper end → how many are in this bucket and not in a lower one, where there are any."""
        found, below = {}, 0.0
        for (end,), value in self.samples[f"notifcenter_{histogram}_bucket"].items():
            if value > below:
                found[end] = value - below
            below = value
        return found


def scrape() -> Scrape:
    answer = Client().get("/metrics")
    assert answer.status_code == 200, answer.content
    return Scrape(answer.content.decode())
