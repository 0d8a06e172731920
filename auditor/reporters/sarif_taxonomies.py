"""The controls of frameworks as taxonomies of a SARIF log (SARIF 2.1.0, 3.14.8 and 3.49.15), and
how rules relate to them. Known to the SARIF report alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.frameworks.catalogue import framework as framework_of
from auditor.frameworks.catalogue import names as known_frameworks
from auditor.model import Policy

Node = dict[str, Any]
Controls = Mapping[str, list[str]]
"""Framework → its controls that a policy names, each once."""


def controls_of(policies: Iterable[Policy]) -> Controls:
    """What the policies cover, in the order of their names."""
    found: dict[str, list[str]] = {}
    for name in sorted({control for policy in policies for control in policy.controls}):
        framework, _, control = name.partition("/")
        found.setdefault(framework, []).append(control)
    return found


def taxonomies(controls: Controls) -> list[Node]:
    """One for each framework, with the controls that some policy covers."""
    known = known_frameworks()
    found = []
    for framework, names in controls.items():
        told = framework_of(framework) if framework in known else None
        about: Node = {"name": framework, "isComprehensive": False}
        if told:
            about |= {
                "fullName": told.title,
                "shortDescription": {"text": f"{told.title}."},
                "informationUri": told.source,
            }
        subjects = told.controls if told else {}
        titles = {name: one.title for name, one in subjects.items()}
        about["taxa"] = [_taxon(name, titles.get(name)) for name in names]
        found.append(about)
    return found


def _taxon(name: str, subject: str | None) -> Node:
    return {"id": name} | ({"shortDescription": {"text": f"{subject}."}} if subject else {})


def relationships(policy: Policy, controls: Controls) -> list[Node]:
    """A pointer to each control that the policy covers."""
    frameworks = list(controls)
    found = []
    for name in policy.controls:
        framework, _, control = name.partition("/")
        component = {"name": framework, "index": frameworks.index(framework)}
        target = {
            "id": control,
            "index": controls[framework].index(control),
            "toolComponent": component,
        }
        found.append({"target": target, "kinds": ["relevant"]})
    return found
