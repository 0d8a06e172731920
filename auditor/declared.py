"""What the user declares about the audit and the cluster. Imports nothing of ours but `grades` and
`terms`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any

from auditor.grades import Severity
from auditor.terms import KUBERNETES, Opening, Scope
from auditor.values import Word, dataclass

TRIVY_PLAIN, TRIVY_STRUCTURED = ".trivyignore", ".trivyignore.yaml"
"""The files in which Trivy is told what to ignore."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A fault that somebody answers for."""

    policy: str
    object: str
    """Over ``namespace/name[Kind]`` or ``namespace/name``; ``*`` and ``?`` stand for others."""
    reason: str
    until: str = ""
    """A date as YYYY-MM-DD; empty where it does not end."""
    anchor: str = ""
    """The name of the one container, port … of the object; empty for all of it."""
    origin: str = ""
    """Where it is written, as a person would look for it."""
    inline: bool = False
    """Whether it stands in a manifest."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A gap that somebody answers for: still counted, no longer failing the run."""

    gap: str
    """Over what the gap says it is about; ``*`` and ``?`` stand for others."""
    reason: str
    until: str = ""
    why: str = ""
    """Over the gap's reason; empty for any."""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry of another tool's list of what to ignore, as `.trivyignore` has."""

    tool: str
    check: str
    """The tool's id of the check."""
    reason: str
    until: str = ""
    paths: tuple[str, ...] = ()
    """Over the files it is about; empty for all."""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Inline:
    """How far to believe waivers that stand in the manifests themselves."""

    allowed: tuple[str, ...] = ()
    """Over the ids of the policies that may be waived there."""
    tools: tuple[str, ...] = ()
    """The other tools whose waivers count as well."""
    listed: tuple[Ignored, ...] = ()
    """What the files of those tools list."""
    accepted: frozenset[str] | None = None
    """The marks that were there before the change, where a change is audited: no other counts."""
    before: str = ""
    """The revision before the change."""


DATA_KEYS = ("auditor/data", "data-classification")
"""The labels and annotations that say what an object holds, where nothing else is declared."""
DATA_CLASSES = ("pii", "spi")
"""The classes of personal data, where no others are declared."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the configuration says of the data of some objects. None, or nothing: it is silent."""

    object: str
    """Over ``namespace/name[Kind]`` or ``namespace/name``; ``*`` and ``?`` stand for others."""
    classes: tuple[str, ...] | None = None
    """In lower case; ``none`` for no personal data."""
    clients: tuple[str, ...] | None = None
    """Names as in the annotation ``auditor/clients``; () where nobody may ask."""
    owner: str = ""
    health: tuple[str, ...] = ()
    """Each a port or ``port/path``."""
    telemetry: tuple[str, ...] = ()
    """The same, for the figures that monitors may read."""
    origin: str = ""
    """Where it is written, as a person would look for it."""


@dataclass(frozen=True, slots=True)
class Store:
    """A store outside of the cluster, or beyond what is read of it."""

    name: str
    cidrs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names in lower case; one that begins with ``*.`` stands for every name below."""
    service: str = ""
    """``namespace/name`` of an ExternalName Service."""
    classes: tuple[str, ...] = ()
    owner: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class DataTerms:
    """What the user declares of personal data, beside what the manifests say."""

    keys: tuple[str, ...] = DATA_KEYS
    """The labels and annotations that say what an object holds, the first one counts first."""
    classes: tuple[str, ...] = DATA_CLASSES
    objects: tuple[Holding, ...] = ()
    """The first that fits an object and says something counts."""
    external: tuple[Store, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes that are alike, declared for where no Node objects are given."""

    names: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    """All of them, those of region, zone and rack included."""
    allocatable: Mapping[str, str] = field(default_factory=dict)
    """Quantities by resource, as a Node's status has them; nothing where that is not told."""
    taints: tuple[tuple[str, str, str], ...] = ()
    """Each a key, a value (or empty) and an effect."""
    file: str = ""
    """Where it is declared."""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Latency:
    """Round trips in milliseconds, by the nearest place that two pods share."""

    node: float
    rack: float
    zone: float
    region: float
    beyond: float
    """Between regions."""

    def of(self, level: str) -> float:
        """That of a level, by its name here."""
        taken: float = getattr(self, level)
        return taken


@dataclass(frozen=True, slots=True)
class Prices:
    """What things cost, in one currency."""

    currency: str
    gigabyte_between_zones: float | None = None
    minute_of_downtime: float | None = None


@dataclass(frozen=True, slots=True)
class Priors:
    """How probable it is, at any moment, that one such place is lost, each by itself."""

    node: float
    rack: float
    zone: float
    region: float


ASSUMED_PRIORS = Priors(node=2e-3, rack=5e-4, zone=1e-4, region=1e-5)
"""Where nobody declares any: told as assumed, and never the ground of a severity. Those of node,
rack and zone are the figures of a worked example; real ones depend on the machines."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an object was declared to hold."""

    classes: tuple[str, ...]
    by: str
    """Where that was said, in words."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Connections that somebody observed, of one kind."""

    source: str
    """``namespace/name`` of a workload or pod, else a name or an address."""
    target: str
    port: int | None = None
    """Of the target's pod, or of the Service that was asked; None where it was not recorded."""
    protocol: str = "TCP"
    count: int = 0
    """How many connections or requests; 0 where they were not counted."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What was observed, where it is written, and over which time."""

    origin: str
    flows: tuple[Flow, ...]
    since: str = ""
    """The first and the last moment as RFC 3339; empty where the file does not tell."""
    until: str = ""
    unread: int = 0
    """How many entries could not be read."""


class Mode(Word):
    """What becomes of a request that adds a fault, the strictest first when sorted by ``rank``."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"
    """It passes, and the audit log of the API server tells of it."""

    @property
    def rank(self) -> int:
        """0 for deny, up to 2 for audit."""
        return tuple(Mode).index(self)


def _is_of(patterns: Sequence[str], names: Sequence[str]) -> bool:
    """Whether one of the patterns fits a name of a policy, or is the folder that it stands in; none
    fits all.
    """
    return not patterns or any(
        fnmatchcase(name, pattern) or name.startswith(f"{pattern.rstrip('/')}/")
        for pattern in patterns
        for name in names
    )


def _is_in(patterns: Sequence[str], namespace: str) -> bool:
    """Whether one of the patterns fits the namespace; none fits all."""
    return not patterns or any(fnmatchcase(namespace, each) for each in patterns)


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """What becomes of the faults of some policies in some namespaces."""

    mode: Mode
    policies: tuple[str, ...] = ()
    """Over names of policies; a folder stands for all in it, none for all that there are."""
    namespaces: tuple[str, ...] = ()
    """Over the namespaces of the faulty objects; none for all, and for those of the cluster."""
    severity: Severity | None = None
    """From which severity on; None: as where no rule fits."""
    origin: str = ""
    """Where it is written, as a person would look for it."""

    def is_of(self, names: Sequence[str]) -> bool:
        """Whether it is about the policy that has these names."""
        return _is_of(self.policies, names)

    def is_in(self, namespace: str) -> bool:
        """Whether it is about objects of that namespace; of the cluster, where that is empty."""
        return _is_in(self.namespaces, namespace)


@dataclass(frozen=True, slots=True)
class Mutating:
    """Which faults of new objects are mended at admission, where that is safe and was proven."""

    policies: tuple[str, ...] = ()
    """Over names of policies; a folder stands for all in it, none for all that there are."""
    namespaces: tuple[str, ...] = ()
    """Over the namespaces of the objects; none for all."""
    origin: str = ""
    """Where it is written, as a person would look for it."""

    def is_of(self, names: Sequence[str]) -> bool:
        """Whether it is about the policy that has these names."""
        return _is_of(self.policies, names)

    def is_in(self, namespace: str) -> bool:
        """Whether it is about objects of that namespace."""
        return _is_in(self.namespaces, namespace)


@dataclass(frozen=True, slots=True)
class Staleness:
    """How old what is known of the cluster may be for some policies."""

    seconds: int
    policies: tuple[str, ...] = ()
    """As of a rule."""
    origin: str = ""

    def is_of(self, names: Sequence[str]) -> bool:
        """Whether it is about the policy that has these names."""
        return _is_of(self.policies, names)


@dataclass(frozen=True, slots=True)
class Admission:
    """What the webhook does about the faults that requests add. The first rule that fits counts."""

    mode: Mode = Mode.AUDIT
    """Where no rule fits."""
    fail_on: Severity = Severity.HIGH
    """From which severity on a fault counts, where a rule does not say."""
    rules: tuple[AdmissionRule, ...] = ()
    mutate: Mutating | None = None
    """What is mended before it counts; nothing where None."""
    staleness: tuple[Staleness, ...] = ()
    controllers: tuple[str, ...] = ()
    """Who makes objects from templates, beside the controllers of Kubernetes: names of users as the
    API server authenticates them.
    """

    def max_staleness(self, names: Sequence[str]) -> int | None:
        """After how many seconds without a word from the server the policy of these names is not
        assessed, by the first entry that fits; None where none does.
        """
        fitting = (each for each in self.staleness if each.is_of(names))
        return next((each.seconds for each in fitting), None)

    def mode_of(self, names: Sequence[str], severity: Severity, namespace: str) -> Mode | None:
        """What becomes of a fault of that severity, by the policy of these names, on an object of
        that namespace (empty: of the cluster). None where it does not count.
        """
        return next(self._modes(names, severity, namespace), None)

    def strictest(
        self,
        names: Sequence[str] | None = None,
        severity: Severity | None = None,
        namespace: str | None = None,
    ) -> Mode:
        """The strictest that may become of a fault of which no more is known than what is given;
        audit where none would count.
        """
        modes = self._modes(names, severity, namespace)
        return min(modes, key=lambda mode: mode.rank, default=Mode.AUDIT)

    def _modes(
        self, names: Sequence[str] | None, severity: Severity | None, namespace: str | None
    ) -> Iterator[Mode]:
        """What may become of it, by the first rule that fits first; None: may be any."""
        for rule in self.rules:
            least = rule.severity or self.fail_on
            if severity is not None and not severity.at_least(least):
                continue
            if names is not None and not rule.is_of(names):
                continue
            if namespace is not None and not rule.is_in(namespace):
                continue
            yield rule.mode
            anyway = severity is not None or least is Severity.INFO
            of_any = names is not None or not rule.policies
            if anyway and of_any and (namespace is not None or not rule.namespaces):
                return
        if severity is None or severity.at_least(self.fail_on):
            yield self.mode


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user declared about the audit and the cluster."""

    kubernetes: int = KUBERNETES
    rack_label: str = "topology.kubernetes.io/rack"
    zone_label: str = "topology.kubernetes.io/zone"
    region_label: str = "topology.kubernetes.io/region"
    pools: tuple[Pool, ...] = ()
    """The nodes that there are where no Node objects were read."""
    latency: Latency | None = None
    """None where nobody declares any: then nothing is said in milliseconds."""
    prices: Prices | None = None
    """None where nobody declares any: then nothing is said in money."""
    priors: Priors | None = None
    """None where nobody declares any: see `ASSUMED_PRIORS`."""
    waivers: tuple[Waiver, ...] = ()
    inline: Inline | None = None
    """None where no mark in a manifest counts or is told: at admission, and in proofs."""
    acknowledged: tuple[Acknowledgement, ...] = ()
    expire_within: int = 0
    """How many days a waiver may last at most, and that it must end; 0 where it need not."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What single policies are told: policy id → name → value."""
    policy_set: int = 0
    """The set of policies that is pinned; what is newer only warns. 0: the newest."""
    whole: bool = True
    """Whether all was read that the waivers are about; else one that fits nothing may be of use
    elsewhere."""
    added: tuple[Waiver, ...] = ()
    """What the change waives anew in the configuration, where a change is audited."""
    scope: Scope | None = None
    """What is told; None: of every object, each for itself, as admission needs it."""
    openings: tuple[Opening, ...] = ()
    """Custom kinds that make pods, beside those that are known."""
    cni: tuple[str, ...] = ()
    """What enforces network policies, as names of profiles; none where that is to be detected."""
    data: DataTerms = DataTerms()
    """What is declared of personal data."""
    flows: tuple[Flows, ...] = ()
    """What was observed."""
    held: Mapping[tuple[str, str, str, str], Held] = field(default_factory=dict)
    """What each object held before the change that is audited, by group, kind, namespace and name;
    nothing where no change is."""
