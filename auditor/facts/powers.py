"""What each role gives that is worth asking about, and to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from auditor.facts.access.authorizer import Bound, defaults
from auditor.facts.access.holders import key_of, said
from auditor.facts.access.powers import BY_GET, RBAC, gives_all, powers_of
from auditor.facts.access.rules import ALL, Rule, rules_of
from auditor.facts.access.usual import is_usual_role, usual_subjects
from auditor.facts.escalation.world import CREATE_ASKED
from auditor.facts.forms import as_object
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
NAMED = 2
"""How many subjects are named where more are counted."""


def role_powers(facts: Facts, role: Resource) -> Told | None:
    """The fact `role_powers` for policies, about a Role or ClusterRole: whether anybody is bound to
    it (``bound``), the ``holders`` and ``where`` in words, ``everywhere``, the ``bindings``;
    ``powers`` by name, each with its rule and the rights in words; ``everything``, the rule that
    gives all; ``wildcards``.

    None of what an API server makes for itself, and of what nobody is bound to and others are made
    of.
    """
    if is_usual_role(role):
        return None
    found = [(one, who) for one in _bound(facts, role) if (who := _others(one))]
    if _key(role) not in facts.rights.roles or (not found and _is_part(facts, role)):
        return None
    everywhere = any(one.space is None for one, _ in found)
    counted = [(one, who) for one, who in found if one.space is None or not everywhere]
    rules = facts.rights.roles[_key(role)].rules
    server = facts.snapshot.server
    old = server is None or server.version < CREATE_ASKED
    aggregated = bool(sequence(at(role.manifest, ("aggregationRule", "clusterRoleSelectors"))))
    own = () if aggregated else rules
    return {
        "bound": bool(found),
        "holders": _listed([name for _, who in counted for name in who])
        or "whoever is bound to it",
        "where": _where([one.space for one, _ in counted]),
        "everywhere": everywhere,
        "bindings": [_place(one) for one, _ in counted],
        "aggregated": aggregated,
        "powers": {
            name: told
            for name, told in powers_of(rules, everywhere=everywhere)
            if old or name != BY_GET
        },
        "everything": _first_to_give_all(own),
        "wildcards": [told for n, rule in enumerate(own) for told in _wild(n, rule)],
    }


def _is_part(facts: Facts, role: Resource) -> bool:
    """Whether others are made of it, who say what it gives to whom."""
    labels = texts(at(role.manifest, ("metadata", "labels")))
    return any(key.startswith(LABEL) for key in labels) or any(
        _selects(one, role, labels)
        for (kind, _, _), one in facts.rights.roles.items()
        if kind == "ClusterRole" and one.selectors
    )


def role_use(facts: Facts, role: Resource) -> Told | None:
    """The fact `role_use`, about a role: whether anybody is bound to it, or another role is made of
    it (``used``); and what it adds to those that are (``adds``): powers by the role of an API
    server that aggregates it, and which rule of it gives every right (``everything``).
    """
    if is_usual_role(role):
        return None
    labels = texts(at(role.manifest, ("metadata", "labels")))
    into = [name for name in ("view", "edit", "admin") if labels.get(LABEL + name) == "true"]
    rules = facts.rights.roles[_key(role)].rules if _key(role) in facts.rights.roles else ()
    adds = dict(powers_of(rules, everywhere=False)) if into else {}
    return {
        "used": bool(_bound(facts, role)) or _is_part(facts, role),
        "into": into,
        "adds": {name: adds[name] for name in adds if name not in _own(into[0])},
        "everything": _first_to_give_all(rules) if into else None,
        "selects_all": _selects_all(role),
    }


LABEL = f"{RBAC}/aggregate-to-"


@cache
def _own(role: str) -> frozenset[str]:
    """What view, edit or admin gives anyhow, as an API server makes it."""
    made = next(each for each in defaults() if each.ref.name == role)
    rules = rules_of(made.manifest["rules"])
    return frozenset(name for name, _ in powers_of(rules, everywhere=False))


def _first_to_give_all(rules: Sequence[Rule]) -> int | None:
    return next((number for number, rule in enumerate(rules) if gives_all(rule)), None)


def _selects(one: Any, role: Resource, labels: Mapping[str, str]) -> bool:
    from auditor.facts.selectors import matches

    mine = one.resource.ref.key == role.ref.key or role.ref.kind != "ClusterRole"
    return not mine and any(matches(selector, labels) for selector in one.selectors)


def _selects_all(role: Resource) -> int | None:
    """Which selector takes every ClusterRole there is."""
    selectors = sequence(at(role.manifest, ("aggregationRule", "clusterRoleSelectors")))
    for number, selector in enumerate(map(mapping, selectors)):
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            return number
    return None


def _key(role: Resource) -> tuple[str, str, str]:
    space = (role.ref.namespace or "default") if role.ref.kind == "Role" else ""
    return role.ref.kind, space, role.ref.name


def _bound(facts: Facts, role: Resource) -> Sequence[Bound]:
    return facts.bound_to.get(role.ref.key, ())


def _others(one: Bound) -> list[str]:
    """To whom a binding gives something that an API server does not give by itself."""
    usual = usual_subjects(one)
    return [said(each) for each in one.subjects if key_of(each) not in usual]


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    shown = ", ".join(unique[:NAMED])
    more = len(unique) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _where(spaces: Sequence[str | None]) -> str:
    if None in spaces:
        return "in every namespace"
    named = [space for space in dict.fromkeys(spaces) if space]
    return f"in {_listed(named)}" if named else ""


def _place(one: Bound) -> Told:
    who = _listed([said(each) for each in one.subjects])
    scope = "everywhere" if one.space is None else f"in {one.space}"
    return {
        "object": as_object(one.binding.ref),
        "path": ["roleRef"],
        "message": f"binds {who} {scope}",
    }


def _wild(number: int, rule: Rule) -> Iterator[Told]:
    """Each star of a rule that does not give all; of what names objects, only these."""
    if rule.names or not rule.resources or gives_all(rule):
        return
    what = [
        word
        for word, values in (
            ("verb", rule.verbs),
            ("API group", rule.groups),
            ("resource", rule.resources),
        )
        if ALL in values
    ]
    if what:
        told = " and ".join(f"every {word}" for word in what)
        yield {"rule": number, "told": told, "only_verbs": what == ["verb"]}
