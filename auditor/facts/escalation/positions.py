"""What somebody may come to hold, and what leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from auditor.facts.access.authorizer import Bound
from auditor.facts.access.holders import ANONYMOUS, Holder
from auditor.model import Path, Ref
from auditor.values import dataclass

Kind = Literal[
    "rights", "role", "account", "user", "group", "workload", "pods", "node", "secrets",
    "certificates", "requests", "seen-requests", "pod-security",
]  # fmt: skip


NODE_USER = "system:node:"


@dataclass(frozen=True, slots=True)
class Place:
    """Something to hold: an identity, rights, pods, nodes. Without a name, all of its kind."""

    kind: Kind
    space: str | None = None
    """The namespace; None for the whole cluster."""
    name: str = ""
    of: str = ""
    """Of a role, whose rights it is added to; of users, the mode of impersonation that is meant."""

    def covers(self, other: Place) -> bool:
        """Whether whoever holds this one holds the other."""
        if self.space not in (None, other.space):
            return False
        if self.kind == "rights" and other.kind == "role":
            return True
        if self.kind != other.kind:
            return False
        if self.kind == "user":
            return _is_user(self, other)
        domain = self.kind == "certificates" and self.name.endswith("/*")
        inside = domain and other.name.startswith(self.name[:-1])
        return inside or self.name in ("", other.name)

    def __str__(self) -> str:
        return _WORDS[self.kind](self)


def _is_user(mine: Place, other: Place) -> bool:
    """Nobody can act as anonymous; nodes are of one mode, and all others of the other."""
    node = other.name.startswith(NODE_USER)
    if (
        other.of
        or other.name == ANONYMOUS
        or (mine.of and node is not (mine.of == "arbitrary-node"))
    ):
        return False
    return mine.name in ("", other.name)


def _one_or_all(place: Place, one: str, all_of_them: str) -> str:
    if not place.name:
        return f"{all_of_them}{_where(place)}"
    space = f"{place.space}/" if place.space else ""
    return f"{one} {space}{place.name}"


def _where(place: Place) -> str:
    return f" of {place.space}" if place.space else ""


_WORDS: Mapping[Kind, Callable[[Place], str]] = {
    "rights": lambda it: (
        f"every right in {it.space}" if it.space else "every right (cluster-admin)"
    ),
    "role": lambda it: (
        f"the rights of {it.name}" + (f" in {it.space}" if it.space else "")
        if it.name
        else f"the rights of any Role{_where(it)}"
    ),
    "account": lambda it: _one_or_all(it, "ServiceAccount", "every service account"),
    "user": lambda it: _one_or_all(it, "User", "every user"),
    "group": lambda it: _one_or_all(it, "Group", "every group"),
    "workload": lambda it: it.name,
    "pods": lambda it: _one_or_all(it, "pod", "every pod"),
    "node": lambda it: "every node" if not it.name else f"node {it.name}",
    "secrets": lambda it: _one_or_all(it, "Secret", "every Secret"),
    "certificates": lambda it: f"certificates of {it.name}" if it.name else "every certificate",
    "requests": lambda it: "whatever others write (rewrites it)",  # noqa: ARG005
    "seen-requests": lambda it: "whatever others write (reads it)",  # noqa: ARG005
    "pod-security": lambda it: f"Pod Security{_where(it)}",
}
CLUSTER = Place("rights")
"""Everything: what cluster-admin holds."""


@dataclass(frozen=True, slots=True)
class Right:
    """A right that a step asks for, and what gives it."""

    verbs: tuple[str, ...]
    """Those of the ones that would do that are held."""
    group: str
    resource: str
    """``pods/exec``."""
    bound: Bound | None = None
    """The binding; None where the right was gained on the way."""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{'/'.join(self.verbs)} {self.resource}{group}"


@dataclass(frozen=True, slots=True)
class Step:
    """From what somebody holds to what they come to hold."""

    by: str
    """The technique: ``token``, ``exec``, ``bind`` ..."""
    target: Place
    told: str
    """What is done, in words."""
    rights: tuple[Right, ...] = ()
    """All that it takes."""
    others: tuple[Right, ...] = ()
    """What would do as well as the last of these."""
    limited: bool = False
    """Whether nothing more is known to follow: it is gained for few requests, or by others."""
    extended: Holder | None = None
    """Of a role that is gained, the one who holds it then."""
    ref: Ref | None = None
    """Where no right is needed, what makes it possible."""
    path: Path = ()
    assumed: bool = False
    """Whether it rests on what an API server makes for itself and was not read anywhere."""


def over(
    holder: Holder, space: str | None, group: str, resource: str, *verbs: str
) -> Iterator[tuple[str, Right]]:
    """By the name of an object, empty for whichever, the right to do any of these to it."""
    found: dict[str, dict[str, Bound | None]] = {}
    for verb, held in holder.giving(space, group, resource, *verbs):
        for name in held.rule.names or ("",):
            found.setdefault(name, {}).setdefault(verb, held.bound)
    anywhere = found.get("", {})
    for name in sorted(found):
        by = found[name]
        if not name or by.keys() - anywhere.keys():
            yield name, Right(tuple(by), group, resource, next(filter(None, by.values()), None))


def anyhow(
    holder: Holder, space: str | None, group: str, resource: str, *verbs: str
) -> Right | None:
    """The right to do any of these to objects that no rule has to name, as when they are made."""
    return next(
        (right for name, right in over(holder, space, group, resource, *verbs) if not name), None
    )


def somehow(
    holder: Holder, space: str | None, group: str, resource: str, *verbs: str
) -> Right | None:
    """The same, be it to objects of certain names alone."""
    return next((right for _, right in over(holder, space, group, resource, *verbs)), None)
