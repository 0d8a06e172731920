"""Which workloads, once broken into, lead to every right in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.access.authorizer import ASSUMED
from auditor.facts.escalation import Step
from auditor.facts.forms import as_object
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]


def takeover(facts: Facts, workload: Workload) -> Told | None:
    """The fact `takeover` for policies, about a workload: by which ``steps`` whoever breaks into it
    comes to every right (each with a message, and the object and path behind it), the ``way`` in
    words, whether that has every right itself (``granted``), and whether a step rests
    on what an API server makes for itself (``assumed``).

    None where no way is known, or its pods hold no token.
    """
    escalation = facts.escalation
    start = escalation.account_of(workload)
    chain = start and escalation.to_everything(start)
    if not start or not chain:
        return None
    return {
        "granted": len(chain.steps) == 1 and chain.steps[0].by == "granted",
        "assumed": chain.assumed,
        "way": " → ".join((str(start), *map(_words, chain.steps))),
        "steps": [_evidence(step) for step in chain.steps],
    }


def _words(step: Step) -> str:
    return str(step.target) if step.by == "is" else f"{step.target} ({step.told})"


def _evidence(step: Step) -> Told:
    binding = next((right.bound.binding for right in step.rights if right.bound), None)
    told = f"{step.target}: {step.told}"
    if binding is None or binding.origin.uri == ASSUMED:
        return {"message": told, "object": None, "path": []}
    rights = " and ".join(map(str, step.rights))
    return {
        "message": f"{told}, by {rights}",
        "object": as_object(binding.ref),
        "path": ["roleRef"],
    }
