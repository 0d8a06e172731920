"""What a NetworkPolicy object does, and what it does not do although somebody wrote it.

The engine answers who reaches whom. Here it is asked of the single object: whom it selects, whom
its rules mean, and which of them change nothing.
"""

from auditor.facts.upkeep.effects import policy_effects
from auditor.facts.upkeep.keeper import Keeper
from auditor.facts.upkeep.rules import policy_rules, refusal

__all__ = ["Keeper", "policy_effects", "policy_rules", "refusal"]
