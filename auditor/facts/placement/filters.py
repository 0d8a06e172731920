"""Which nodes can take a pod at all: node rules, ports, resources and claims.

Rules: kube-scheduler plugins nodeunschedulable, nodename, tainttoleration, nodeaffinity,
nodeports and noderesources. A check answers with a reason, or None where the node passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.requests import CPU
from auditor.facts.placement.tolerations import FORBIDDING, untolerated
from auditor.facts.placement.topology import Node, Taint

Check = Callable[[int], str | None]
"""Asked with the index of a node."""

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


def named(pod: Pod, occupancy: Occupancy) -> Iterator[Check]:
    """Only the node that the pod names, or was made for, if there is one."""
    name = pod.only or pod.node
    if name:
        wanted = occupancy.index.get(name)
        yield lambda index: None if index == wanted else f"is not {name}, which the pod names"


def room(pod: Pod, occupancy: Occupancy) -> Iterator[Check]:
    """Whether ports and resources are free."""
    if pod.shape.ports:
        yield lambda index: _ports_taken(pod, occupancy, index)
    amounts = tuple(pod.shape.requests.amounts.items())

    def check(index: int) -> str | None:
        allocatable = occupancy.nodes[index].allocatable
        if allocatable is None:
            return None
        load = occupancy.loads[index]
        if load.pods + 1 > allocatable.get("pods", 0):
            return f"takes no more than {allocatable.get('pods', 0)} pods"
        for name, amount in amounts:
            if amount > allocatable.get(name, 0) - load.amounts[name]:
                return f"has too little {'CPU' if name == CPU else name} left"
        return None

    yield check


def _ports_taken(pod: Pod, occupancy: Occupancy, index: int) -> str | None:
    for taken in occupancy.loads[index].ports:
        for port in pod.shape.ports:
            if port.clashes(taken):
                return f"has its port {port.protocol}/{port.port} taken"
    return None
