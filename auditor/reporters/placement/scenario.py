"""What a drain, a loss or an update makes of a cluster: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts.forms import as_object
from auditor.facts.inventory import words as declared
from auditor.facts.scenarios.outcome import Effect, Outcome
from auditor.model import Gap, Resource
from auditor.reporters.gaps import gap_documents
from auditor.reporters.terminal import Terminal
from auditor.text import escaped

FORMAT = "auditor-placement-scenario/1"


def document(
    outcome: Outcome, told_of: Sequence[Effect], doubts: Sequence[str], gaps: Iterable[Gap]
) -> dict[str, Any]:
    """For programs. `told_of`: the workloads within the scope."""
    cluster = outcome.cluster
    return {
        "format": FORMAT,
        "action": told(outcome.action),
        "result": outcome.result,
        "words": told(outcome.words),
        "ends": list(outcome.ends),
        "stuck": outcome.result in ("stuck", "blocked"),
        "blockedOn": list(map(told, outcome.blocked_on)),
        "flags": list(outcome.flags),
        "pods": "read" if cluster.live else "simulated",
        "seed": None if cluster.live else cluster.seed,
        "nodes": declared(cluster.facts.snapshot) or "read",
        "workloads": [_effect(each) for each in told_of],
        "servicesWithoutEndpoint": [
            {**_object(each.service), "forGood": each.for_good} for each in outcome.silent
        ],
        "personalDataAffected": [each.group.name for each in told_of if each.personal],
        **outcome.extra,
        "notProvable": list(map(told, doubts)),
        "gaps": gap_documents(gaps),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    group = effect.group
    return {
        "object": as_object(group.ref),
        "before": effect.before,
        "lowestAvailable": effect.lowest,
        "after": effect.after,
        "pending": [{"pods": count, "why": told(why)} for count, why in effect.waiting],
        "notes": list(effect.notes),
        "personalData": list(group.data),
    }


def _object(resource: Resource) -> dict[str, Any]:
    spot = resource.origin.spot(())
    return {"object": as_object(resource.ref), "file": spot.uri, "line": spot.span.line}


def text(
    outcome: Outcome, told_of: Sequence[Effect], doubts: Sequence[str], terminal: Terminal
) -> Iterator[str]:
    """For people: the verdict first, then who is how far down, then what has to be known."""
    yield terminal.paint("bad" if outcome.harmful else "good", _clean(outcome.words))
    lines = [*_head(outcome), *_services(outcome), *_personal(told_of)]
    yield from (terminal.wrapped(line, 2, 0) for line in lines)
    if told_of:
        yield ""
        yield from _table(told_of, terminal)
    known = " ".join(outcome.blocked_on)
    pending = [line for each in told_of for line in _pending(each, known)]
    if pending:
        yield ""
        yield from (terminal.wrapped(line, 2, 0) for line in pending)
    if doubts:
        yield ""
        yield from (terminal.wrapped(f"not provable: {_clean(each)}", 2, 0) for each in doubts)


def _head(outcome: Outcome) -> Iterator[str]:
    if not outcome.cluster.live and outcome.cluster.nodes:
        seed = outcome.cluster.seed
        yield f"pods stand where the simulated scheduler puts them (seed {seed}): none is running"
    if nodes := declared(outcome.cluster.facts.snapshot):
        yield _clean(nodes)
    for reason in outcome.blocked_on:
        yield f"blocked on {_clean(reason)}"
    if outcome.flags:
        yield f"kubectl drain asks for {' '.join(outcome.flags)}"


def _services(outcome: Outcome) -> Iterator[str]:
    for each in outcome.silent:
        ref = each.service.ref
        how = "and stays so" if each.for_good else "for a time"
        yield f"Service {_clean(f'{ref.namespace}/{ref.name}')} has no endpoint, {how}"


def _personal(told_of: Sequence[Effect]) -> Iterator[str]:
    for each in told_of:
        if not each.personal:
            continue
        data = ", ".join(each.group.data).upper()
        yield (
            f"personal data: {_clean(each.group.name)} holds {_clean(data)} and goes down to "
            f"{each.lowest} of {each.before}"
        )


HEADS = ("workload", "before", "lowest", "after")


def _table(effects: Sequence[Effect], terminal: Terminal) -> Iterator[str]:
    rows = [(_clean(e.group.name), str(e.before), str(e.lowest), str(e.after)) for e in effects]
    wide = max(len(HEADS[0]), *(len(name) for name, *_ in rows))
    wide = min(wide, max(terminal.width - 24, 12))
    yield terminal.paint("dim", _row(HEADS, wide))
    for effect, row in zip(effects, rows, strict=True):
        line = _row(row, wide)
        yield terminal.paint("bad", line) if effect.harmed else line


def _row(cells: Sequence[str], wide: int) -> str:
    name, *numbers = cells
    return f"{_cut(name, wide):<{wide}}" + "".join(f"{number:>8}" for number in numbers)


def _cut(name: str, wide: int) -> str:
    return name if len(name) <= wide else f"{name[: wide - 1]}…"


def _pending(effect: Effect, known: str) -> Iterator[str]:
    """Who waits, but for a reason that is told already."""
    name = _clean(effect.group.name)
    for count, why in effect.waiting:
        if why in known:
            continue
        pods = f"{count} pod{'' if count == 1 else 's'}"
        yield f"{name}: {pods} Pending: {_clean(why)}"
    for note in effect.notes:
        yield f"{name}: {note}"


def _clean(text: str) -> str:
    """What of others' text may be shown on a terminal."""
    return escaped(told(text))
