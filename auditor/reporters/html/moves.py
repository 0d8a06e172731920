"""What fixes move: the workloads whose pods stand elsewhere with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from auditor.facts.scenarios.cluster import Group
from auditor.reporters.html.frame import text
from auditor.reporters.words import counted

MOST = 300
"""So many workloads are named."""


def moved(before: Iterable[Group], after: Iterable[Group]) -> str:
    """A list of them, or that there is none."""
    found = list(_moves(before, after))
    if not found:
        return "<p>The fixes move no pod.</p>"
    items = "".join(f"<li>{text(line)}</li>" for line in found[:MOST])
    left = counted(len(found) - MOST, "more workload")
    more = f"<li>and {left}</li>" if len(found) > MOST else ""
    said = "With the fixes, the simulated scheduler puts these elsewhere:"
    return f'<p>{said}</p><ul class="moves">{items}{more}</ul>'


def _moves(before: Iterable[Group], after: Iterable[Group]) -> Iterator[str]:
    old = {group.ref.key: group for group in before}
    for group in after:
        then = old.get(group.ref.key)
        was, is_ = _standing(then) if then else "not there", _standing(group)
        if was != is_:
            yield f"{group.name}: {was} → {is_}"


def _standing(group: Group) -> str:
    """``rack1-node1, rack2-node3 ×2``, and how many have no node."""
    nodes = Counter(each.node for each in group.running)
    said = [f"{node} ×{many}" if many > 1 else node for node, many in sorted(nodes.items())]
    said += [f"{len(group.waiting)} without a node"] if group.waiting else []
    return ", ".join(said) or "no pod"
