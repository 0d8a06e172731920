"""Which nodes a workload asks for: none, too few, or by labels that no node has.

Of requirements that no node meets together, the fewest are told that suffice for that: each is left
out in turn, and stays out where the rest still admits no node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Node, Pod
from auditor.facts.placement.filters import admits
from auditor.facts.placement.node_selectors import Expression, NodeTerm
from auditor.facts.placement.requests import CPU
from auditor.facts.placement.rules import HARD, SOFT
from auditor.facts.placement.tolerations import FORBIDDING, untolerated
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import mapping, sequence
from auditor.model import Path, Ref
from auditor.terms import HOSTNAME
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
RETIRED = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
"""Labels that no longer come with a node, and what came in their place (Kubernetes 1.17)."""
EFFECTS = (None, "", "NoExecute", "NoSchedule")
OF_SYSTEM = "system-"
"""How the names of priority classes begin that every cluster has by itself."""
SPREAD = "topologySpreadConstraints"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a node must have for a pod."""

    what: str
    path: Path
    met: Callable[[Node], bool]


def choices(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `choices` for policies: by fault, which nodes the workload asks for that are none,
    too few, or named by labels that no node has, and the priority class that there is not.
    """
    found: dict[str, list[Told]] = {}
    pods = facts.standing.one(workload)
    for name, case in (*_written(workload, pods), *_class(facts, workload)):
        found.setdefault(name, []).append(case)
    for pod in pods if facts.scheduling.known else ():
        for name, case in (*_by_nodes(facts, workload, pod), *_keys(facts, workload, pod)):
            found.setdefault(name, []).append(case)
    return found or None


def _class(facts: Facts, workload: Workload) -> Iterator[tuple[str, Told]]:
    """The priority class that is named, where others were read and it is not among them: the plugin
    Priority of the API server refuses its pods. Manifests without any do not tell what there is.
    """
    name = text(workload.pod.get("priorityClassName"))
    if not name or name.startswith(OF_SYSTEM):
        return
    known = {each.ref.name for each in facts.snapshot.of_kind("PriorityClass")}
    if known and name not in known:
        path = (*workload.pod_path, "priorityClassName")
        yield "no_class", {"path": path, "anchor": "", "class": name, "known": len(known)}


def _by_nodes(facts: Facts, workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    """Requirements that no node meets; nothing where an autoscaler may add one that does."""
    nodes = facts.topology.nodes
    needs = tuple(_needs(workload, pod))
    if facts.scheduling.grows or _reached(needs, nodes):
        return
    core = _core(needs, nodes)
    rooms = [need for need in core if need.path[-1] == "containers"]
    name = "jointly" if len(core) > 1 else "too_large" if rooms else "no_node"
    yield (
        name,
        {
            "path": core[0].path,
            "anchor": "",
            "needs": [need.what for need in core],
            "nodes": len(nodes),
            "evidence": list(_closest(core, nodes)),
        },
    )


def _reached(needs: Sequence[Need], nodes: Sequence[Node]) -> bool:
    return any(all(need.met(node) for need in needs) for node in nodes)


def is_homeless(facts: Facts, workload: Workload, pod: Pod) -> bool:
    """Whether no node meets what the pods ask for, even when nothing else is there."""
    return not _reached(tuple(_needs(workload, pod)), facts.topology.nodes)


def _core(needs: Sequence[Need], nodes: Sequence[Node]) -> list[Need]:
    """As few of the needs as no node meets together."""
    core = list(needs)
    for need in needs:
        rest = [each for each in core if each is not need]
        if not any(all(each.met(node) for each in rest) for node in nodes):
            core = rest
    return core


def _closest(core: Sequence[Need], nodes: Sequence[Node]) -> Iterator[Told]:
    """For each need, how many nodes meet it."""
    for need in core if len(core) > 1 else ():
        met = [node.name for node in nodes if need.met(node)]
        shown = ", ".join(met[:3]) + (" and others" if len(met) > 3 else "")
        yield {"message": f"{need.what}: {len(met)} of {len(nodes)} nodes, {shown}"}


def _needs(workload: Workload, pod: Pod) -> Iterator[Need]:
    shape, path = pod.shape, workload.pod_path
    for key, value in shape.choice.labels.items():
        yield Need(
            f"label {key}={value}",
            (*path, "nodeSelector", key),
            partial(_labelled, key, value),
        )
    if (terms := shape.choice.required) is not None:
        where = (*path, "affinity", "nodeAffinity")
        yield Need(
            "the required node affinity",
            where,
            lambda node: any(term.matches(node.name, node.labels) for term in terms),
        )
    yield Need(
        "a toleration for its taints",
        (*path, "tolerations") if shape.tolerations[2:] else path,
        lambda node: not any(untolerated(node.taints, shape.tolerations, FORBIDDING)),
    )
    for name, amount in shape.requests.amounts.items():
        yield Need(
            f"{said_amount(name, amount)} of {'CPU' if name == CPU else name}",
            (*path, "containers"),
            partial(_holds, name, amount),
        )


def _labelled(key: str, value: str, node: Node) -> bool:
    return node.labels.get(key) == value


def _holds(name: str, amount: int, node: Node) -> bool:
    return node.allocatable is None or amount <= node.allocatable.get(name, 0)


def said_amount(name: str, amount: int) -> str:
    """An amount as people write it."""
    if name == CPU:
        return f"{amount / 1000:g}"
    for suffix, size in (("Gi", 2**30), ("Mi", 2**20)):
        if amount >= size and name in ("memory", "ephemeral-storage"):
            return f"{amount / size:.4g}{suffix}"
    return str(amount)


def _keys(facts: Facts, workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    """Topology keys that none, or not all, of the nodes have on which the pods may run."""
    for key, path in _topology_keys(workload, pod):
        if key in RETIRED or not facts.scheduling.lacking(key):
            continue
        nodes = [n.name for n in facts.topology.nodes if admits(pod, n) is None]
        lacking = [name for name in nodes if name in facts.scheduling.lacking(key)]
        if not lacking:
            continue
        name = "missing_key" if len(lacking) == len(nodes) else "partial_key"
        shown = [as_object(Ref("v1", "Node", "", each)) for each in lacking[:10]]
        yield (
            name,
            {
                "path": path,
                "anchor": key,
                "key": key,
                "lacking": len(lacking),
                "nodes": len(nodes),
                "evidence": [{"message": "lacks the label", "object": each} for each in shown],
            },
        )


def _topology_keys(workload: Workload, pod: Pod) -> Iterator[tuple[str, Path]]:
    base = workload.pod_path
    found: dict[str, Path] = {}
    for index, spread in enumerate(pod.shape.spreads):
        found.setdefault(spread.key, (*base, SPREAD, index, "topologyKey"))
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = mapping(mapping(workload.pod.get("affinity")).get(kind))
        for strength in (HARD, SOFT):
            for index, item in enumerate(map(mapping, sequence(rules.get(strength)))):
                inner: Path = () if strength == HARD else ("podAffinityTerm",)
                term = mapping(item.get("podAffinityTerm")) if inner else item
                key = term.get("topologyKey")
                if isinstance(key, str) and key:
                    where = (*base, "affinity", kind, strength, index, *inner, "topologyKey")
                    found.setdefault(key, where)
    yield from found.items()


def _written(workload: Workload, pods: Sequence[Pod]) -> Iterator[tuple[str, Told]]:
    """What can be said without any node."""
    path = workload.pod_path
    for pod in pods:
        yield from _retired(workload, pod)
        yield from _pinned(workload, pod)
        for index, term in enumerate(pod.shape.choice.required or ()):
            base = (*path, "affinity", "nodeAffinity", HARD, "nodeSelectorTerms", index)
            if why := impossible(term):
                yield "impossible", {"path": base, "anchor": str(index), "why": why}
        if workload.ref.kind != "DaemonSet":
            yield from _tolerates_all(workload)


def _retired(workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    spots = dict(_topology_keys(workload, pod))
    spots |= {key: (*workload.pod_path, "nodeSelector", key) for key in pod.shape.choice.labels}
    for key, path in spots.items():
        if key in RETIRED:
            yield "retired_key", {"path": path, "anchor": key, "key": key, "now": RETIRED[key]}


def _pinned(workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    """A template bound to one node by name; a Pod is what was made of one."""
    if workload.ref.kind in ("Pod", "DaemonSet"):
        return
    path = workload.pod_path
    if isinstance(workload.pod.get("nodeName"), str) and workload.pod["nodeName"]:
        where, name = (*path, "nodeName"), workload.pod["nodeName"]
    elif HOSTNAME in pod.shape.choice.labels:
        where, name = (*path, "nodeSelector", HOSTNAME), pod.shape.choice.labels[HOSTNAME]
    else:
        return
    if not pod.claims:
        yield "pinned", {"path": where, "anchor": "", "node": name}


def impossible(term: NodeTerm) -> str:
    """Why no node matches a term; empty where some may."""
    if not term.labels and not term.fields:
        return "it is empty, and an empty term matches no node"
    by_key: dict[str, list[Expression]] = {}
    for expression in (*term.labels, *term.fields):
        by_key.setdefault(expression.key, []).append(expression)
    for key, expressions in by_key.items():
        if not any(all(e.admits(v) for e in expressions) for v in _witnesses(expressions)):
            return f"no value of {key} meets all of its expressions"
    return ""


def _witnesses(expressions: Sequence[Expression]) -> Iterator[str | None]:
    """Values of a label of which one meets the expressions, if any does."""
    excluded = sum(len(each.values) for each in expressions if each.operator == "NotIn")
    yield None
    yield "\0 none of those"
    for expression in expressions:
        yield from expression.values
        for value in expression.values if expression.operator in ("Gt", "Lt") else ():
            if value.lstrip("+-").isdigit() and len(value) < 19:
                # As many as are excluded may have to be passed over.
                for step in range(1, excluded + 2):
                    yield from (str(int(value) + step), str(int(value) - step))


def _tolerates_all(workload: Workload) -> Iterator[tuple[str, Told]]:
    """A toleration of every taint: onto nodes of the control plane, and never off a dead one."""
    for index, item in enumerate(map(mapping, sequence(workload.pod.get("tolerations")))):
        every = item.get("operator") == "Exists" and not item.get("key")
        for_a_while = type(item.get("tolerationSeconds")) is int
        if every and not for_a_while and item.get("effect") in EFFECTS:
            path = (*workload.pod_path, "tolerations", index)
            yield "tolerates_all", {"path": path, "anchor": "", "effect": item.get("effect") or ""}
