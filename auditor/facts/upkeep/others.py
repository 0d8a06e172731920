"""Whom policies of another make may hold for, as far as their selectors of pods say: Cilium's. What
they allow is not read, and of any other make nothing is.

https://docs.cilium.io/en/stable/security/policy/language/ (endpointSelector, nodeSelector, specs).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.facts.network.policies import KIND
from auditor.facts.selectors import Labels, RefusedError, Selector, Truth, parse_selector
from auditor.manifests import mapping, sequence
from auditor.model import Resource
from auditor.values import dataclass

MAKES = (
    "antrea.io", "cilium.io", "k8s.ovn.org", "projectcalico.org",
)  # fmt: skip
"""API groups, with those under them, whose policies isolate pods beside those of Kubernetes."""

_PREFIXES = ("any:", "any.", "k8s:", "k8s.")
"""Before a key: labels of any source, or of Kubernetes, which are those of pods."""
_OWN = ("io.cilium.", "io.kubernetes.")
"""Keys that Cilium makes itself, of the namespace and of the account."""


@dataclass(frozen=True, slots=True)
class Other:
    """One rule of a policy of another make."""

    namespace: str
    """Empty where it is of the cluster."""
    selector: Selector | None
    """None where it is not read whom it selects."""

    def may_hold(self, namespace: str, labels: Labels) -> bool:
        """Whether it may hold for pods of that namespace with those labels."""
        if self.namespace not in ("", namespace):
            return False
        return self.selector is None or self.selector.truth(labels) is not Truth.NO

    def is_meant_for(self, namespace: str) -> bool:
        """Whether it is of that namespace, or may hold for whatever pod comes to any."""
        everybody = self.selector is None or not self.selector.requirements
        return self.namespace == namespace or (not self.namespace and everybody)


def others(resources: Iterable[Resource]) -> Iterator[Other]:
    """The rules of the policies of another make."""
    for resource in resources:
        if not resource.ref.kind.endswith(KIND) or not _is_of(resource.ref.group):
            continue
        if resource.ref.group != "cilium.io":
            yield Other(resource.ref.namespace, None)
            continue
        manifest = resource.manifest
        for spec in (manifest.get("spec"), *sequence(manifest.get("specs"))):
            rule = mapping(spec)
            if rule and "nodeSelector" not in rule:
                yield Other(resource.ref.namespace, _selector(rule.get("endpointSelector")))


def _is_of(group: str) -> bool:
    return any(group == one or group.endswith(f".{one}") for one in MAKES)


def _selector(written: Any) -> Selector | None:
    """None where it speaks of more than the labels of pods, or is refused."""
    said = mapping(written)
    labels = mapping(said.get("matchLabels"))
    listed = [mapping(each) for each in sequence(said.get("matchExpressions"))]
    keys = (*labels, *(each.get("key") for each in listed))
    if not isinstance(written, Mapping) or not all(map(_is_of_pods, keys)):
        return None
    plain = {
        "matchLabels": {_plain(key): value for key, value in labels.items()},
        "matchExpressions": [{**each, "key": _plain(each["key"])} for each in listed],
    }
    try:
        return parse_selector(plain, ())
    except RefusedError:
        return None


def _is_of_pods(key: Any) -> bool:
    if not isinstance(key, str):
        return False
    plain = _plain(key)
    return ":" not in plain and not plain.startswith(_OWN)


def _plain(key: str) -> str:
    for prefix in _PREFIXES:
        if key.startswith(prefix):
            return key.removeprefix(prefix)
    return key
