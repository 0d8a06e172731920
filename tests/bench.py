"""The real policies on the real engine, and small clusters to ask them about."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache

from auditor.audit import Bench, audit
from auditor.facts import Facts
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Finding, Resource, Settings, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load

from .facts.network.cluster import resources

SETTINGS = Settings()


@cache
def bench(*names: str, engine: str = "regorus") -> Bench:
    """All policies of ours, or those of these names."""
    policies, library = load()
    asked = tuple(policy for policy in policies if not names or policy.id in names)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies(engine, modules))


def objects(text: str) -> tuple[Resource, ...]:
    """The objects of an indented YAML text."""
    return resources(textwrap.dedent(text))


def facts(*texts: str) -> Facts:
    """The facts of a cluster that is written so."""
    found = tuple(resource for text in texts for resource in objects(text))
    return Facts(Snapshot(found), SETTINGS)


def judged(found: str | Sequence[Resource], *names: str, settings: Settings = SETTINGS) -> Audit:
    """What the policies of these names, or all, say of objects or of a YAML text."""
    written = objects(found) if isinstance(found, str) else tuple(found)
    return audit(Snapshot(written), bench(*names), settings)


def fixed(found: str | Sequence[Resource], *names: str) -> Audit:
    """The same, with fixes."""
    return with_fixes(judged(found, *names), bench(*names), SETTINGS)


def told(answer: Audit) -> list[str]:
    """Policy and object of every finding."""
    return [f"{finding.policy.id} {finding.ref}" for finding in answer.findings]


def gaps(answer: Audit) -> list[str]:
    """Every gap in one line."""
    return [f"{gap.what}: {gap.why}" for gap in answer.gaps]


def only(answer: Audit) -> Finding:
    """The one finding."""
    assert len(answer.findings) == 1, told(answer)
    return answer.findings[0]
