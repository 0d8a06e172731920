"""Who holds what: the rights of one identity, by all bindings that are about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cache, cached_property

from auditor.facts.access.authorizer import Authorizer, Bound, defaults
from auditor.facts.access.rules import ALL, Rule, names_resource
from auditor.facts.access.subjects import MASTERS, Subject, account_named, subjects_of
from auditor.model import Key
from auditor.values import dataclass

ACCOUNTS = "system:serviceaccounts"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
EVERYTHING = Rule(*(frozenset((ALL,)) for _ in range(3)))
"""Every verb on every resource."""


@dataclass(frozen=True, slots=True)
class Held:
    """One rule that somebody holds."""

    rule: Rule
    space: str | None
    """The namespace that it holds in; None for the whole cluster."""
    bound: Bound | None = None
    """The binding that gives it; None where it was gained on the way."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An identity with all that it holds."""

    subject: Subject
    held: tuple[Held, ...]
    groups: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether there is nothing left to gain."""
        return MASTERS in self.groups or self.everything is not None

    @property
    def everything(self) -> Held | None:
        """What gives it every right on every resource of the cluster, as far as one rule does."""
        return next((one for one in self.held if one.space is None and _is_all(one.rule)), None)

    @property
    def spaces(self) -> tuple[str, ...]:
        """The namespaces in which it holds something of its own."""
        return tuple(dict.fromkeys(one.space for one in self.held if one.space is not None))

    def rules(self, space: str | None) -> list[Rule]:
        """What counts in a namespace; for None, in all of them."""
        return [one.rule for one in self.held if one.space is None or one.space == space]

    def giving(
        self, space: str | None, group: str, resource: str, *verbs: str
    ) -> Iterator[tuple[str, Held]]:
        """Each of these verbs that it holds on a resource (``pods/exec``) there, with what gives
        it, whichever objects that names.
        """
        for one in self.held:
            if one.space in (None, space) and names_resource(one.rule, group, resource):
                for verb in verbs:
                    if verb in one.rule.verbs or ALL in one.rule.verbs:
                        yield verb, one

    def has(self, space: str | None, group: str, resource: str, verb: str, name: str = "") -> bool:
        """Whether it holds the verb on an object of that name; without one, on any."""
        return any(
            not one.rule.names or name in one.rule.names
            for _, one in self.giving(space, group, resource, verb)
        )

    def plus(self, rules: Iterable[Rule], space: str | None) -> Holder:
        """The same one, with these rules in addition."""
        return replace(self, held=(*self.held, *(Held(rule, space) for rule in rules)))


def _is_all(rule: Rule) -> bool:
    return not rule.names and all(ALL in each for each in (rule.verbs, rule.groups, rule.resources))


def groups_of(subject: Subject, more: Iterable[str] = ()) -> frozenset[str]:
    """The groups that the API server adds for a subject, and `more` that somebody knows of."""
    if subject.kind == "Group":
        own = {subject.name}
    elif found := account_named(subject.name):
        own = {ACCOUNTS, f"{ACCOUNTS}:{found[0]}"}
    else:
        own = set()
    known = UNAUTHENTICATED if _is_nobody(subject) else AUTHENTICATED
    return frozenset((*own, *more, known))


def _is_nobody(subject: Subject) -> bool:
    return subject.name in (ANONYMOUS, UNAUTHENTICATED)


def said(subject: Subject) -> str:
    """``ServiceAccount shop/web``, ``Group ops``."""
    if subject.kind != "Group" and (found := account_named(subject.name)):
        return f"ServiceAccount {'/'.join(found)}"
    return f"{'Group' if subject.kind == 'Group' else 'User'} {subject.name}"


def key_of(subject: Subject) -> Subject:
    """The subject, the same however a binding names it."""
    if subject.kind == "Group":
        return subject
    return Subject("ServiceAccount" if account_named(subject.name) else "User", subject.name)


@cache
def by_default() -> frozenset[tuple[Key, Subject]]:
    """Whom the bindings name that an API server makes for itself."""
    return frozenset((one.ref.key, key_of(s)) for one in defaults() for s in subjects_of(one))


@dataclass
class Holders:
    """Everybody whom a binding names. Not frozen: it remembers what it has worked out."""

    authorizer: Authorizer
    _known: dict[tuple[Subject, frozenset[str]], Holder] = field(default_factory=dict)

    @cached_property
    def by_subject(self) -> Mapping[Subject, Sequence[Bound]]:
        """The bindings by whom they name."""
        found: dict[Subject, list[Bound]] = {}
        for each in self.authorizer.bound:
            for subject in dict.fromkeys(map(key_of, each.subjects)):
                found.setdefault(subject, []).append(each)
        return found

    @cached_property
    def named(self) -> tuple[Subject, ...]:
        """Whom a binding names that the API server does not make for itself."""
        own = by_default()
        return tuple(
            subject
            for subject, bound in self.by_subject.items()
            if any((each.binding.ref.key, subject) not in own for each in bound)
        )

    def of(self, subject: Subject, groups: Iterable[str] | None = None) -> Holder:
        """What a subject holds, by itself and as a member of `groups`: where None, of those that
        the API server adds.
        """
        who = key_of(subject)
        member = groups_of(who) if groups is None else frozenset(groups)
        if (who, member) not in self._known:
            self._known[who, member] = Holder(who, tuple(self._held(who, member)), member)
        return self._known[who, member]

    def _held(self, who: Subject, member: frozenset[str]) -> Iterator[Held]:
        seen: set[Key] = set()
        for subject in (who, *(Subject("Group", name) for name in sorted(member))):
            for each in self.by_subject.get(subject, ()):
                if each.binding.ref.key not in seen:
                    seen.add(each.binding.ref.key)
                    for rule in each.rules:
                        yield Held(rule, each.space, each)
