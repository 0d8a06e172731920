"""What a policy of Istio meets in the mesh: whom it selects, on which ports, with what mTLS.

Rules: https://istio.io/latest/docs/concepts/security/ (selector and targetRefs, mutual TLS),
istio/istio pkg/kube/inject (whom the webhook gives a sidecar), pkg/config/kube/conversion.go (the
protocol of a port), pilot/pkg/model/authentication.go (which PeerAuthentication counts). For
policies alone: the network engine has an evaluator of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Resource, Snapshot

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

GROUP = "security.istio.io"
INJECT = "sidecar.istio.io/inject"
HTTP = ("grpc", "grpc-web", "http", "http2", "kubernetes.io/h2c", "kubernetes.io/ws")
TCP = ("https", "kubernetes.io/wss", "mongo", "mysql", "redis", "tcp", "tls")
"""Protocols that Istio reads in `appProtocol`, or in the name of a port before the first dash."""
HTTP_FIELDS = ("hosts", "methods", "paths", "requestPrincipals")


@dataclass(frozen=True, slots=True)
class Mesh:
    """The settings of the mesh, as far as its ConfigMap is here."""

    known: bool = False
    root: str = "istio-system"
    trust_domain: str = "cluster.local"
    aliases: tuple[str, ...] = ()
    normalization: str = "BASE"
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port of a workload."""

    number: int
    protocol: str
    """http, tcp, or auto: sniffed."""
    mode: str
    """STRICT, PERMISSIVE or DISABLE."""


@dataclass(frozen=True, slots=True)
class Member:
    """A workload, as the mesh sees it."""

    workload: Workload
    sidecar: bool | None
    """Whether it has one; None where the manifests do not tell."""
    ambient: bool
    ports: tuple[Port, ...]
    rest: str = "PERMISSIVE"
    """The mode of every other port."""
    services: tuple[tuple[str, int, int], ...] = ()
    """Name, port and target port of every port of a Service that leads here."""
    bypassed: tuple[int, ...] = field(default=())
    """Inbound ports that its sidecar does not take."""


def mesh(facts: Facts, policy: Resource) -> dict[str, Any] | None:
    """What an AuthorizationPolicy or a PeerAuthentication meets; None of any other object. Names
    stand as ``{"first": "pii/customers", "count": 3}``.
    """
    if policy.ref.group != GROUP:
        return None
    settings = settings_of(facts.snapshot)
    selected = tuple(_selected(facts, policy, settings))
    members = tuple(member_of(facts, workload, settings) for workload in selected)
    with_sidecar = [m for m in members if m.sidecar is not False]
    return {
        **_told_settings(settings),
        "in_root": policy.ref.namespace == settings.root,
        "selected": len(selected),
        "neighbours": sum(_is_near(policy, workload, settings) for workload in facts.workloads),
        "plaintext": _plaintext(facts, policy, settings, with_sidecar),
        "disabled": _named(m for m in with_sidecar if _all(m, "DISABLE")),
        "uncovered": list(_uncovered(members)),
        "elsewhere": _named(m for m in members if m.workload.ref.namespace != settings.root),
        "ambient": _named(m for m in members if m.ambient),
        "ports": list(_ports(facts, members, settings)),
        "service_ports": list(_service_ports(members)),
        "targets": list(_targets(facts, policy, settings)),
        "outranked": list(_outranked(facts, policy, settings)),
    }


def _told_settings(settings: Mesh) -> dict[str, Any]:
    return {
        "known": settings.known,
        "root_namespace": settings.root,
        "trust_domain": settings.trust_domain,
        "trust_domains": sorted({settings.trust_domain, *settings.aliases}),
        "path_normalization": settings.normalization,
        "providers": list(settings.providers),
    }


def settings_of(snapshot: Snapshot) -> Mesh:
    """The settings in ConfigMap istio of namespace istio-system; the defaults where it is not here
    or is no YAML.
    """
    for resource in snapshot.of_kind("ConfigMap"):
        if (resource.ref.namespace, resource.ref.name) == ("istio-system", "istio"):
            return _read(texts(resource.manifest.get("data")).get("mesh", ""))
    return Mesh()


def _read(text: str) -> Mesh:
    import yaml

    try:
        written = mapping(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError, ValueError):
        return Mesh()
    aliases = sequence(written.get("trustDomainAliases"))
    providers = map(mapping, sequence(written.get("extensionProviders")))
    norm = mapping(written.get("pathNormalization")).get("normalization")
    return Mesh(
        known=True,
        root=_text(written.get("rootNamespace"), "istio-system"),
        trust_domain=_text(written.get("trustDomain"), "cluster.local"),
        aliases=tuple(alias for alias in aliases if isinstance(alias, str)),
        normalization=norm if isinstance(norm, str) and norm != "DEFAULT" else "BASE",
        providers=tuple(_text(each.get("name"), "") for each in providers),
    )


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) and value else default


def _named(members: Iterable[Member]) -> dict[str, Any]:
    names = sorted(member.workload.name for member in members)
    return {"first": names[0] if names else "", "count": len(names)}


# Whom a policy selects.


def _selected(facts: Facts, policy: Resource, settings: Mesh) -> Iterator[Workload]:
    spec = mapping(policy.manifest.get("spec"))
    if spec.get("targetRefs") or spec.get("targetRef"):
        return
    labels = selector_of(policy)
    for workload in facts.workloads:
        here = _is_near(policy, workload, settings)
        if here and labels.items() <= workload.labels.items():
            yield workload


def _is_near(policy: Resource, workload: Workload, settings: Mesh) -> bool:
    """Whether it may select the workload at all: in its namespace, or from the root namespace,
    from where a PeerAuthentication with a selector is left out.
    """
    if policy.ref.namespace == settings.root:
        return policy.ref.kind == "AuthorizationPolicy" or not selector_of(policy)
    return workload.ref.namespace == policy.ref.namespace


def selector_of(policy: Resource) -> Mapping[str, str]:
    """The labels that a policy selects by; empty where it selects all."""
    return texts(at(policy.manifest, ("spec", "selector", "matchLabels")))


def policies_of(snapshot: Snapshot, kind: str) -> Iterator[Resource]:
    """The policies of Istio of that kind."""
    return (r for r in snapshot.of_kind(kind) if r.ref.group == GROUP)


# What a workload is to the mesh.


def member_of(facts: Facts, workload: Workload, settings: Mesh) -> Member:
    """The workload with its sidecar, ports and modes."""
    services = tuple(_services(facts, workload))
    protocols = {target: protocol for _, _, target, protocol in services}
    declared = {number for number, protocol, _, _ in container_ports(workload) if protocol == "TCP"}
    modes = Modes(facts.snapshot, workload, settings)
    ports = (
        Port(number, protocols.get(number, "auto"), modes.of(number))
        for number in sorted(declared | set(protocols))
    )
    annotations = _annotations(workload)
    excluded = annotations.get("traffic.sidecar.istio.io/excludeInboundPorts", "").split(",")
    return Member(
        workload,
        has_sidecar(facts, workload),
        _is_ambient(facts, workload),
        tuple(ports),
        modes.rest,
        tuple((name, port, target) for name, port, target, _ in services),
        tuple(int(port) for port in map(str.strip, excluded) if port.isdecimal()),
    )


def _annotations(workload: Workload) -> Mapping[str, str]:
    return texts(at(workload.resource.manifest, (*workload.template_path, "metadata", "annotations")))


def has_sidecar(facts: Facts, workload: Workload) -> bool | None:
    """Whether its pods run Istio's proxy: as they are, or as the webhook will make them; None where
    the labels of the namespace are not known.
    """
    if any(container.name == "istio-proxy" for container in workload.containers):
        return True
    if workload.ref.kind == "Pod" and mapping(workload.resource.manifest.get("status")):
        return False
    if workload.pod.get("hostNetwork") is True:
        return False
    said = workload.labels.get(INJECT) or _annotations(workload).get(INJECT)
    if said in ("true", "false"):
        return said == "true"
    labels = facts.namespace_labels.get(workload.ref.namespace)
    if labels is None or "istio.io/rev" in workload.labels:
        return None
    return labels.get("istio-injection") == "enabled" or (
        "istio-injection" not in labels and "istio.io/rev" in labels
    )


def _is_ambient(facts: Facts, workload: Workload) -> bool:
    labels = facts.namespace_labels.get(workload.ref.namespace, {})
    said = workload.labels.get("istio.io/dataplane-mode", labels.get("istio.io/dataplane-mode"))
    return said == "ambient" and not has_sidecar(facts, workload)


def _services(facts: Facts, workload: Workload) -> Iterator[tuple[str, int, int, str]]:
    """Name, port, target port and protocol of each port of a Service that leads to it."""
    for service in facts.snapshot.of_kind("Service"):
        selector = texts(at(service.manifest, ("spec", "selector")))
        here = service.ref.namespace == workload.ref.namespace
        if here and selector and selector.items() <= workload.labels.items():
            for port in map(mapping, sequence(at(service.manifest, ("spec", "ports")))):
                for target in _target(port, workload):
                    name = f"{service.ref.namespace}/{service.ref.name}"
                    yield name, port["port"], target, protocol_of(port)


def _target(port: Manifest, workload: Workload) -> Iterator[int]:
    number, target = port.get("port"), port.get("targetPort")
    if not is_port(number) or port.get("protocol") not in (None, "TCP"):
        return
    if isinstance(target, str):
        for found, protocol, name, _ in container_ports(workload):
            if name == target and protocol == "TCP":
                yield found
    elif target is None or is_port(target):
        yield target or number


def protocol_of(port: Manifest) -> str:
    """http, tcp or auto, by `appProtocol`, else by what the name begins with."""
    said = _text(port.get("appProtocol"), "") or _text(port.get("name"), "")
    said = said.lower()
    for kind, known in (("http", HTTP), ("tcp", TCP)):
        if any(said == each or said.startswith(f"{each}-") for each in known):
            return kind
    return "auto"


class Modes:
    """The mTLS mode of each port of a workload."""

    def __init__(self, snapshot: Snapshot, workload: Workload, settings: Mesh) -> None:
        policies = by_age(policies_of(snapshot, "PeerAuthentication"))
        own = [p for p in policies if _is_own(p, workload, settings)]
        wide = [p for p in policies if not selector_of(p)]
        of_namespace = [p for p in wide if p.ref.namespace == workload.ref.namespace]
        of_mesh = [p for p in wide if p.ref.namespace == settings.root]
        scopes = (own, of_namespace, of_mesh)
        said = [mode for scope in scopes if scope and (mode := mode_of(scope[0]))]
        self.rest = said[0] if said else "PERMISSIVE"
        self._ports: dict[str, str] = {}
        for policy in own:
            for port, mtls in mapping(at(policy.manifest, ("spec", "portLevelMtls"))).items():
                mode = mapping(mtls).get("mode")
                self._ports.setdefault(str(port), mode if mode in MODES else self.rest)

    def of(self, port: int) -> str:
        """Of this port."""
        return self._ports.get(str(port), self.rest)


MODES = ("STRICT", "PERMISSIVE", "DISABLE")


def _is_own(policy: Resource, workload: Workload, settings: Mesh) -> bool:
    labels = selector_of(policy)
    near = policy.ref.namespace == workload.ref.namespace != settings.root
    return bool(labels) and near and labels.items() <= workload.labels.items()


def mode_of(policy: Resource) -> str:
    """The mode that a PeerAuthentication writes; empty where it inherits."""
    mode = at(policy.manifest, ("spec", "mtls", "mode"))
    return mode if mode in MODES else ""


def by_age(policies: Iterable[Resource]) -> Sequence[Resource]:
    """The oldest first; those without a time as if they were made at once, by name."""
    return sorted(policies, key=lambda p: (_made(p), p.ref.name, p.ref.namespace))


def _made(policy: Resource) -> str:
    return _text(at(policy.manifest, ("metadata", "creationTimestamp")), "")


# What is told of them.


def _all(member: Member, mode: str) -> bool:
    return member.rest == mode and all(port.mode == mode for port in member.ports)


def _modes(member: Member) -> set[str]:
    """Those of its ports, where any is known."""
    return {port.mode for port in member.ports} or {member.rest}


def _plaintext(
    facts: Facts, policy: Resource, settings: Mesh, members: Sequence[Member]
) -> dict[str, Any] | None:
    """Who takes plain text on some port; None where all of them ask for mTLS."""
    if not members:
        wide = [p for p in policies_of(facts.snapshot, "PeerAuthentication") if not selector_of(p)]
        near = [p for p in by_age(wide) if p.ref.namespace == policy.ref.namespace]
        root = [p for p in by_age(wide) if p.ref.namespace == settings.root]
        said = [mode for scope in (near, root) if scope and (mode := mode_of(scope[0]))]
        return None if said[:1] == ["STRICT"] else _named(())
    takers = _named(m for m in members if any(mode != "STRICT" for mode in _modes(m)))
    return takers if takers["count"] else None


def _uncovered(members: Sequence[Member]) -> Iterator[dict[str, Any]]:
    """Who is not protected, and why."""
    without = [m for m in members if m.sidecar is False and not m.ambient]
    if without:
        yield {**_named(without), "why": "no sidecar"}
    for member in members:
        listening = {port.number for port in member.ports}
        for port in member.bypassed:
            if member.sidecar and port in listening:
                yield {**_named((member,)), "why": f"port {port} goes past the sidecar"}


def _ports(facts: Facts, members: Sequence[Member], settings: Mesh) -> Iterator[dict[str, Any]]:
    """The ports of those with a sidecar, by number and protocol, with whether some ALLOW rule
    without a field of HTTP may admit somebody there.
    """
    found: dict[tuple[int, str], list[Member]] = {}
    for member in members:
        if member.sidecar is not False and not member.ambient:
            for port in member.ports:
                found.setdefault((port.number, port.protocol), []).append(member)
    for (number, protocol), theirs in sorted(found.items()):
        closed = [m for m in theirs if not _is_open(facts, m.workload, number, settings)]
        yield {
            "number": number,
            "protocol": protocol,
            **_named(theirs),
            "closed": _named(closed),
        }


def _is_open(facts: Facts, workload: Workload, port: int, settings: Mesh) -> bool:
    for policy in policies_of(facts.snapshot, "AuthorizationPolicy"):
        if at(policy.manifest, ("spec", "action")) in (None, "ALLOW"):
            rules = sequence(at(policy.manifest, ("spec", "rules")))
            opens = any(_opens(mapping(rule), port) for rule in rules)
            if opens and workload in _selected(facts, policy, settings):
                return True
    return False


def _opens(rule: Manifest, port: int) -> bool:
    """Whether a rule without a field of HTTP may admit somebody on a port."""
    parts = [mapping(mapping(each).get("source")) for each in sequence(rule.get("from"))]
    operations = [mapping(mapping(each).get("operation")) for each in sequence(rule.get("to"))]
    if any(needs_http(part) for part in (*parts, *operations)):
        return False
    conditions = list(map(mapping, sequence(rule.get("when"))))
    if any(str(each.get("key")).startswith("request.") for each in conditions):
        return False
    return not operations or any(_admits(each, port) for each in operations)


def needs_http(part: Manifest) -> bool:
    """Whether a source or an operation has a field that only HTTP has."""
    names = (name for each in HTTP_FIELDS for name in (each, f"not{each[0].upper()}{each[1:]}"))
    return any(part.get(name) for name in names)


def _admits(operation: Manifest, port: int) -> bool:
    ports, but = sequence(operation.get("ports")), sequence(operation.get("notPorts"))
    return (not ports or str(port) in ports) and str(port) not in but


def _service_ports(members: Sequence[Member]) -> Iterator[dict[str, Any]]:
    """Ports of Services that are none of the workloads behind them."""
    own = {port.number for member in members for port in member.ports}
    theirs = {each for member in members for each in member.services}
    for service, port, target in sorted(theirs):
        if port not in own:
            yield {"service": service, "port": port, "target": target}


def _targets(facts: Facts, policy: Resource, settings: Mesh) -> Iterator[dict[str, Any]]:
    """Services that a policy names as targets and behind which sidecars run."""
    for index, target in enumerate(
        map(mapping, sequence(at(policy.manifest, ("spec", "targetRefs"))))
    ):
        for service in facts.snapshot.of_kind("Service"):
            wanted = (target.get("kind"), policy.ref.namespace, target.get("name"))
            if wanted == ("Service", service.ref.namespace, service.ref.name):
                behind = (w for w in facts.workloads if _leads_to(service, w))
                members = (member_of(facts, workload, settings) for workload in behind)
                named = _named(m for m in members if m.sidecar)
                if named["count"]:
                    yield {"index": index, **named}


def _leads_to(service: Resource, workload: Workload) -> bool:
    selector = texts(at(service.manifest, ("spec", "selector")))
    here = service.ref.namespace == workload.ref.namespace
    return here and bool(selector) and selector.items() <= workload.labels.items()


def _outranked(facts: Facts, policy: Resource, settings: Mesh) -> Iterator[dict[str, Any]]:
    """Older PeerAuthentications of the same scope, which count in its place."""
    if policy.ref.kind != "PeerAuthentication":
        return
    labels = selector_of(policy)
    if labels and policy.ref.namespace == settings.root:
        return
    for other in by_age(policies_of(facts.snapshot, "PeerAuthentication")):
        if other.ref.key == policy.ref.key:
            return
        if other.ref.namespace == policy.ref.namespace and bool(selector_of(other)) == bool(labels):
            shared = [
                w
                for w in _selected(facts, policy, settings)
                if selector_of(other).items() <= w.labels.items()
            ]
            if not labels or shared:
                yield {
                    "name": str(other.ref),
                    "mode": mode_of(other) or "UNSET",
                    "dated": bool(_made(other) and _made(policy)),
                    "first": shared[0].name if labels else "",
                }
