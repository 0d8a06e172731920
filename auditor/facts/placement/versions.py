"""Fields about placement that a server of some version does not know yet, or not by default: it
drops them, and the scheduler never sees them.

Source: the feature gates of the enhancements named at each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.facts.placement.rules import HARD, SOFT
from auditor.manifests import mapping, sequence
from auditor.model import Manifest

SPREAD_FIELDS = {
    "minDomains": 127,  # KEP-3022, beta and on since 1.27
    "nodeAffinityPolicy": 126,  # KEP-3094
    "nodeTaintsPolicy": 126,
    "matchLabelKeys": 127,  # KEP-3243
}
TERM_FIELDS = {
    "matchLabelKeys": 131,  # KEP-3633
    "mismatchLabelKeys": 131,
}
POD_FIELDS = {"resources": 134}  # KEP-2837, pod-level resources
LATEST = max(*SPREAD_FIELDS.values(), *TERM_FIELDS.values(), *POD_FIELDS.values())
"""From this version on nothing is dropped."""


def as_of(spec: Manifest, version: int) -> Manifest:
    """A pod specification as a server of that version keeps it."""
    if version >= LATEST:
        return spec
    found: Manifest = _without(spec, POD_FIELDS, version)
    spreads = found.get("topologySpreadConstraints")
    if isinstance(spreads, list):
        kept = [_without(each, SPREAD_FIELDS, version) for each in spreads]
        found = {**found, "topologySpreadConstraints": kept}
    if isinstance(found.get("affinity"), Mapping):
        found = {**found, "affinity": _affinity(found["affinity"], version)}
    return found


def _affinity(affinity: Manifest, version: int) -> Manifest:
    found = dict(affinity)
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = dict(mapping(found.get(kind)))
        if isinstance(rules.get(HARD), list):
            rules[HARD] = [_without(term, TERM_FIELDS, version) for term in rules[HARD]]
        if isinstance(rules.get(SOFT), list):
            rules[SOFT] = [_wish(each, version) for each in sequence(rules[SOFT])]
        if rules:
            found[kind] = rules
    return found


def _wish(each: Any, version: int) -> Any:
    if not isinstance(mapping(each).get("podAffinityTerm"), Mapping):
        return each
    return {**each, "podAffinityTerm": _without(each["podAffinityTerm"], TERM_FIELDS, version)}


def _without(value: Any, fields: Mapping[str, int], version: int) -> Any:
    """`value` less the fields that are newer than the version."""
    if not isinstance(value, Mapping):
        return value
    return {key: each for key, each in value.items() if fields.get(key, 0) <= version}
