"""Tolerations: which taints a pod can live with.

Rules: k8s.io/component-helpers scheduling/corev1 (FindMatchingUntoleratedTaint) and the admission
plugin DefaultTolerationSeconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.facts.placement.topology import Taint
from auditor.facts.selectors import RefusedError
from auditor.facts.wording import said
from auditor.manifests import mapping
from auditor.values import dataclass

FORBIDDING = ("NoSchedule", "NoExecute")
_DEFAULTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_OPERATORS = ("Equal", "Exists", "Lt", "Gt")


@dataclass(frozen=True, slots=True)
class Toleration:
    """Which taints are tolerated: an empty key or effect stands for all of them."""

    key: str
    operator: str
    value: str
    effect: str

    def covers(self, taint: Taint) -> bool:
        """Whether `taint` is tolerated."""
        if self.effect not in ("", taint.effect) or self.key not in ("", taint.key):
            return False
        return self.operator == "Exists" or (self.operator == "Equal" and self.value == taint.value)


def untolerated(
    taints: Iterable[Taint], tolerations: Iterable[Toleration], effects: tuple[str, ...]
) -> Iterable[Taint]:
    """The taints of one of these effects that nothing tolerates."""
    known = tuple(tolerations)
    return (t for t in taints if t.effect in effects and not any(k.covers(t) for k in known))


def read_tolerations(value: Any) -> tuple[Toleration, ...]:
    """The tolerations `value` of a pod, with the two that the API server adds.

    Raises:
        RefusedError: it is not what the API server accepts.
    """
    if value is not None and not isinstance(value, list):
        raise RefusedError(("spec", "tolerations"), "is no list of tolerations")
    found = [_toleration(item, index) for index, item in enumerate(value or ())]
    for key in _DEFAULTS:
        if not any(t.covers(Taint(key, "", "NoExecute")) for t in found):
            found.append(Toleration(key, "Exists", "", "NoExecute"))
    return tuple(found)


def _toleration(value: Any, index: int) -> Toleration:
    path = ("spec", "tolerations", index)
    item = mapping(value)
    parts = [item.get(part) or "" for part in ("key", "operator", "value", "effect")]
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in parts):
        raise RefusedError(path, "is no toleration")
    key, operator, wanted, effect = parts
    operator = operator or "Equal"
    if operator not in _OPERATORS or (not key and operator != "Exists"):
        raise RefusedError((*path, "operator"), f"{said(operator)} makes no toleration")
    return Toleration(key, operator, wanted, effect)
