"""What AuthorizationPolicies make of what a sidecar sees: CUSTOM, DENY, then ALLOW.

Source: https://istio.io/latest/docs/concepts/security/#implicit-enablement. A policy of which it
cannot be told whether it selects, and a rule of which it cannot be told whether it means the
request, leave the answer open only where they decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.network.answers import Reason
from auditor.facts.network.istio.conditions import Compiled, Dropped, Seen
from auditor.facts.network.istio.policies import Action, AuthorizationPolicy
from auditor.facts.network.requests import Ruling, Verdict
from auditor.facts.selectors import Truth
from auditor.values import dataclass

_MAY_HOLD = "it may hold a token, which may be refused"
_OPEN = Reason(None, (), "no ALLOW policy selects it")
_DOES = {"ALLOW": "admits it", "DENY": "denies it", "CUSTOM": "has it asked about"}


@dataclass(frozen=True, slots=True)
class Enforced:
    """A policy at one sidecar."""

    policy: AuthorizationPolicy
    selects: Truth
    rules: tuple[Compiled | Dropped, ...]


@dataclass(frozen=True, slots=True)
class _Stops:
    """What stops a request before any ALLOW is asked."""

    sure: tuple[Reason, ...]
    unsure: tuple[Reason, ...]
    unknown: tuple[str, ...]


def judged(enforced: Sequence[Enforced], seen: Seen, providers: frozenset[str]) -> Ruling:
    """The ruling on what a sidecar sees; `providers` are those that the mesh knows for CUSTOM."""
    stops = _stops(enforced, seen, providers)
    if stops.sure:
        return Ruling(Verdict.DENIED, stops.sure)
    admitted = _admitted([each for each in enforced if each.policy.action == "ALLOW"], seen)
    if admitted.verdict is Verdict.DENIED or not (stops.unsure or seen.token):
        return admitted
    token = (_MAY_HOLD,) if seen.token else ()
    unknown = (*stops.unknown, *token, *admitted.unknown)
    return Ruling(Verdict.UNDEFINED, (*stops.unsure, *admitted.reasons), unknown)


def _stops(enforced: Sequence[Enforced], seen: Seen, providers: frozenset[str]) -> _Stops:
    asked = {each.policy.provider for each in enforced if each.policy.action == "CUSTOM"}
    # Who is asked without being known, or beside another, lets nobody through.
    answers = len(asked) == 1 and asked <= providers
    sure: list[Reason] = []
    unsure: list[Reason] = []
    unknown: dict[str, None] = {}
    for each, reason, truth in _stopping(enforced, seen):
        answered = answers and each.policy.action == "CUSTOM"
        if truth is Truth.YES and not answered:
            sure.append(reason)
        else:
            unsure.append(reason)
            unknown[_doubt(each.policy, truth, answered=answered)] = None
    return _Stops(tuple(sure), tuple(unsure), tuple(unknown))


def _stopping(enforced: Sequence[Enforced], seen: Seen) -> Iterator[tuple[Enforced, Reason, Truth]]:
    actions: tuple[Action, ...] = ("CUSTOM", "DENY")
    for action in actions:
        for each in enforced:
            if each.policy.action == action:
                for reason, truth in _meaning(each, seen):
                    yield each, reason, min(each.selects, truth)


def _doubt(policy: AuthorizationPolicy, truth: Truth, *, answered: bool) -> str:
    if answered and truth is Truth.YES:
        return f"{policy.ref} asks the provider '{policy.provider}'"
    return f"it cannot be told whether {policy.ref} means the request"


def _meaning(each: Enforced, seen: Seen) -> Iterator[tuple[Reason, Truth]]:
    """The rules that mean `seen`, or may."""
    action = each.policy.action
    for rule in each.rules:
        if isinstance(rule, Compiled) and (truth := rule.truth(seen)) > Truth.NO:
            yield Reason(each.policy.ref, rule.path, f"{action} rule {_DOES[action]}"), truth


def _admitted(allowing: Sequence[Enforced], seen: Seen) -> Ruling:
    """What the ALLOW policies make of it: one rule of any is enough, once one policy selects."""
    if not allowing:
        return Ruling(Verdict.ALLOWED, (_OPEN,))
    found = [(each, tuple(_meaning(each, seen))) for each in allowing]
    best = [max((truth for _, truth in meaning), default=Truth.NO) for _, meaning in found]
    surely = max(min(truth, each.selects) for truth, each in zip(best, allowing, strict=True))
    certain = any(each.selects is Truth.YES for each in allowing)
    # Where each of them admits it, it matters not which of them select.
    if surely is Truth.YES or (not certain and min(best) is Truth.YES):
        reasons = [r for _, meaning in found for r, truth in meaning if truth is Truth.YES]
        return Ruling(Verdict.ALLOWED, tuple(reasons))
    if surely is Truth.NO and certain:
        return Ruling(Verdict.DENIED, tuple(_closing(allowing)))
    reasons = [reason for _, meaning in found for reason, _ in meaning]
    return Ruling(
        Verdict.UNDEFINED,
        tuple(reasons or _closing(allowing)),
        tuple(
            _undecided(each)
            for truth, each in zip(best, allowing, strict=True)
            if Truth.MAYBE in (truth, each.selects)
        ),
    )


def _undecided(each: Enforced) -> str:
    does = "selects the target" if each.selects is Truth.MAYBE else "admits the request"
    return f"it cannot be told whether {each.policy.ref} {does}"


def _closing(allowing: Sequence[Enforced]) -> Iterator[Reason]:
    """Why nothing is admitted: what selects, with the rules that were dropped."""
    for each in allowing:
        yield Reason(each.policy.ref, ("spec",), "no rule of this ALLOW policy admits it")
        for rule in each.rules:
            if isinstance(rule, Dropped):
                yield Reason(each.policy.ref, rule.path, f"the rule is left out: {rule.why}")


def agreed(found: Sequence[Ruling], doubts: tuple[str, ...]) -> Ruling:
    """The ruling on which all possibilities agree; `doubts` are why there are several."""
    if len(found) == 1:
        return found[0]
    verdicts = {ruling.verdict for ruling in found}
    reasons = tuple(dict.fromkeys(reason for ruling in found for reason in ruling.reasons))
    if len(verdicts) == 1 and Verdict.UNDEFINED not in verdicts:
        return Ruling(found[0].verdict, reasons)
    unknown = tuple(dict.fromkeys(doubt for ruling in found for doubt in ruling.unknown))
    if len(verdicts) > 1:
        unknown = (*doubts, *unknown)
    return Ruling(
        Verdict.UNDEFINED, reasons, unknown or ("versions or settings of the proxy differ",)
    )
