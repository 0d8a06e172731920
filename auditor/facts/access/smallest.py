"""The fewest rights that allow some requests: no verb, resource or name that none of them has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.facts.access.requests import Request
from auditor.facts.access.rules import Rule


def smallest(requests: Iterable[Request]) -> Mapping[str | None, tuple[Rule, ...]]:
    """By the namespace where they have to hold, the rules; None for those of the whole cluster.

    An object is named where every request for such objects names one.
    """
    asked = tuple(dict.fromkeys(requests))
    wide = rules_for(r for r in asked if not r.namespace or r.path is not None)
    spaces: dict[str, list[Request]] = {}
    for request in asked:
        inside = request.namespace and request.path is None
        if inside and not any(rule.allows(request) for rule in wide):
            spaces.setdefault(request.namespace, []).append(request)
    found: dict[str | None, tuple[Rule, ...]] = {None: wide} if wide else {}
    return {**found, **{space: rules_for(spaces[space]) for space in sorted(spaces)}}


def rules_for(requests: Iterable[Request]) -> tuple[Rule, ...]:
    """The rules that allow these requests in the one place where they are asked."""
    names: dict[tuple[str, str, str], set[str]] = {}
    paths: dict[str, set[str]] = {}
    for request in requests:
        if request.path is not None:
            paths.setdefault(request.path, set()).add(request.verb)
        else:
            key = (request.group, request.combined, request.verb)
            names.setdefault(key, set()).add(request.name)
    return (*_of_resources(names), *_of_paths(paths))


def _of_resources(names: Mapping[tuple[str, str, str], set[str]]) -> list[Rule]:
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for (group, resource, verb), found in names.items():
        limited = () if "" in found else tuple(sorted(found))
        verbs.setdefault((group, resource, limited), set()).add(verb)
    alike: dict[tuple[str, tuple[str, ...], frozenset[str]], set[str]] = {}
    for (group, resource, limited), asked in verbs.items():
        alike.setdefault((group, limited, frozenset(asked)), set()).add(resource)
    return [
        Rule(asked, frozenset((group,)), frozenset(resources), frozenset(limited))
        for (group, limited, asked), resources in sorted(alike.items(), key=_order)
    ]


def _of_paths(paths: Mapping[str, set[str]]) -> list[Rule]:
    alike: dict[frozenset[str], set[str]] = {}
    for path, verbs in paths.items():
        alike.setdefault(frozenset(verbs), set()).add(path)
    return [
        Rule(verbs, paths=frozenset(found))
        for verbs, found in sorted(alike.items(), key=lambda one: sorted(one[1]))
    ]


def _order(
    one: tuple[tuple[str, tuple[str, ...], frozenset[str]], set[str]],
) -> tuple[str, list[str], tuple[str, ...], list[str]]:
    (group, limited, verbs), resources = one
    return group, sorted(resources), limited, sorted(verbs)
