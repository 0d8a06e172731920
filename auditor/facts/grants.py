"""What each binding gives to whom, and whether both are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.access.holders import ACCOUNTS as EVERY_ACCOUNT
from auditor.facts.access.holders import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, key_of, said
from auditor.facts.access.powers import gives_all, powers_of
from auditor.facts.access.rules import Rule
from auditor.facts.access.subjects import MASTERS, Subject, account_named
from auditor.facts.access.usual import is_usual, usual_subjects
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]


def grant(facts: Facts, binding: Resource) -> Told | None:
    """The fact `grant` for policies, about a binding: ``everywhere``, ``everything`` where it gives
    all, the ``powers`` that it gives by name, whether it gives no more than everybody has
    (``usual``), and its ``subjects`` with what each is (``anonymous``, ``everybody``,
    ``accounts``, ``masters``, ``default`` or ``""``).

    None of what an API server makes for itself.
    """
    one = facts.bindings.get(binding.ref.key)
    if one is None or is_usual(one):
        return None
    usual = usual_subjects(one)
    powers = [name for name, _ in powers_of(one.rules, everywhere=one.space is None)]
    return {
        "everywhere": one.space is None,
        "where": "in every namespace" if one.space is None else f"in {one.space}",
        "role": _role(binding),
        "everything": any(map(gives_all, one.rules)),
        "powers": powers,
        "usual": not one.rules or all(map(_is_usual, one.rules)),
        "subjects": [
            {"index": number, "who": said(subject), "is": _class(subject, bool(powers))}
            for number, subject in enumerate(one.subjects)
            if key_of(subject) not in usual
        ],
    }


def ends(facts: Facts, binding: Resource) -> Told | None:
    """The fact `binding_ends`: whether its role is missing (``role``), and which service accounts
    among its subjects are (``accounts``). In files, what stands elsewhere is not missed: a role
    where there is none at all of its kind, an account where its namespace has none.
    """
    one = facts.bindings.get(binding.ref.key)
    if one is None or is_usual(one):
        return None
    missing = _role(binding) if one.role is None and _looked_for_role(facts, binding) else ""
    accounts = [
        {"index": number, "who": said(subject)}
        for number, subject in enumerate(one.subjects)
        if _is_missing(facts, subject)
    ]
    return {"role": missing, "accounts": accounts} if missing or accounts else None


def _role(binding: Resource) -> str:
    reference = binding.manifest["roleRef"]
    return f"{reference['kind']} {reference['name']}"


def _looked_for_role(facts: Facts, binding: Resource) -> bool:
    if facts.snapshot.server is not None:
        return True
    kind = binding.manifest["roleRef"]["kind"]
    return any(facts.snapshot.of_kind(kind))


def _is_missing(facts: Facts, subject: Subject) -> bool:
    if subject.kind != "ServiceAccount":
        return False
    home, name = account_named(subject.name) or ("", "")
    there = facts.account_names.get(home)
    if name == "default" or (there is None and facts.snapshot.server is None):
        return False
    return name not in (there or ())


def _class(subject: Subject, is_grave: bool) -> str:
    """What a subject is. The accounts of one namespace are often meant, as to see or to pull; with
    more than that, each pod that names no account has it.
    """
    if subject.name in (ANONYMOUS, UNAUTHENTICATED):
        return "anonymous"
    if subject.kind == "Group":
        of_one = is_grave and subject.name.startswith(f"{EVERY_ACCOUNT}:")
        return _GROUPS.get(subject.name.removesuffix(":"), "default" if of_one else "")
    _, name = account_named(subject.name) or ("", "")
    return "default" if name == "default" else ""


_GROUPS = {AUTHENTICATED: "everybody", EVERY_ACCOUNT: "accounts", MASTERS: "masters"}


def _is_usual(rule: Rule) -> bool:
    """Whether a rule gives no more than what everybody may anyhow: to ask about oneself, what the
    API server offers, and whether it is well.
    """
    if rule.paths:
        return all(path.startswith(_OPEN) for path in rule.paths)
    return bool(rule.groups) and rule.groups <= _OWN_REVIEWS and bool(rule.resources) and all(
        resource.startswith("selfsubject") for resource in rule.resources
    )  # fmt: skip


_OPEN = ("/healthz", "/livez", "/readyz", "/version", "/api", "/openapi", "/.well-known")
_OWN_REVIEWS = frozenset(("authorization.k8s.io", "authentication.k8s.io"))
