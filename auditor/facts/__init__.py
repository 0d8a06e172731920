"""What can be said of a snapshot before any policy is asked."""

from auditor.facts.facts import FACTS, Facts, facts_of

__all__ = ["FACTS", "Facts", "facts_of"]
