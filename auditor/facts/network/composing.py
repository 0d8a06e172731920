"""Makes one answer of several: of what each end says, and of what holds for each pair of pods."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.facts.network.answers import Reach, Rule
from auditor.facts.network.decisions import Side
from auditor.facts.network.ports import PROTOCOLS, PortSet
from auditor.facts.network.profiles import Profile
from auditor.facts.network.requests import Request, Ruling, Verdict
from auditor.facts.selectors import Truth


def composed(sides: tuple[Side, ...]) -> Reach:
    """What all sides allow together."""
    sure, possible = PortSet.ALL, PortSet.ALL
    for side in sides:
        sure, possible = sure.intersection(side.sure), possible.intersection(side.possible)
    reasons = dict.fromkeys(reason for side in sides for reason in side.reasons(possible))
    unknown = _unknown(sides, certain=sure == possible)
    assumed = sure & PortSet.union_of(side.assumed for side in sides)
    return Reach(sure, possible, tuple(reasons), unknown, assumed)


def _unknown(sides: Sequence[Side], *, certain: bool) -> tuple[str, ...]:
    """The doubts that matter: none where both bounds agree, except on whether policies hold."""
    telling = (side for side in sides if not certain or side.presumed)
    return tuple(dict.fromkeys(doubt for side in telling for doubt in side.unknown))


def connected(reach: Reach, request: Request, profile: Profile) -> Ruling:
    """What network policies say of a connection, by what they let through."""
    if request.protocol not in PROTOCOLS:
        return _without_ports(reach, request, profile)
    asked = (request.protocol, request.port)
    if reach.assumed.contains(*asked):
        return Ruling(Verdict.UNDEFINED, reach.reasons, reach.unknown)
    if reach.ports.contains(*asked):
        return Ruling(Verdict.ALLOWED, reach.reasons)
    if not reach.possible.contains(*asked):
        return Ruling(Verdict.DENIED, reach.reasons)
    return Ruling(Verdict.UNDEFINED, reach.reasons, reach.unknown)


def _without_ports(reach: Reach, request: Request, profile: Profile) -> Ruling:
    """What becomes of ICMP and the like: rules are about ports, and only where none stops anything
    is it certain.
    """
    passes = profile.other_protocols
    if reach.ports == PortSet.ALL and not reach.assumed:
        passes = Truth.YES
    if passes is not Truth.MAYBE:
        verdict = Verdict.ALLOWED if passes else Verdict.DENIED
        return Ruling(verdict, reach.reasons)
    why = f"what policies do to {request.protocol}, which has no ports, is not defined"
    return Ruling(Verdict.UNDEFINED, reach.reasons, (why, *reach.unknown))


def then(connected: Ruling, sent: Ruling) -> Ruling:
    """The ruling on a request that may be connected."""
    reasons = (*connected.reasons, *sent.reasons)
    if sent.verdict is Verdict.DENIED:
        return Ruling(Verdict.DENIED, sent.reasons)
    if Verdict.UNDEFINED in (connected.verdict, sent.verdict):
        return Ruling(Verdict.UNDEFINED, reasons, (*connected.unknown, *sent.unknown))
    return Ruling(Verdict.ALLOWED, reasons)


def together(answers: Sequence[Reach]) -> Reach:
    """What holds for every pair of pods, and what holds for some."""
    first = answers[0]
    if len(answers) == 1:
        return first
    sure, possible = first.ports, first.possible
    for answer in answers[1:]:
        sure, possible = sure.intersection(answer.ports), possible.union(answer.possible)
    unknown = [doubt for answer in answers for doubt in answer.unknown]
    if any(answer.ports != sure or answer.possible != possible for answer in answers):
        unknown.append("policies tell the pods apart by their addresses or labels of run time")
    reasons = dict.fromkeys(reason for answer in answers for reason in answer.reasons)
    assumed = sure & PortSet.union_of(answer.assumed for answer in answers)
    return Reach(sure, possible, tuple(reasons), tuple(dict.fromkeys(unknown)), assumed)


def merged(one: Rule, other: Rule) -> Rule:
    """The same rule for further pods."""
    return Rule(
        policy=one.policy,
        path=one.path,
        ports=one.ports.union(other.ports),
        whole=one.whole,
        sure=one.sure and other.sure,
    )
