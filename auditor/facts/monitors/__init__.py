"""Who watches others (`known`), and what they are asked to fetch (`scrapes`)."""

from auditor.facts.monitors.known import (
    MONITOR_IMAGES,
    is_monitor,
    monitor_path,
    repository,
    runs,
)
from auditor.facts.monitors.scrapes import Scrape, Watchers, scrapes_of

__all__ = [
    "MONITOR_IMAGES",
    "Scrape",
    "Watchers",
    "is_monitor",
    "monitor_path",
    "repository",
    "runs",
    "scrapes_of",
]
