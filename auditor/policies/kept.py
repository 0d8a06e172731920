"""What of a live object has to be kept for the policies that are asked."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.facts.kept import Keep
from auditor.model import Policy
from auditor.policies.ours import is_ours


def keep_for(policies: Iterable[Policy]) -> Keep:
    """What of an object these policies and the facts read. What policies of others read, nobody
    knows: their kinds are kept whole.
    """
    return Keep(kind for each in policies if not is_ours(each.file) for kind in each.kinds)
