"""Which kinds of objects a fact needs, found out by leaving each of them away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.facts import FACTS, Facts
from auditor.model import Ref, Resource, Settings, Snapshot


def moving(fact: str, world: Iterable[Resource]) -> set[str]:
    """The kinds without whose objects the fact says something else of one that is left, or has
    another gap.
    """
    objects = tuple(world)
    whole = Facts(Snapshot(objects), Settings())
    answers = {one.ref: whole.about(one, (fact,)) for one in objects}
    found = set()
    for kind in {one.ref.kind for one in objects}:
        rest = tuple(one for one in objects if one.ref.kind != kind)
        blind = Facts(Snapshot(rest), Settings())
        changed = any(answers[one.ref] != blind.about(one, (fact,)) for one in rest)
        if changed or whole.gaps != blind.gaps or _matters_to_its_own(fact, objects, kind, answers):
            found.add(kind)
    return found


def _matters_to_its_own(
    fact: str, objects: tuple[Resource, ...], kind: str, answers: dict[Ref, Any]
) -> bool:
    """Whether something else is said of an object of the kind where all others of it are gone."""
    for one in objects:
        if one.ref.kind == kind and answers[one.ref]:
            alone = (other for other in objects if other.ref.kind != kind or other is one)
            if Facts(Snapshot(tuple(alone)), Settings()).about(one, (fact,)) != answers[one.ref]:
                return True
    return False


def unmet(fact: str, world: Iterable[Resource]) -> tuple[set[str], set[str]]:
    """What the fact says that it needs, to no effect; and what has an effect unsaid."""
    needs, does = set(FACTS[fact].needs), moving(fact, world)
    return needs - does, does - needs
