"""What can be said of a snapshot before any policy is asked."""

from auditor.facts.facts import FACTS, Facts

__all__ = ["FACTS", "Facts"]
