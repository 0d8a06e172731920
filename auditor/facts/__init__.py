"""What can be said of a snapshot before any policy is asked."""

from auditor.facts.catalogue import FACTS
from auditor.facts.facts import Facts, facts_of

__all__ = ["FACTS", "Facts", "facts_of"]
