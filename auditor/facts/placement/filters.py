"""Which nodes can take a pod at all: node rules, ports, resources and claims.

Rules: kube-scheduler plugins nodeunschedulable, nodename, tainttoleration, nodeaffinity,
nodeports and noderesources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.facts.placement.columns import Bools
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.requests import CPU
from auditor.facts.placement.tolerations import FORBIDDING, untolerated
from auditor.facts.placement.topology import Node, Taint
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of all nodes."""

    passes: Bools
    why: Callable[[int], str]
    """Why the node with that index, which does not pass, refuses the pod."""


_CORDONED = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def admits(pod: Pod, node: Node) -> str | None:
    """Why `node` refuses `pod` whatever is on it, or None."""
    return _is_cordoned(pod, node) or _tainted(pod, node) or _not_chosen(pod, node)


def tolerated(pod: Pod, node: Node) -> str | None:
    """Why the kubelet of `node` would not run `pod`, which names the node itself and so passes by
    the scheduler, whatever is on it; or None.
    """
    for taint in untolerated(node.taints, pod.shape.tolerations, ("NoExecute",)):
        return f"has the taint {taint}, which the pod does not tolerate"
    return _not_chosen(pod, node)


def _is_cordoned(pod: Pod, node: Node) -> str | None:
    if node.unschedulable and not any(t.covers(_CORDONED) for t in pod.shape.tolerations):
        return "is cordoned"
    return None


def _tainted(pod: Pod, node: Node) -> str | None:
    for taint in untolerated(node.taints, pod.shape.tolerations, FORBIDDING):
        return f"has the taint {taint}, which the pod does not tolerate"
    return None


def _not_chosen(pod: Pod, node: Node) -> str | None:
    if pod.shape.choice.admits(node.name, node.labels):
        return None
    return "is not among the nodes that the pod selects"


def named(pod: Pod, occupancy: Occupancy) -> Iterator[Verdict]:
    """Only the node that the pod names, or was made for, if there is one."""
    name = pod.only or pod.node
    if name:
        passes = ~occupancy.columns.all
        if name in occupancy.index:
            passes[occupancy.index[name]] = True
        yield Verdict(passes, lambda _: f"is not {name}, which the pod names")


def room(pod: Pod, occupancy: Occupancy) -> Iterator[Verdict]:
    """Whether ports and resources are free. A node that does not say what it holds has room."""
    if pod.shape.ports:
        yield _ports_free(pod, occupancy)
    columns = occupancy.columns
    passes = occupancy.pods < columns.holds("pods")
    for name, amount in pod.shape.requests.amounts.items():
        passes &= occupancy.taken(name) <= columns.holds(name) - amount
    yield Verdict(passes | ~columns.told, lambda index: _too_full(pod, occupancy, index))


def _too_full(pod: Pod, occupancy: Occupancy, index: int) -> str:
    most = occupancy.columns.holds("pods")[index]
    if occupancy.pods[index] + 1 > most:
        return f"takes no more than {most} pods"
    short = (
        name
        for name, amount in pod.shape.requests.amounts.items()
        if amount > occupancy.columns.holds(name)[index] - occupancy.taken(name)[index]
    )
    name = next(short)
    return f"has too little {'CPU' if name == CPU else name} left"


def _ports_free(pod: Pod, occupancy: Occupancy) -> Verdict:
    passes = occupancy.columns.all.copy()
    for index in occupancy.ports:
        passes[index] = not _clash(pod, occupancy, index)
    return Verdict(passes, lambda index: f"has its port {_clash(pod, occupancy, index)} taken")


def _clash(pod: Pod, occupancy: Occupancy, index: int) -> str:
    """The first port of `pod` that is taken on a node, or nothing."""
    for taken, count in occupancy.ports[index].items():
        for port in pod.shape.ports if count else ():
            if port.clashes(taken):
                return f"{port.protocol}/{port.port}"
    return ""
