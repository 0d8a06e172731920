"""The sentences that all forms of a map have in common, cleaned of what others wrote into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditor.credentials import told
from auditor.facts.inventory import words as declared
from auditor.facts.scenarios.cluster import Group
from auditor.facts.scenarios.plan import Call, Here, Plan
from auditor.text import escaped


def clean(text: str) -> str:
    """What of others' text may be shown."""
    return escaped(told(text))


def standing(plan: Plan) -> str:
    """Whether the pods are there, or where somebody would put them."""
    cluster = plan.cluster
    if not cluster.nodes:
        return "no Node object is given: each workload is told with what it needs"
    if cluster.live:
        return "pods stand where they run"
    return f"pods stand where the simulated scheduler puts them (seed {cluster.seed})"


def notes(plan: Plan) -> Iterator[str]:
    """What has to be known of the map."""
    yield standing(plan)
    if nodes := declared(plan.cluster.facts.snapshot):
        yield clean(nodes)
    if plan.outside:
        yield f"{plan.outside} pods outside of the scope take up room and are not shown"


def pods_of(plan: Plan, here: Here) -> str:
    """``shop/web ×2``, and how many of them are not ready."""
    group = plan.groups[here.group]
    many = f" ×{here.pods}" if here.pods > 1 else ""
    ill = here.pods - here.ready
    return f"{clean(group.name)}{many}" + (f" ({ill} not ready)" if ill else "")


def holds(group: Group) -> str:
    """``PII``; empty where it holds no personal data."""
    return clean(", ".join(group.data).upper())


def waiting(plan: Plan) -> Iterator[tuple[int, int, str]]:
    """The number of a workload, how many of its pods have no node, and why; nothing where there is
    no node at all.
    """
    if not plan.cluster.nodes:
        return
    for number, group in enumerate(plan.groups):
        for why, count in Counter(why for _, why in group.waiting).items():
            yield number, count, clean(why)


def absent(plan: Plan) -> Iterator[tuple[int, str]]:
    """The workloads that ask for pods and have none, of a cluster whose pods were read."""
    for number, group in enumerate(plan.groups):
        asks = group.workload and group.workload.replicas and group.serves
        if plan.cluster.live and asks and not group.running and not group.waiting:
            yield number, "none of its pods is there"


def distance(call: Call) -> str:
    """``3.0 hops on average (2 to 4)``, with the milliseconds where they are declared."""
    if call.hops is None:
        return "a distance that labels do not tell"
    spread = f" ({call.least} to {call.most})" if call.least < call.most else ""
    time = "" if call.milliseconds is None else f", {call.milliseconds:.3g} ms"
    return f"{call.hops:.3g} hops on average{spread}{time}"
