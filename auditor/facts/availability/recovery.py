"""How long a pod is away at least when its node is lost: what the cluster waits for, added up.

Sources: kube-controller-manager ``--node-monitor-grace-period`` (50 s since 1.32, 40 s before),
the admission plugin DefaultTolerationSeconds (300 s), ``maxWaitForUnmountDuration`` of the
attach-detach controller (6 min). Not known, and not counted: finding a node, pulling the image, and
what the program itself takes to start.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.placement.tolerations import Toleration
from auditor.facts.placement.topology import Taint
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

LOST = Taint("node.kubernetes.io/unreachable", "", "NoExecute")
DEFAULT_TOLERATION, DETACH = 300, 360
SHORTER_GRACE_BEFORE = 132


@dataclass(frozen=True, slots=True)
class Recovery:
    """The least time until a replacement is available, in seconds, and what it is made of."""

    parts: tuple[tuple[str, int], ...]
    """What is waited for, each with its seconds."""
    never: str = ""
    """Why none comes by itself; empty where one does."""

    @property
    def seconds(self) -> int:
        """All of them together."""
        return sum(seconds for _, seconds in self.parts)

    def __str__(self) -> str:
        if self.never:
            return f"never by itself: {self.never}"
        told = " + ".join(f"{seconds} s {name}" for name, seconds in self.parts)
        return f"at least {self.seconds} s ({told})"


def recovery_of(workload: Workload, version: int, *, own_disk: bool = False) -> Recovery:
    """What a pod of `workload` waits for; `own_disk` where it has a volume that is attached to one
    node at a time.
    """
    if workload.ref.kind == "DaemonSet":
        return Recovery((), "a DaemonSet has no pod elsewhere for it")
    if workload.ref.kind == "Pod":
        return Recovery((), "nothing makes a bare pod anew")
    waits = _tolerated(workload)
    if waits is None:
        return Recovery((), "it tolerates a lost node without end")
    if workload.ref.kind == "StatefulSet":
        # Its pod keeps its name, and the lost one stays until its node is back or deleted.
        return Recovery((), "a StatefulSet waits for the lost pod to be gone for certain")
    parts = [("until the node counts as lost", _grace(version)), ("tolerated", waits)]
    if own_disk:
        parts.append(("until its disk is detached", DETACH))
    parts += [(name, seconds) for name, seconds in _starting(workload) if seconds]
    return Recovery(tuple(parts))


def _grace(version: int) -> int:
    return 40 if version < SHORTER_GRACE_BEFORE else 50


def _tolerated(workload: Workload) -> int | None:
    """How long the taint of a lost node is tolerated; None for ever."""
    waits = [
        seconds if isinstance(seconds := each.get("tolerationSeconds"), int) else None
        for each in map(mapping, sequence(workload.pod.get("tolerations")))
        if _toleration(each).covers(LOST)
    ]
    if not waits:
        return DEFAULT_TOLERATION
    known = [seconds for seconds in waits if seconds is not None]
    return max(0, min(known)) if known else None


def _toleration(written: Manifest) -> Toleration:
    fields = (written.get(name) for name in ("key", "operator", "value", "effect"))
    key, operator, value, effect = (text(each) for each in fields)
    return Toleration(key, operator or "Equal", value, effect)


def _starting(workload: Workload) -> Iterator[tuple[str, int]]:
    """What passes at least between the start of a pod and the moment that it counts."""
    delays = [
        delay
        for container in workload.containers
        if container.list == "containers"
        for probe in ("startupProbe", "readinessProbe")
        if isinstance(delay := at(container.spec, (probe, "initialDelaySeconds")), int)
    ]
    yield "before it is asked whether it is ready", max(delays, default=0)
    least = at(workload.resource.manifest, ("spec", "minReadySeconds"))
    yield "ready before it counts", least if isinstance(least, int) else 0
