"""Keeps what a cluster holds current in memory (`watcher`), and tells others of it bit by bit
(`feed`).
"""

from auditor.sources.watch.feed import Feed, Stale
from auditor.sources.watch.ledger import REMEMBER_SECONDS
from auditor.sources.watch.shelf import same_manifest
from auditor.sources.watch.watcher import STALE_SECONDS, Watcher

__all__ = ["REMEMBER_SECONDS", "STALE_SECONDS", "Feed", "Stale", "Watcher", "same_manifest"]
