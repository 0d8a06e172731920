"""A default deny for a namespace, and who is known to ask its workloads admitted all the same."""

from __future__ import annotations

from auditor.facts import Facts
from auditor.facts.isolation import admitting_all
from auditor.facts.workloads import Workload
from auditor.fixes.operations import created
from auditor.fixes.synthesize.callers import admitting, is_served
from auditor.fixes.synthesize.contradictions import check_enforced
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.network import denial_of
from auditor.model import Change, Finding


def deny_by_default(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy that admits nobody to any pod of the namespace, and one for each workload
    that serves something and is not isolated yet, for who is known to ask it. What serves nothing
    is closed.

    Raises:
        CannotBuildError: of one of these workloads nobody is known to ask it, see `admit_callers`;
            or a policy admits everybody to every pod, which no other one takes back.
    """
    name = finding.ref.name
    if finding.ref.kind != "Namespace":
        raise CannotBuildError(f"{finding.ref} is no namespace")
    check_enforced(facts)
    for ref in admitting_all(facts, name):
        raise CannotBuildError(f"{ref} admits everybody to every pod; one more cannot take it back")
    namespace = facts.snapshot.by_key[finding.ref.key]
    labels = Labels(facts)
    made = [
        change
        for one in facts.workloads
        if one.ref.namespace == name
        for change in _admitted(facts, one, labels)
    ]
    denial = created(denial_of(facts, namespace), namespace)
    return (*labels.added.values(), denial, *made)


def _admitted(facts: Facts, one: Workload, labels: Labels) -> tuple[Change, ...]:
    if one.pod.get("hostNetwork") is True or facts.network.isolating(one, "Ingress"):
        return ()
    if not is_served(facts, one):
        return ()
    try:
        return admitting(facts, one, labels)
    except CannotBuildError as error:
        raise CannotBuildError(f"a default deny may cut {one.name} off: {error}") from error
