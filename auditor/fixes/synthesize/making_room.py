"""Node affinity that keeps a service out of the rack of a database that it does not use, and draws
the client that does into it: one without the other moves nobody.
"""

from __future__ import annotations

from auditor.facts import Facts
from auditor.facts.workloads import Workload
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.affinity import SOFT, WEIGHT, steps_to
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import Change, Finding


def make_room(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A preferred node affinity of the service away from the rack, and one of the client to it.

    Raises:
        CannotBuildError: the service no longer stands in the way.
    """
    found = (each for each in facts.crowded.get(finding.ref.key, ()))
    crowded = next((each for each in found if each.edge.client.name == finding.anchor), None)
    workload = facts.by_key.get(finding.ref.key)
    if crowded is None or workload is None:
        raise CannotBuildError("the service no longer stands in the way of the client")
    away = _change(facts, workload, "NotIn", crowded.rack)
    return (away, _change(facts, crowded.edge.client, "In", crowded.rack))


def _change(facts: Facts, workload: Workload, operator: str, rack: str) -> Change:
    rule = {"key": facts.settings.rack_label, "operator": operator, "values": [rack]}
    term = {"weight": WEIGHT, "preference": {"matchExpressions": [rule]}}
    base = (*workload.pod_path, "affinity", "nodeAffinity", SOFT)
    return patched(workload.resource, *steps_to(workload, base, term))
