"""Who reaches personal data, as a table: what the picture of the network tells of it, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts import Facts
from auditor.facts.workloads import Workload
from auditor.reporters.html.frame import text
from auditor.reporters.network.picture import Edge, Node, Picture
from auditor.reporters.words import counted
from auditor.values import dataclass

MOST = 500
"""So many rows are in the table."""
NAMED = 40
"""So many are named in one row."""
SURE = 0.5
"""What is less sure is no need."""

Needs = Mapping[tuple[str, str], str]
"""Who needs whom, both by name, and what shows it."""


@dataclass(frozen=True, slots=True)
class Row:
    """Those who reach one workload alike."""

    target: Node
    sources: tuple[str, ...]
    ports: str
    why: tuple[dict[str, Any], ...] = ()
    unknown: tuple[str, ...] = ()


def table(drawn: Picture, facts: Facts) -> str:
    """The table; a sentence where nothing is declared to hold personal data."""
    holding = [node for node in drawn.nodes if node.data]
    if not holding:
        return (
            '<p class="note">Nothing here is declared to hold personal data; auditor classify'
            " proposes what may.</p>"
        )
    rows = [row for node in holding for row in _rows(drawn, node)]
    needs = _needs(facts)
    body = "".join(_row(row, needs) for row in rows[:MOST])
    left = counted(len(rows) - MOST, "row")
    more = f"<p>{left} are not on this page.</p>" if len(rows) > MOST else ""
    head = "".join(f'<th scope="col">{each}</th>' for each in ("Holds", "Reached by", "On", "Why"))
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Who reaches personal data">'
        '<table class="reached"><caption>Who reaches personal data</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def _rows(drawn: Picture, node: Node) -> Iterator[Row]:
    if node.open:
        yield Row(node, ("everything in the cluster",), "every port", node.reasons)
    alike: dict[str, list[Edge]] = {}
    for edge in drawn.edges:
        if edge.target == node.key:
            alike.setdefault(repr((edge.label, edge.sure, edge.reasons, edge.unknown)), []).append(
                edge
            )
    names = {one.key: one.name for one in drawn.nodes}
    for edges in alike.values():
        first = edges[0]
        ports = first.label if first.sure else f"{first.label} (cannot be told for sure)"
        sources = tuple(sorted(names[edge.source] for edge in edges))
        yield Row(node, sources, ports, first.reasons, first.unknown)
    if not alike and not node.open:
        yield Row(node, ("nobody",), "")


def _needs(facts: Facts) -> Needs:
    found: dict[tuple[str, str], str] = {}
    for edge in sorted(facts.graph.at_least(SURE), key=lambda edge: -edge.confidence):
        if isinstance(edge.source, Workload):
            found.setdefault((edge.source.name, edge.target.name), told(edge.told))
    return found


def _row(row: Row, needs: Needs) -> str:
    held = ", ".join(row.target.data).upper()
    cells = (
        f'<th scope="row">{text(row.target.name)} <b class="held">{text(held)}</b></th>',
        f"<td>{_sources(row, needs)}</td>",
        f"<td>{text(row.ports)}</td>",
        f"<td>{_list(_why(row))}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _sources(row: Row, needs: Needs) -> str:
    said = []
    for name in row.sources[:NAMED]:
        need = needs.get((name, row.target.name))
        hint = f' <span class="quiet">needs it: {text(need)}</span>' if need else ""
        said.append(f"{text(name)}{hint}")
    left = len(row.sources) - NAMED
    return _list([*said, *([f"and {left} more"] if left > 0 else [])])


def _why(row: Row) -> Iterator[str]:
    for reason in row.why:
        where = f"{reason['file']}:{reason['line']}" if reason["file"] else ""
        place = f"<br><code>{text(where)}</code>" if where else ""
        yield f"{text(reason['text'])}{place}"
    for doubt in row.unknown:
        yield f"not known: {text(doubt)}"


def _list(items: Iterable[str]) -> str:
    """The markup of one item as it is, of more as a list."""
    found: Sequence[str] = list(items)
    if len(found) < 2:
        return "".join(found)
    return f"<ul>{''.join(f'<li>{item}</li>' for item in found)}</ul>"
