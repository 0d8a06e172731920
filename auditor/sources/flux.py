"""Reads Flux's Kustomization and HelmRelease: which folders they deploy, and how.

https://fluxcd.io/flux/components/kustomize/kustomizations/ and
https://fluxcd.io/flux/components/helm/helmreleases/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import yaml

from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Resource, Unseen
from auditor.sources.building import Rendering
from auditor.sources.claims import (
    Claim,
    ClaimError,
    Known,
    chart_of,
    folder_of,
    spoken,
    texts_of,
    unseen,
    within,
)

KUSTOMIZATION = "kustomize.toolkit.fluxcd.io"
HELM_RELEASE = "helm.toolkit.fluxcd.io"
_SOURCES = (
    "GitRepository",
    "OCIRepository",
    "Bucket",
    "HelmRepository",
    "HelmChart",
    "ExternalArtifact",
)
_VARIABLE = re.compile(r"\$(\$)?\{([A-Za-z_]\w*)(?::?[-=]([^{}]*))?\}")
_LEFT_ALONE = "kustomize.toolkit.fluxcd.io/substitute: disabled"


def kustomization(known: Known, resource: Resource) -> Iterator[Claim | Gap]:
    """What a Kustomization deploys."""
    spec = mapping(resource.manifest.get("spec"))
    try:
        address = _address(known, resource, mapping(spec.get("sourceRef")))
        folder = folder_of(known, resource, address, _plain(spec.get("path")))
        if spec.get("components"):
            raise ClaimError("it adds components")
    except ClaimError as error:
        yield unseen(resource, f"what it deploys was not audited: {error}")
        return
    replaced, missing = _substitution(known, resource, mapping(spec.get("postBuild")))
    for name in missing:
        why = f"the variables that it takes from {name} are not known: what has one is as it stands"
        yield unseen(resource, why, Unseen.UNKNOWN)
    by = spoken(resource, "Flux Kustomization")
    namespace = str(spec.get("targetNamespace") or "")
    rendering = Rendering(release=resource.ref.name, namespace=namespace, by=by)
    around = _around(spec)
    yield Claim(by, f"as {resource.ref.name}", folder, rendering, around, replaced, namespace)


def _plain(path: Any) -> Any:
    return path.removeprefix("./").removeprefix(".") if isinstance(path, str) else path


def _around(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kustomization that says the same."""
    kept = ("namePrefix", "nameSuffix", "images", "patches")
    around = {key: spec[key] for key in kept if spec.get(key)}
    if spec.get("targetNamespace"):
        around["namespace"] = spec["targetNamespace"]
    common = mapping(spec.get("commonMetadata"))
    if common.get("annotations"):
        around["commonAnnotations"] = common["annotations"]
    if common.get("labels"):
        around["labels"] = [{"pairs": common["labels"]}]
    return around


def helm_release(known: Known, resource: Resource) -> Iterator[Claim | Gap]:
    """What a HelmRelease deploys."""
    spec = mapping(resource.manifest.get("spec"))
    try:
        folder, files = _chart(known, resource, spec)
        values = tuple(within(folder, folder, file) for file in files)
    except ClaimError as error:
        yield unseen(resource, f"what it deploys was not audited: {error}")
        return
    inline = []
    for one in sequence(spec.get("valuesFrom")):
        text = _values_from(known, resource, mapping(one))
        if text is not None:
            inline.append(text)
            continue
        name = f"{mapping(one).get('kind')} {mapping(one).get('name')}"
        why = f"the values that it takes from {name} are not known: it is rendered without them"
        yield unseen(resource, why, Unseen.UNKNOWN)
    if spec.get("postRenderers"):
        why = "its postRenderers were not applied to what the chart makes"
        yield unseen(resource, why, Unseen.UNKNOWN)
    if isinstance(spec.get("values"), dict):
        inline.append(yaml.safe_dump(spec["values"]))
    by = spoken(resource, "Flux HelmRelease")
    target = spec.get("targetNamespace")
    name = f"{target}-{resource.ref.name}" if target else resource.ref.name
    rendering = Rendering(
        values=values,
        inline=tuple(inline),
        release=str(spec.get("releaseName") or name),
        namespace=str(target or resource.ref.namespace),
        name=f"as {resource.ref.name}",
        by=by,
    )
    yield Claim(by, f"as {resource.ref.name}", folder, rendering, namespace=rendering.namespace)


def _chart(known: Known, resource: Resource, spec: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The folder of the chart, and the values files that are asked for in it."""
    inner = mapping(at(spec, ("chart", "spec")))
    ref = mapping(spec.get("chartRef"))
    if ref:
        chart = known.find(_SOURCES, ref.get("name"), ref.get("namespace"))
        if chart and chart.ref.kind == "HelmChart":
            inner = mapping(chart.manifest.get("spec"))
        else:
            return chart_of(known, _address(known, resource, ref) or ref.get("name"), None), []
    source = mapping(inner.get("sourceRef"))
    address = _address(known, resource, source)
    files = sequence(inner.get("valuesFiles"))
    if source.get("kind") in ("GitRepository", "Bucket"):
        return folder_of(known, resource, address, _plain(inner.get("chart"))), files
    return chart_of(known, address or source.get("name"), inner.get("chart")), files


def _address(known: Known, resource: Resource, ref: Mapping[str, Any]) -> Any:
    """Where the source of a reference is; nothing where it is not among the objects."""
    namespace = ref.get("namespace") or resource.ref.namespace
    kind = ref.get("kind")
    kinds = (kind,) if isinstance(kind, str) else _SOURCES
    source = known.find(kinds, ref.get("name"), namespace)
    return at(source.manifest, ("spec", "url")) if source else None


def _values_from(known: Known, resource: Resource, ref: Mapping[str, Any]) -> str | None:
    """The values in a ConfigMap that is among the objects; those of a Secret are not read."""
    if ref.get("kind") != "ConfigMap" or ref.get("targetPath"):
        return None
    found = known.find(("ConfigMap",), ref.get("name"), resource.ref.namespace)
    data = mapping(found.manifest.get("data")) if found else {}
    text = data.get(str(ref.get("valuesKey") or "values.yaml"))
    return text if isinstance(text, str) else None


def _substitution(
    known: Known, resource: Resource, said: Mapping[str, Any]
) -> tuple[Callable[[str], str], list[str]]:
    """What is put in the place of variables, and where others would come from."""
    if not said:
        return str, []
    values: dict[str, str] = {}
    missing = []
    for one in (mapping(one) for one in sequence(said.get("substituteFrom"))):
        kind, name = one.get("kind"), one.get("name")
        found = known.find(("ConfigMap",), name, resource.ref.namespace)
        if kind == "ConfigMap" and found:
            values |= dict(texts_of(found.manifest.get("data")))
        else:
            missing.append(f"{kind} {name}")
    values |= dict(texts_of(said.get("substitute")))
    return partial(_substituted, values, not missing), missing


def _substituted(values: Mapping[str, str], is_all: bool, text: str) -> str:
    """The text with its variables replaced, but for objects that do not want that."""
    parts = re.split(r"(?m)^(?=---)", text)
    return "".join(
        part if _LEFT_ALONE in part else _replaced(part, values, is_all) for part in parts
    )


def _replaced(text: str, values: Mapping[str, str], is_all: bool) -> str:
    def put(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        value = values.get(found[2])
        if value is None:
            value = found[3] if found[3] is not None else "" if is_all else found[0]
        return value

    return _VARIABLE.sub(put, text)
