"""Which connections a sidecar takes on each port: PeerAuthentication.

Of the policies of one scope (mesh, namespace, workload) the oldest counts, by name where they are
of one age. An unset mode inherits from the wider scope; the mesh without one is PERMISSIVE. The
modes of single ports are those of the policy of the workload that counts, and of no other. A policy
with a selector in the root namespace means nobody.

Source: istio pilot/pkg/security/authn (ComposePeerAuthentication).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, get_args

from auditor.facts.network.answers import InvalidPolicy, Reason
from auditor.facts.network.istio.policies import Refusal, UnreadableError, selector_labels
from auditor.facts.selectors import Labels, Requirement, Truth
from auditor.facts.wording import said
from auditor.facts.workloads import is_port
from auditor.manifests import at, mapping
from auditor.model import Path, Ref, Resource
from auditor.values import dataclass

KIND = "PeerAuthentication"

Mode = Literal["STRICT", "PERMISSIVE", "DISABLE"]
MODES: tuple[Mode, ...] = get_args(Mode)
_UNSET = "UNSET"
_PORTS: Path = ("spec", "portLevelMtls")


@dataclass(frozen=True, slots=True)
class PeerAuthentication:
    """A PeerAuthentication, whoever would refuse it."""

    resource: Resource
    labels: Mapping[str, str] | None
    """Of the selector; None or empty: the whole namespace, or the mesh."""
    mode: Mode | None = None
    """None: unset."""
    ports: Mapping[int, Mode | None] = field(default_factory=dict)
    unreadable: bool = False
    refusals: tuple[Refusal, ...] = ()

    @property
    def ref(self) -> Ref:
        """The object's identity."""
        return self.resource.ref


@dataclass(frozen=True, slots=True)
class Setting:
    """A mode, and what says so."""

    mode: Mode
    reason: Reason


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of one workload."""

    default: Setting
    ports: Mapping[int, Setting] = field(default_factory=dict)
    unsure: tuple[Ref, ...] = ()
    """Policies of which it cannot be told whether they mean the workload."""

    def of(self, port: int) -> Setting:
        """The one of a port of the pod."""
        return self.ports.get(port, self.default)


def parse_peer_authentication(resource: Resource) -> PeerAuthentication:
    """What a PeerAuthentication object says, whatever is written in it."""
    try:
        return _parsed(resource)
    except UnreadableError as stop:
        refused = Refusal(InvalidPolicy(resource.ref, stop.path, stop.why), "crd")
        return PeerAuthentication(resource, None, unreadable=True, refusals=(refused,))


def _parsed(resource: Resource) -> PeerAuthentication:
    spec = resource.manifest.get("spec")
    if spec is not None and not isinstance(spec, Mapping):
        raise UnreadableError(("spec",), "is no mapping")
    labels = selector_labels(mapping(spec))
    ports = dict(_ports(mapping(spec)))
    return PeerAuthentication(
        resource=resource,
        labels=labels,
        mode=_mode(mapping(spec).get("mtls"), ("spec", "mtls")),
        ports=ports,
        refusals=tuple(_refusals(resource, labels, mapping(spec))),
    )


def _ports(spec: Mapping[str, Any]) -> Iterator[tuple[int, Mode | None]]:
    path = _PORTS
    written = spec.get("portLevelMtls")
    if written is not None and not isinstance(written, Mapping):
        raise UnreadableError(path, "is no mapping of ports")
    entries: Mapping[Any, Any] = mapping(written)
    for key, value in entries.items():
        text = str(key)
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise UnreadableError((*path, text), f"{said(key)} is no port number")
        yield int(text), _mode(value, (*path, text))


def _mode(value: Any, path: Path) -> Mode | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise UnreadableError(path, "is no mapping with a mode")
    written = value.get("mode") or _UNSET
    if written == _UNSET:
        return None
    mode = next((known for known in MODES if known == written), None)
    if mode is None:
        raise UnreadableError((*path, "mode"), f"{said(written)} is no mode")
    return mode


def _refusals(
    resource: Resource, labels: Mapping[str, str] | None, spec: Mapping[str, Any]
) -> Iterator[Refusal]:
    from auditor.facts.network.istio.admission import selector_findings

    for by, place, why in selector_findings(resource.manifest):
        yield Refusal(InvalidPolicy(resource.ref, place, why), by)
    written = spec.get("portLevelMtls")
    if written is None:
        return
    ports: Mapping[Any, Any] = mapping(written)
    if not ports:
        yield Refusal(InvalidPolicy(resource.ref, _PORTS, "names no port"), "webhook")
    elif not labels:
        why = "needs a selector with labels; without one it has no effect"
        yield Refusal(InvalidPolicy(resource.ref, _PORTS, why), "crd")
    for key in ports:
        if not is_port(int(str(key))):
            path: Path = (*_PORTS, str(key))
            yield Refusal(InvalidPolicy(resource.ref, path, "is no port"), "crd")


def compose(
    policies: Sequence[PeerAuthentication], root: str, namespace: str, labels: Labels
) -> Modes:
    """The modes of a workload with `labels` in `namespace`; `root` is the namespace whose policies
    mean the whole mesh.
    """
    ordered = sorted((p for p in policies if not p.unreadable), key=_age)
    wide = [p for p in ordered if not p.labels]
    mesh = next((p for p in wide if p.ref.namespace == root), None)
    home = next((p for p in wide if p.ref.namespace == namespace != root), None)
    here = [p for p in ordered if p.labels and p.ref.namespace == namespace != root]
    told = [(p, selects(p.labels, labels)) for p in here]
    own = [p for p, truth in told if truth is Truth.YES]
    default = Setting("PERMISSIVE", Reason(None, (), "the mesh takes mTLS and plain text"))
    for policy in (mesh, home, *own[:1]):
        if policy and policy.mode:
            default = Setting(policy.mode, _reason(policy, ("spec", "mtls", "mode"), policy.mode))
    unsure = tuple(p.ref for p, truth in told if truth is Truth.MAYBE)
    return Modes(default, dict(_by_port(own[0], default)) if own else {}, unsure)


def _by_port(policy: PeerAuthentication, default: Setting) -> Iterator[tuple[int, Setting]]:
    for number, mode in policy.ports.items():
        path: Path = ("spec", "portLevelMtls", str(number), "mode")
        yield number, Setting(mode, _reason(policy, path, mode)) if mode else default


def _reason(policy: PeerAuthentication, path: Path, mode: Mode) -> Reason:
    means = {
        "STRICT": "takes mTLS alone",
        "PERMISSIVE": "takes mTLS and plain text",
        "DISABLE": "takes plain text alone",
    }
    return Reason(policy.ref, path, f"{mode} {means[mode]}")


def selects(wanted: Mapping[str, str] | None, labels: Labels) -> Truth:
    """Whether a workload selector means pods with these labels. It compares texts, so that one
    that the API server would refuse means nobody.
    """
    found = (
        Requirement(key, "In", frozenset((value,))).truth(labels)
        for key, value in (wanted or {}).items()
    )
    return min(found, default=Truth.YES)


def _age(policy: PeerAuthentication) -> tuple[str, str, str]:
    return age(policy.resource)


def age(resource: Resource) -> tuple[str, str, str]:
    """By which Istio sorts objects: time, name, namespace. Without a time, as in files, they are of
    one age.
    """
    made = at(resource.manifest, ("metadata", "creationTimestamp"))
    when = made if isinstance(made, str) else str(made or "")
    return when, resource.ref.name, resource.ref.namespace
