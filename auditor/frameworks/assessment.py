"""What an audit is evidence of, control by control.

Nothing is passed for want of looking: where a policy of a control could not be asked, had nothing
to judge, or may have missed what could not be read, the control is not assessed, and says why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from auditor.facts import FACTS
from auditor.facts.custom import concerns, role_of
from auditor.frameworks.catalogue import NODE, Control, Framework, looking_at
from auditor.manifests import at, mapping, sequence
from auditor.model import About, Audit, Finding, Gap, Policy, Resource, Settings, Status, Unseen
from auditor.policies.parameters import given
from auditor.policies.waivers import like
from auditor.scope.territory import Territory
from auditor.values import Word, dataclass

_OF_OTHERS = frozenset((About.CONTROL, About.DECLARATION, About.MARK))
"""What a gap is about for which no object was judged less."""


CONFIGURES = {
    "kubelet": ("kubelet", re.compile(r"^kind: *KubeletConfiguration\b", re.MULTILINE)),
    "config.conf": ("kube-proxy", re.compile(r"^kind: *KubeProxyConfiguration\b", re.MULTILINE)),
}
"""Key of a ConfigMap of kubeadm → the program that reads what stands there, and its form."""


class ControlStatus(Word):
    """What became of a control."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    MANUAL = "manual"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class Look:
    """One policy that looks at a control."""

    policy: Policy
    asked: bool
    objects: int
    """How many it judged; those that it failed on are among the gaps."""
    findings: tuple[Finding, ...]
    """Those that the control is about."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A control, and the evidence."""

    framework: Framework
    name: str
    control: Control
    status: ControlStatus
    why: tuple[str, ...] = ()
    """Why it is not assessed, waived or left to a person; of a failed one, what else was not seen.
    """
    partly: tuple[str, ...] = ()
    """Which part of it was looked at, where that is not all."""
    looks: tuple[Look, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """Those that stand in its way, acknowledged or not."""
    places: tuple[Resource, ...] = ()
    """Objects that a person has to look at."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that its policies found."""
        return tuple(finding for look in self.looks for finding in look.findings)


@dataclass(frozen=True, slots=True)
class Terms:
    """By what an audit was made."""

    known: tuple[Policy, ...]
    """All policies that there are, asked or not."""
    settings: Settings
    strict: bool = False
    """Whether gaps of severity 'unknown' stand in the way as incomplete ones do."""


def assess(audit: Audit, framework: Framework, terms: Terms) -> tuple[Assessed, ...]:
    """Every control that the framework has for the version that was judged for."""
    judge = _Judge(audit, framework, terms)
    return tuple(judge.assessed(*one) for one in framework.at(audit.kubernetes).items())


@dataclass(frozen=True)
class _Judge:
    audit: Audit
    framework: Framework
    terms: Terms

    @cached_property
    def roles(self) -> Counter[str]:
        """How many objects of each role there are within the scope."""
        territory = Territory(self.audit.snapshot, self.audit.scope)
        return Counter(map(role_of, territory.resources))

    @cached_property
    def found(self) -> Mapping[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.audit.findings:
            found.setdefault(finding.policy.id, []).append(finding)
        return found

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Those that may stand in the way of something."""
        return tuple(gap for gap in self.audit.gaps if gap.about not in _OF_OTHERS)

    def assessed(self, name: str, control: Control) -> Assessed:
        policies = looking_at(self.framework, name, self.terms.known)
        looks = tuple(self._look(policy, control) for policy in policies)
        unknown = control.flags_of and not self._pods_of(control.flags_of)
        if not looks or (unknown and not any(look.findings for look in looks)):
            return self._unlooked(name, control)
        gaps = self._gaps(policies)
        status, why = self._verdict(control, looks, gaps)
        partly = tuple(self._partly(control, status))
        return Assessed(self.framework, name, control, status, why, partly, looks, gaps)

    def _unlooked(self, name: str, control: Control) -> Assessed:
        """A control that no policy looks at."""
        places = self._pods_of(control.flags_of)
        if control.manual or places:
            said = control.manual or f"see the flags of {control.flags_of}"
            status = ControlStatus.MANUAL
        else:
            missing = f"not there: {', '.join(control.anchors)}" if control.policies else NODE
            said, status = control.unseen or missing, ControlStatus.NOT_ASSESSED
        return Assessed(self.framework, name, control, status, (said,), places=places)

    @cached_property
    def _components(self) -> Mapping[str, tuple[Resource, ...]]:
        """Component of the cluster → its pods, DaemonSets that make some, and ConfigMaps that it
        is configured by.
        """
        found: dict[str, tuple[Resource, ...]] = {}
        for resource in self.audit.snapshot.of_kind("Pod", "DaemonSet", "ConfigMap"):
            for program in _programs(resource):
                found[program] = (*found.get(program, ()), resource)
        return found

    def _pods_of(self, component: str) -> tuple[Resource, ...]:
        return self._components.get(component, ())

    def _look(self, policy: Policy, control: Control) -> Look:
        names = [name for name in policy.names if name in control.anchors]
        meant = control.anchors[names[0]] if names else ("*",)
        told = self.found.get(policy.id, ())
        found = [f for f in told if any(one == "*" or like(f.anchor, one) for one in meant)]
        asked = any(one.id == policy.id for one in self.audit.policies)
        objects = sum(n for role, n in self.roles.items() if concerns(policy, role))
        if control.flags_of:
            roles = map(role_of, self._pods_of(control.flags_of))
            objects = sum(concerns(policy, role) for role in roles)
        return Look(policy, asked, objects if asked else 0, tuple(found))

    @cached_property
    def _hindering(self) -> dict[str, frozenset[int]]:
        """Policy → which of the gaps hinder it, as far as that was asked: many controls ask."""
        return {}

    def _gaps(self, policies: Sequence[Policy]) -> tuple[Gap, ...]:
        for one in policies:
            if one.id not in self._hindering:
                numbers = (n for n, gap in enumerate(self.gaps) if self._hinders(gap, one))
                self._hindering[one.id] = frozenset(numbers)
        found = frozenset().union(*(self._hindering[one.id] for one in policies))
        return tuple(self.gaps[number] for number in sorted(found))

    def _hinders(self, gap: Gap, policy: Policy) -> bool:
        """Whether the policy may have missed something because of it."""
        if gap.about is About.POLICY:
            return gap.policy == policy.id
        if gap.kinds:
            needed = {kind for fact in policy.facts for kind in FACTS[fact].needs}
            return "*" in gap.kinds or not {*policy.kinds, *needed}.isdisjoint(gap.kinds)
        if gap.severity is not Unseen.INCOMPLETE and not self.terms.strict:
            return False
        resource = self.audit.snapshot.find(gap.ref) if gap.ref else None
        return resource is None or concerns(policy, role_of(resource))

    def _verdict(
        self, control: Control, looks: Sequence[Look], gaps: Sequence[Gap]
    ) -> tuple[ControlStatus, tuple[str, ...]]:
        findings = [finding for look in looks for finding in look.findings]
        missed = (*self._missed(control, looks), *_told(g for g in gaps if not g.acknowledged))
        if not all(answered(finding) for finding in findings):
            return ControlStatus.FAILED, missed
        if missed:
            return ControlStatus.NOT_ASSESSED, missed
        answers = dict.fromkeys(
            [*map(_answer, findings), *(f"{g.what}: {g.acknowledged}" for g in gaps)]
        )
        if answers:
            return ControlStatus.WAIVED, tuple(answers)
        return ControlStatus.PASSED, ()

    def _missed(self, control: Control, looks: Sequence[Look]) -> Iterator[str]:
        """Why the policies did not look at all of it, apart from gaps."""
        if control.personal_data and self._nothing_is_classified:
            yield "nothing is declared to hold personal data; `auditor classify` proposes what does"
        unasked = [look.policy.id for look in looks if not look.asked and not self._gaps_of(look)]
        if unasked:
            yield f"not asked: {', '.join(unasked)}"
        for look in looks:
            yield from self._without_terms(look.policy)
        idle = [look.policy for look in looks if look.asked and not look.objects]
        if idle and (self.audit.snapshot.server is None or len(idle) == len(looks)):
            kinds = dict.fromkeys(_kinds(policy) for policy in idle)
            yield f"nothing to judge: no {', no '.join(kinds)} was read"

    def _without_terms(self, policy: Policy) -> Iterator[str]:
        """Why a policy has nothing to say, whatever it looks at: it waits for what nobody said."""
        values = given(policy, self.terms.settings)
        if values and not any(values.values()):
            yield f"{policy.id} says nothing until its parameters are declared: {', '.join(values)}"
        enforcer = self.audit.enforcer
        if "enforcement" in policy.facts and enforcer and enforcer.how in {"assumed", "unknown"}:
            yield "what enforces network policies is neither stated nor found: say it with --cni"

    def _gaps_of(self, look: Look) -> tuple[Gap, ...]:
        return tuple(gap for gap in self.gaps if gap.policy == look.policy.id and not gap.ref)

    @property
    def _nothing_is_classified(self) -> bool:
        return len(self.audit.unclassified) == len(self.audit.workloads)

    def _partly(self, control: Control, status: ControlStatus) -> Iterator[str]:
        if control.partly:
            yield control.partly
        silent, all_of_them = len(self.audit.unclassified), len(self.audit.workloads)
        if control.personal_data and silent and status is not ControlStatus.NOT_ASSESSED:
            yield f"of {silent} of {all_of_them} workloads nothing says what data they hold"


def answered(finding: Finding) -> bool:
    """Whether somebody answers for it, or a part of the cluster cannot be without what it tells."""
    return finding.status in {Status.WAIVED, Status.PLATFORM}


def _told(gaps: Iterable[Gap]) -> Iterator[str]:
    yield from (f"{gap.what}: {gap.why.removeprefix('not assessed: ')}" for gap in gaps)


def _answer(finding: Finding) -> str:
    """Who answers for a finding, and in which words."""
    return finding.reason or finding.status.value


def _kinds(policy: Policy) -> str:
    """What it judges, in a few words."""
    if "Pod" in policy.kinds:
        return "workload"
    return " or ".join(policy.kinds[:3])


def _programs(resource: Resource) -> set[str]:
    """The programs that its containers start, or that it configures, of the cluster's own
    namespace.
    """
    if resource.ref.namespace not in {"", "kube-system"}:
        return set()
    if resource.ref.kind == "ConfigMap":
        data = mapping(resource.manifest.get("data"))
        return {name for key, (name, form) in CONFIGURES.items() if form.search(str(data.get(key)))}
    spec = ("spec",) if resource.ref.kind == "Pod" else ("spec", "template", "spec")
    found: set[str] = set()
    for container in map(mapping, sequence(at(resource.manifest, (*spec, "containers")))):
        words = [*sequence(container.get("command")), *sequence(container.get("args"))]
        found.update(str(word).rpartition("/")[2] for word in words[:1])
    return found
