"""The vocabulary of the product. Imports nothing of ours but `declared`, `grades`, `spans`
and `terms`; all else may import it.

Values are frozen. A path is a tuple of mapping keys and sequence indices, counted from the
top of a manifest: ``("spec", "containers", 0, "name")``.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property, lru_cache
from typing import Any

from auditor.declared import Settings as Settings  # noqa: PLC0414 - part of the vocabulary
from auditor.declared import Waiver as Waiver  # noqa: PLC0414
from auditor.grades import About as About  # noqa: PLC0414
from auditor.grades import Safety as Safety  # noqa: PLC0414
from auditor.grades import Severity as Severity  # noqa: PLC0414
from auditor.grades import Status as Status  # noqa: PLC0414
from auditor.grades import Unseen as Unseen  # noqa: PLC0414
from auditor.spans import Lines as Lines  # noqa: PLC0414
from auditor.spans import Path as Path  # noqa: PLC0414
from auditor.spans import Span as Span  # noqa: PLC0414
from auditor.spans import Spot as Spot  # noqa: PLC0414
from auditor.terms import BUILT_IN, KUBERNETES, NOBODY, Authorship, Enforcer, Opening, Scope
from auditor.terms import Reading as Reading  # noqa: PLC0414
from auditor.terms import Server as Server  # noqa: PLC0414
from auditor.values import dataclass

Key = tuple[str, str, str, str]
"""Identity of an object across API versions: group, kind, namespace, name."""
Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """Which object: what `kubectl get` would need to find it."""

    api_version: str
    kind: str
    namespace: str
    """Empty for objects of the cluster itself."""
    name: str
    key: Key = field(init=False, repr=False, compare=False)
    """Identity across API versions: group, kind, namespace, name. Asked for again and again."""

    def __post_init__(self) -> None:
        group = self.api_version.rpartition("/")[0]
        object.__setattr__(self, "key", (group, self.kind, self.namespace, self.name))

    @property
    def group(self) -> str:
        """The API group, empty for core/v1."""
        return self.key[0]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{where}{self.name}[{self.kind}]"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object was read."""

    uri: str
    """A file as the user named it, with forward slashes; for a live object a made-up path."""
    lines: Lines
    prefix: Path = ()
    """Where the object stands in its document: not empty for items of a List."""
    live: bool = False
    """Read from a cluster: `uri` and `lines` describe a rendering, not a file of the user's."""
    authorship: Authorship = NOBODY
    """Of a live object: who keeps it."""
    changed: str = ""
    """Of a live object: when somebody last wrote it, as RFC 3339; empty where nobody tells."""

    def span(self, path: Path) -> Span:
        """The region of the field at `path` of the object, or of its nearest written ancestor."""
        return self.lines.span(self.prefix + path)

    def spot(self, path: Path) -> Spot:
        """The same with its file. Of a built object, what an overlay says stands in the file of the
        overlay, not in `uri`.
        """
        elsewhere = getattr(self.lines, "spot", None)
        found: Spot | None = elsewhere(self.prefix + path) if elsewhere else None
        return found or Spot(self.uri, self.span(path), self.lines)


@dataclass(frozen=True, slots=True)
class Resource:
    """One object as it was written, never changed after."""

    ref: Ref
    manifest: Manifest
    origin: Origin
    opening: Opening | None = None
    """Where its pods stand, of a kind that is none of Kubernetes and was opened."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that we could not see. Never a pass."""

    what: str
    """For people alone: it may be the name of a file, or any other text that a user chose."""
    why: str
    severity: Unseen
    kinds: tuple[str, ...] = ()
    """The kinds of objects that are missing because of it; ("*",) where any may be."""
    ref: Ref | None = None
    """The object that could not be judged, where it is one."""
    acknowledged: str = field(default="", compare=False)
    """Why it no longer fails the run, in the words of whoever answers for it."""
    about: About = About.READING
    policy: str = ""
    """The id of the policy that could not be asked: about `ref`, or about anything without one."""

    @classmethod
    def of_policy(
        cls, policy: str, why: str, severity: Unseen = Unseen.INCOMPLETE, ref: Ref | None = None
    ) -> Gap:
        """A policy that could not be asked: see `policy`."""
        what = f"policy {policy} on {ref}" if ref else f"policy {policy}"
        return cls(what, why, severity, ref=ref, about=About.POLICY, policy=policy)


@dataclass(frozen=True)
class Snapshot:
    """The cluster as it is, or as it would be."""

    resources: tuple[Resource, ...]
    gaps: tuple[Gap, ...] = ()
    server: Server | None = None
    """None where it was read from files: then whatever is written was read."""

    @cached_property
    def by_key(self) -> Mapping[Key, Resource]:
        """Each object by its identity; the last one wins where two have the same."""
        return {resource.ref.key: resource for resource in self.resources}

    @cached_property
    def by_kind(self) -> Mapping[str, tuple[Resource, ...]]:
        """All objects of each kind, in the order they were read; of a kind of Kubernetes itself,
        none that another API group calls by the same name.
        """
        kinds: dict[str, list[Resource]] = {}
        for resource in self.resources:
            group, kind, _, _ = resource.ref.key
            groups = BUILT_IN.get(kind)
            if groups is None or group in groups:
                kinds.setdefault(kind, []).append(resource)
        return {kind: tuple(found) for kind, found in kinds.items()}

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """Every object of these kinds: of the built-in ones, where Kubernetes has such a kind."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    @cached_property
    def repeated(self) -> frozenset[Key]:
        """The identities that several objects have."""
        counts = Counter(resource.ref.key for resource in self.resources)
        return frozenset(key for key, count in counts.items() if count > 1)

    def find(self, ref: Ref) -> Resource | None:
        """The object with this identity, whatever its API version."""
        return self.by_key.get(ref.key)

    def replacing(self, *changed: Resource, removing: Iterable[Ref] = ()) -> Snapshot:
        """The cluster as it would be with `changed` in place and `removing` gone.

        An object that is not there yet is added at the end. Where several are written with one
        identity, the new one stands for all of them. The snapshot itself stays as it is.
        """
        gone = {ref.key for ref in removing}
        new = {r.ref.key: r for r in changed if r.ref.key not in gone}
        added = dict(new)
        kept = [
            added.pop(resource.ref.key, resource)
            for resource in self.resources
            if resource.ref.key not in gone
            and (resource.ref.key not in new or resource.ref.key in added)
        ]
        found = replace(self, resources=(*kept, *added.values()))
        in_place = not added and len(kept) == len(self.resources)
        if in_place and "by_kind" in vars(self):
            vars(found)["by_kind"] = self._by_kind_with(new)
        if "by_key" in vars(self) and len(self.by_key) == len(self.resources):
            left = {key: one for key, one in self.by_key.items() if key not in gone}
            vars(found)["by_key"] = left | new
        return found

    def _by_kind_with(self, new: Mapping[Key, Resource]) -> Mapping[str, tuple[Resource, ...]]:
        """`by_kind` where these stand in the place of those with their identity."""
        kinds = {kind for _, kind, _, _ in new}
        return {
            kind: tuple(new.get(one.ref.key, one) for one in found) if kind in kinds else found
            for kind, found in self.by_kind.items()
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a policy can be told: a text or a list of texts, as its default is."""

    name: str
    description: str
    default: Any = field(hash=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule and what its METADATA says of it."""

    id: str
    """Its path under the policies folder without the ending: ``workload/privileged_container``."""
    title: str
    description: str
    severity: Severity
    profile: str
    """The smallest profile that has it: essential, recommended or strict; optional where none."""
    fix: str
    """Deterministic (a patch in the finding), generated (objects are made), manual or none."""
    kinds: tuple[str, ...]
    facts: tuple[str, ...]
    controls: tuple[str, ...]
    equivalents: tuple[str, ...]
    aliases: tuple[str, ...]
    links: tuple[str, ...]
    file: str
    """The file that it was read from."""
    module: str
    """Its Rego text."""
    contested: str = ""
    """Why no profile has it, where none has: people disagree whether it is a fault."""
    near: tuple[str, ...] = ()
    """Checks elsewhere that look at the same fields and ask another question of them."""
    since: int = 1
    """The set of policies that it came with."""
    preview: bool = False
    """Whether it is asked only where previews are asked for."""
    inline: bool = True
    """Whether it may be waived in the manifests themselves."""
    grace: bool = False
    """Whether a later object may mend what it finds, so that admission never denies for it."""
    parameters: tuple[Parameter, ...] = ()
    mentions: tuple[str, ...] = ()
    """Words without any of which an object cannot have the fault; empty where there are none."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and those it had."""
        return (self.id, *self.aliases)

    @property
    def oldest(self) -> str:
        """The first name it had: aliases stand in the order of time."""
        return self.aliases[0] if self.aliases else self.id


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a change, in the words of a JSON Patch (RFC 6902), with its path in pieces. No
    `test`, no `move`. All steps of one change speak of the object as it was: see
    `auditor.fixes.operations.in_order`.
    """

    op: str
    """add, replace or remove."""
    path: Path
    value: Any = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a policy says would resolve its finding, before anything is proven."""

    title: str
    safety: Safety
    patch: tuple[Operation, ...] = ()
    """Steps on the object of the finding."""
    synthesize: str = ""
    """The name of a builder in ``auditor.fixes.synthesize`` that makes the changes instead."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a finding, at a place of its own."""

    message: str
    ref: Ref | None = None
    path: Path = ()
    anchor: str = ""
    """What this reason is about, so that it can be told from others: the name of who reaches it."""
    within: tuple[str, ...] = ()
    """Anchors of whole groups that this one is of: where one was known, this is nothing new."""


@dataclass(frozen=True, slots=True)
class Change:
    """One object as a fix would leave it."""

    resource: Resource
    """The whole object after the change. For a new object, its origin is that of `beside`."""
    operations: tuple[Operation, ...]
    """The steps that lead there; for a new object, one `add` at the path ()."""
    beside: Ref | None = None
    """For a new object: the object before which it is to be written."""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """The replacement of a region of a file; an insertion where the region is empty."""

    uri: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown in memory about a fix. Each part is a fact that was checked, or None where
    the question does not arise or could not be asked; `unproven` says which, and why.
    """

    resolved: bool
    introduced: tuple[str, ...] = ()
    """Findings of equal or higher severity that the fix would bring, as "policy object"."""
    opened: tuple[str, ...] = ()
    """Flows that the fix would open."""
    closed: tuple[str, ...] = ()
    """Flows that it closes."""
    kept: tuple[str, ...] = ()
    """Needed flows that still flow after it."""
    cut: tuple[str, ...] = ()
    """Needed flows that it would cut."""
    scheduled: tuple[str, ...] = ()
    """Pods with the node that each was bound to in the simulation, as "pod → node"."""
    unschedulable: tuple[str, ...] = ()
    """Pods that would find no node."""
    invalid: tuple[str, ...] = ()
    """What the API server would not take of the result, and did take before."""
    valid_for: int = 0
    """The Kubernetes version whose API was asked, as 100 × major + minor; 0 where none was."""
    stable: bool = True
    """Applying the fix a second time changes nothing."""
    exact: bool = True
    """The edited text, read again, is the patched object and nothing else."""
    unproven: tuple[str, ...] = ()
    """What could not be shown, and why."""
    selected: tuple[str, ...] = ()
    """What selects pods as before that get a new label."""
    assumes: tuple[str, ...] = ()
    """What the fix takes for granted. It is not safe then, whether or not all else was shown."""

    @property
    def holds(self) -> bool:
        """Whether the fix may be offered as proven."""
        harm = self.introduced or self.opened or self.cut or self.unschedulable or self.invalid
        return self.resolved and self.stable and self.exact and not (harm or self.unproven)


@dataclass(frozen=True, slots=True)
class Fix:
    """A way out of a finding, with what was shown of it."""

    title: str
    safety: Safety
    changes: tuple[Change, ...]
    edits: tuple[TextEdit, ...]
    """The changes as edits of the user's files; empty for live objects."""
    proof: Proof


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one object."""

    policy: Policy
    ref: Ref
    path: Path
    anchor: str
    """A name the policy gives (a container's, a port's) that outlives moved lines and indices."""
    message: str
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    fix: Fix | None = None
    status: Status = Status.OPEN
    reason: str = ""
    """Why it is waived, in the words of the waiver; or which part of the platform it is of."""
    waiver: Waiver | None = field(default=None, compare=False)
    """What waives it."""
    pods: tuple[Ref, ...] = ()
    """The running pods that have it, where their template has not."""
    authorship: Authorship | None = None
    """Of a live object: who keeps it, or keeps what made it."""
    resource: Resource | None = field(default=None, compare=False, repr=False)
    """The object as it was judged: where several are written with one identity, which of them."""
    within: Snapshot | None = field(default=None, compare=False, repr=False)
    """The snapshot that it was judged in, where the audit is of several alternatives."""
    grade: Severity | None = None
    """How much it matters here, where its policy tells that by the effect."""

    @property
    def severity(self) -> Severity:
        """By its effect, where its policy tells that; else that of its policy, the gravest."""
        return self.grade or self.policy.severity

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that outlive moved lines, shifted indices and rewording, and
        the renaming of the policy: they are of its oldest name.
        """
        return _fingerprint(self.policy.oldest, self.ref.key, self.anchor)

    @property
    def anchors(self) -> frozenset[str]:
        """What its evidence is about, as far as the policy says so."""
        return frozenset(reason.anchor for reason in self.evidence if reason.anchor)

    def worse_than(self, known: frozenset[str]) -> bool:
        """Whether its evidence is about more than what was known of the same fault. Other words,
        places or another order make nothing worse.
        """
        return any(
            reason.anchor and known.isdisjoint((reason.anchor, *reason.within))
            for reason in self.evidence
        )


@lru_cache(maxsize=1 << 14)
def _fingerprint(policy: str, key: Key, anchor: str) -> str:
    """See Finding. Findings are compared by it again and again."""
    return hashlib.sha256("\0".join((policy, *key, anchor)).encode()).hexdigest()[:16]


def by_document(findings: Iterable[Finding]) -> list[Finding]:
    """The findings on what one document holds beside each other, in the order of the first: who
    asks for the places of many needs the tree of each document once.
    """
    groups: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        lines = finding.resource.origin.lines if finding.resource else None
        groups[id(lines)].append(finding)
    return [finding for group in groups.values() for finding in group]


@dataclass(frozen=True, slots=True)
class Audit:
    """The answer: what is wrong, and what could not be seen."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    engine: tuple[str, str] = ("", "")
    """Name and version of what evaluated the policies."""
    policies: tuple[Policy, ...] = ()
    """The policies that were asked."""
    kubernetes: int = KUBERNETES
    """The Kubernetes version judged for, as 100 × major + minor."""
    judged: int = 0
    """How many objects met at least one policy."""
    folded: tuple[Finding, ...] = ()
    """Findings on what a controller made that its template has as well: not told again."""
    added: tuple[Waiver, ...] = ()
    """What the change that is audited waives anew; none of it counts."""
    scope: Scope | None = None
    """What it is about; None where nobody asked for any part."""
    outside: int = 0
    """How many objects were read that are outside of the scope."""
    beyond: tuple[Finding, ...] = ()
    """Findings on those: not told, and known to proofs."""
    enforcer: Enforcer | None = None
    """What is taken to enforce network policies; None where nobody asked."""
    workloads: tuple[Ref, ...] = ()
    """The workloads that it is about."""
    unclassified: tuple[Ref, ...] = ()
    """Those of them of which nothing says what data they hold: whether it is personal, nobody
    asked."""

    def around(self, finding: Finding) -> Snapshot:
        """The snapshot that a finding was judged in: where what it speaks of is found."""
        return finding.within or self.snapshot

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that are neither waived nor in the baseline."""
        return tuple(f for f in self.findings if f.status is Status.OPEN)
