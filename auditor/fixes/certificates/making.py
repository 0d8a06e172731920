"""Certificates of proven fixes that decide where pods run, or how they are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from auditor.facts import Facts, facts_of
from auditor.facts.workloads import workload_of
from auditor.fixes.certificates.document import (
    FORMAT,
    Document,
    LevelDocument,
    SettingsDocument,
    StateDocument,
)
from auditor.fixes.certificates.levels import Shown, Worlds, shown
from auditor.fixes.certificates.numbers import Edge, edges_of
from auditor.fixes.certificates.state import State, as_it_becomes, reduced
from auditor.model import Audit, Finding, Settings

GUARDING = ("PodDisruptionBudget", "HorizontalPodAutoscaler", "Service")
"""What decides on the pods of others."""


def concerns_placement(finding: Finding) -> bool:
    """Whether the fix of a finding is one that a certificate can be about."""
    fix = finding.fix
    if fix is None or not fix.changes:
        return False
    return any(
        workload_of(change.resource) is not None or change.resource.ref.kind in GUARDING
        for change in fix.changes
    )


def certificate(audit: Audit, finding: Finding, settings: Settings) -> Document:
    """What can be shown of the fix of `finding`, in an audit with these settings."""
    assert finding.fix is not None
    snapshot = audit.around(finding)
    state = State.of(snapshot)
    edges = edges_of(facts_of(snapshot, settings))
    changes = [reduced(change.resource.manifest) for change in finding.fix.changes]
    levels = shown(worlds_of(state, changes, edges, settings))
    return Document(
        format=FORMAT,
        policy=finding.policy.id,
        object=str(finding.ref),
        title=finding.fix.title,
        settings=SettingsDocument(
            kubernetes=settings.kubernetes,
            rack_label=settings.rack_label,
            zone_label=settings.zone_label,
        ),
        edges=[[list(client), list(target)] for client, target in edges],
        state=StateDocument(
            digest=state.digest, objects=[dict(each) for each in state.objects],
            live=sorted(state.live),
        ),
        changes=[dict(each) for each in changes],
        levels={each.level.value: _level(each) for each in levels},
    )  # fmt: skip


def worlds_of(
    state: State, changes: Sequence[object], edges: tuple[Edge, ...], settings: Settings
) -> Worlds:
    """The two worlds that a certificate is about, made of its own state alone."""
    plain = replace(settings, waivers=(), inline=None, acknowledged=(), scope=None)
    before = state.snapshot()
    changed = tuple(as_it_becomes(before, each) for each in changes if isinstance(each, dict))
    after = before.replacing(*changed)
    return Worlds(Facts(before, plain), Facts(after, plain), changed, edges)


def _level(each: Shown) -> LevelDocument:
    return LevelDocument(
        holds=each.holds, means=each.level.means, told=each.told, details=dict(each.details)
    )
