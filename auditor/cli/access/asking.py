"""What the verbs of `auditor access` share: whom a name means, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.cli.network.reading import Reading, State
    from auditor.facts.access.subjects import Subject
    from auditor.model import Gap

KINDS = ("ServiceAccount", "User", "Group")


def subject_of(name: str) -> Subject:
    """Whom somebody means: ``ServiceAccount shop/web``, ``User ann``, ``Group ops``, ``shop/web``
    (a service account) or the name in requests.

    Raises:
        UsageError: a service account without its namespace, or a kind that is none.
    """
    from auditor.errors import UsageError
    from auditor.facts.access.holders import key_of
    from auditor.facts.access.subjects import Subject, account

    kind = next((kind for kind in KINDS if name.startswith((f"{kind} ", f"{kind}/"))), "")
    short = name[len(kind) + 1 :] if kind else name
    if not kind and " " in name:
        raise UsageError(f"'{name}': a subject is called {', '.join(KINDS)}, and its name")
    if kind in ("User", "Group"):
        return Subject(kind, short)
    if kind or ("/" in short and ":" not in short):
        home, _, own = short.partition("/")
        if not own:
            raise UsageError(f"'{name}': a service account is named by NAMESPACE/NAME")
        return Subject("ServiceAccount", account(home, own))
    return key_of(Subject("User", short))


def blind(states: Iterable[State]) -> Iterator[Gap]:
    """What keeps an answer about rights from being whole."""
    from auditor.facts.access.authorizer import KINDS as RIGHTS
    from auditor.model import Gap, Unseen

    for state in states:
        server = state.snapshot.server
        if server is not None and not server.kinds.issuperset(RIGHTS):
            why = "roles and bindings were not read from this cluster"
            yield Gap("who may do what", why, Unseen.INCOMPLETE, RIGHTS)
        elif server is None and not any(state.snapshot.of_kind(*RIGHTS)):
            why = "there is no role or binding among the files; only defaults are taken for granted"
            yield Gap("who may do what", why, Unseen.UNKNOWN)


def say_blind(reading: Reading) -> tuple[int, list[dict[str, Any]]]:
    """Say it on standard error; 4 where something was to be read and was not, else 0; and all gaps
    for programs.
    """
    from auditor.cli.network.reading import unseen
    from auditor.cli.screen import say
    from auditor.reporters.gaps import gap_documents

    gaps = tuple(dict.fromkeys(blind(reading.states)))
    for line in unseen((*reading.gaps, *gaps)):
        say(line, err=True)
    code = 4 if any(gap.kinds for gap in gaps) else reading.code
    return code, gap_documents((*reading.gaps, *gaps))


def say_unknown(who: Subject, states: Sequence[State]) -> None:
    """Whoever mistypes a name is not to read that this one may do nothing."""
    from difflib import get_close_matches

    from auditor.cli.screen import say
    from auditor.facts.access.holders import said

    known = {one.name: said(one) for state in states for one in _known(state, who.kind)}
    # The account 'default' is made with its namespace.
    if who.name in known or who.name.endswith(":default"):
        return
    near = next((known[name] for name in get_close_matches(who.name, known, n=1, cutoff=0.8)), "")
    if near or who.kind == "ServiceAccount":  # a user is nowhere but in bindings
        meant = f"; did you mean '{near}'?" if near else ""
        say(f"no binding names {said(who)}, and no such object is there{meant}", err=True)


def _known(state: State, kind: str) -> Iterator[Subject]:
    """Those of this kind that bindings name, and the accounts that are there."""
    from auditor.facts.access import Authorizer
    from auditor.facts.access.holders import key_of
    from auditor.facts.access.subjects import Subject, account

    for bound in Authorizer.of(state.snapshot, assume_defaults=False).bound:
        yield from (key_of(one) for one in bound.subjects if key_of(one).kind == kind)
    if kind == "ServiceAccount":
        for one in state.snapshot.of_kind("ServiceAccount"):
            yield Subject(kind, account(one.ref.namespace, one.ref.name))
