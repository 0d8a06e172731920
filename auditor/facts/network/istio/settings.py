"""How a mesh is set up, and what the ports of Services say that they speak.

Source: MeshConfig (istio.io/api mesh/v1alpha1), in ConfigMap ``istio`` of the control plane.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from auditor.facts.network.istio.conditions import LOCAL, Domains
from auditor.facts.network.istio.matching import Normalization
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Resource, Snapshot
from auditor.values import dataclass

ROOT = "istio-system"


@dataclass(frozen=True, slots=True)
class Settings:
    """What of MeshConfig decides about requests."""

    root: str = ROOT
    """The namespace whose policies mean the whole mesh."""
    domains: Domains = field(default_factory=Domains)
    normalization: Normalization = Normalization.BASE
    auto_mtls: bool = True
    """Whether sidecars use mTLS between themselves without being told."""
    providers: frozenset[str] = frozenset()
    """The names of those that may be asked about a request (action CUSTOM)."""
    unknown: tuple[str, ...] = ()
    """What of it could not be read, a sentence each."""


def read_settings(snapshot: Snapshot) -> Settings:
    """The settings in ConfigMap ``istio`` of the control plane, or in that of its revision
    (``istio-1-31``); Istio's own where there is none. Of several that differ, the first.
    """
    found = sorted(filter(_is_mesh, snapshot.of_kind("ConfigMap")), key=lambda r: r.ref.name)
    read = list(map(_settings, found))
    if not read:
        return Settings()
    first = read[0]
    if all(other == first for other in read):
        return first
    why = f"control planes with settings of their own: those of {found[0].ref} are taken"
    return replace(first, unknown=(*first.unknown, why))


def _is_mesh(found: Resource) -> bool:
    named = found.ref.name == "istio" or found.ref.name.startswith("istio-")
    return (
        named and found.ref.namespace == ROOT and at(found.manifest, ("data", "mesh")) is not None
    )


def _settings(found: Resource) -> Settings:
    text = at(found.manifest, ("data", "mesh"))
    mesh, unknown = _mesh(text if isinstance(text, str) else "")
    root, domain = mesh.get("rootNamespace"), mesh.get("trustDomain")
    aliases = [name for name in sequence(mesh.get("trustDomainAliases")) if isinstance(name, str)]
    own = domain if isinstance(domain, str) and domain else LOCAL
    chosen = at(mesh, ("pathNormalization", "normalization"))
    names = {kind.value: kind for kind in Normalization}
    return Settings(
        root=root if isinstance(root, str) and root else ROOT,
        domains=Domains((own, *aliases)),
        normalization=names.get(str(chosen), Normalization.BASE),
        auto_mtls=mesh.get("enableAutoMtls") is not False,
        providers=frozenset(_providers(mesh)),
        unknown=unknown,
    )


def _providers(mesh: Manifest) -> Iterator[str]:
    for provider in map(mapping, sequence(mesh.get("extensionProviders"))):
        asked = any(key in provider for key in ("envoyExtAuthzHttp", "envoyExtAuthzGrpc"))
        if asked and isinstance(name := provider.get("name"), str):
            yield name


def _mesh(text: str) -> tuple[Manifest, tuple[str, ...]]:
    import yaml

    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, ("the settings of the mesh cannot be read",)
    if value is not None and not isinstance(value, Mapping):
        return {}, ("the settings of the mesh are no mapping",)
    return mapping(value), ()


PROTOCOLS: Mapping[str, str] = {
    **dict.fromkeys(("http", "http2", "grpc", "grpc-web", "http_proxy"), "http"),
    **dict.fromkeys(("tcp", "tls", "https", "mongo", "mysql", "redis"), "tcp"),
    "udp": "udp",
    "kubernetes.io/h2c": "http",
    "kubernetes.io/ws": "http",
    "kubernetes.io/wss": "tcp",
}
"""What a name or an appProtocol says, and what the sidecar of the target makes of it."""

WELL_KNOWN_TCP = (25, 53, 3306, 27017)
"""Service ports of SMTP, DNS, MySQL and MongoDB: not sniffed, as their servers speak first."""


def spoken(entry: Manifest) -> str:
    """What a port of a Service speaks: ``http``, ``tcp``, ``udp``, or ``auto`` where the proxy
    looks at what is sent. Source: istio pkg/config/kube (ConvertProtocol).
    """
    if entry.get("protocol") == "UDP":
        return "udp"
    app, name = entry.get("appProtocol"), entry.get("name")
    told = app if isinstance(app, str) else name if isinstance(name, str) else ""
    if told in PROTOCOLS and "/" in told:
        return PROTOCOLS[told]
    word = "grpc-web" if told.lower().startswith("grpc-web") else told.partition("-")[0].lower()
    known = PROTOCOLS.get(word)
    if known:
        return known
    return "tcp" if entry.get("port") in WELL_KNOWN_TCP else "auto"
