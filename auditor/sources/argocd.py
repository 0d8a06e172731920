"""Reads Argo CD's Application and ApplicationSet: which folders they deploy, and how.

https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/ and
https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Resource
from auditor.sources.building import Rendering, first_value
from auditor.sources.claims import (
    Claim,
    ClaimError,
    Known,
    chart_of,
    folder_of,
    public,
    spoken,
    unseen,
    within,
)
from auditor.values import dataclass

GROUP = "argoproj.io"
_REFERENCE = re.compile(r"\{\{-?\s*\.?([\w.\[\]-]+)\s*-?\}\}")
_IMAGE = re.compile(
    r"(?:(?P<name>[^=]+)=)?(?P<new>[^@]*?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?"
)
MOST = 500
"""How many Applications one set may make."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """An Application while it is read."""

    known: Known
    resource: Resource
    """The object that is, or makes, the Application."""
    kind: str
    """What that is, in words."""
    manifest: Mapping[str, Any]
    """The Application."""

    @property
    def top(self) -> str:
        """The folder of the repository."""
        return self.known.top(self.resource)

    @property
    def sources(self) -> list[Mapping[str, Any]]:
        """Where the manifests come from."""
        spec = mapping(self.manifest.get("spec"))
        several = [mapping(one) for one in sequence(spec.get("sources"))]
        return several or [mapping(spec.get("source"))]


def application(known: Known, resource: Resource) -> Iterator[Claim | Gap]:
    """What an Application deploys."""
    yield from _application(_Asking(known, resource, "Argo CD Application", resource.manifest))


def application_set(known: Known, resource: Resource) -> Iterator[Claim | Gap]:
    """What the Applications of a set deploy, as far as its generators can be followed here."""
    spec = mapping(resource.manifest.get("spec"))
    if spec.get("templatePatch"):
        yield unseen(resource, "what it deploys was not audited: it has a templatePatch")
        return
    for generator in sequence(spec.get("generators")):
        try:
            for values in _generated(known, resource, mapping(generator)):
                made = mapping(_filled(spec.get("template"), values))
                if "{{" in json.dumps(made):
                    raise ClaimError("its template asks for what is not known here")
                asking = _Asking(known, resource, "Argo CD ApplicationSet", made)
                yield from _application(asking)
        except ClaimError as error:
            yield unseen(resource, f"what it deploys was not audited: {error}")


def _application(asking: _Asking) -> Iterator[Claim | Gap]:
    for source in asking.sources:
        if source.get("ref") and not source.get("path") and not source.get("chart"):
            continue
        try:
            yield _claim(asking, source)
        except ClaimError as error:
            yield unseen(asking.resource, f"what it deploys was not audited: {error}")


def _claim(asking: _Asking, source: Mapping[str, Any]) -> Claim:
    if source.get("plugin") or at(source, ("directory", "jsonnet")):
        raise ClaimError("it uses a plugin or Jsonnet, which are not run")
    folder = _folder(asking, source)
    target = mapping(at(asking.manifest, ("spec", "destination")))
    name = str(at(asking.manifest, ("metadata", "name")) or asking.resource.ref.name)
    by = spoken(asking.resource, asking.kind)
    namespace = str(target.get("namespace") or "")
    helm = mapping(source.get("helm"))
    rendering = Rendering(
        values=tuple(_values_files(asking, folder, helm)),
        inline=tuple(_inline(helm)),
        sets=tuple(_sets(helm)),
        release=str(helm.get("releaseName") or name),
        namespace=str(helm.get("namespace") or namespace),
        kubernetes=str(helm.get("kubeVersion") or "").removeprefix("v"),
        name=f"as {name}",
        by=by,
    )
    around = _around(mapping(source.get("kustomize")))
    label = str(target.get("name") or target.get("server") or "")
    return Claim(by, rendering.name, folder, rendering, around, str, namespace, label)


def _folder(asking: _Asking, source: Mapping[str, Any]) -> str:
    address, chart = source.get("repoURL"), source.get("chart")
    if chart:
        return chart_of(asking.known, address, chart)
    return folder_of(asking.known, asking.resource, address, source.get("path"))


def _values_files(asking: _Asking, folder: str, helm: Mapping[str, Any]) -> Iterator[str]:
    for file in sequence(helm.get("valueFiles")):
        try:
            yield _values_file(asking, folder, file)
        except ClaimError:
            if not helm.get("ignoreMissingValueFiles"):
                raise


def _values_file(asking: _Asking, folder: str, file: Any) -> str:
    top = asking.top
    if isinstance(file, str) and file.startswith("$"):
        name, _, rest = file[1:].partition("/")
        refs = {str(one["ref"]): one for one in asking.sources if one.get("ref")}
        if name not in refs:
            raise ClaimError(f"its values file {file} is of no source")
        base = asking.known.building.sources.get(str(refs[name].get("repoURL")))
        top = os.path.realpath(base) if base else top
        return within(top, top, rest)
    return within(folder, top if Path(folder).is_relative_to(top) else folder, file)


def _inline(helm: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(helm.get("values"), str):
        yield helm["values"]
    if isinstance(helm.get("valuesObject"), dict):
        yield yaml.safe_dump(helm["valuesObject"])
    for one in (mapping(one) for one in sequence(helm.get("parameters"))):
        name = one.get("name")
        if one.get("forceString") and isinstance(name, str):
            yield _nested(name, str(one.get("value")))
    if helm.get("fileParameters"):
        raise ClaimError("it has parameters from files")


def _nested(name: str, value: str) -> str:
    """A value under ``a.b.c`` as YAML."""
    if "[" in name or "\\" in name:
        raise ClaimError(f"its parameter {name} is a text in a list")
    nested: Any = value
    for key in reversed(name.split(".")):
        nested = {key: nested}
    return str(yaml.safe_dump(nested))


def _sets(helm: Mapping[str, Any]) -> Iterator[str]:
    for one in sequence(helm.get("parameters")):
        entry = mapping(one)
        if not entry.get("forceString"):
            value = str(entry.get("value", "")).replace(",", "\\,")
            yield f"{entry.get('name')}={value}"


def _around(kustomize: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kustomization that says the same."""
    kept = ("namePrefix", "nameSuffix", "namespace", "commonLabels", "commonAnnotations", "patches")
    around = {key: kustomize[key] for key in kept if kustomize.get(key)}
    images = [_image(str(one)) for one in sequence(kustomize.get("images"))]
    if images:
        around["images"] = images
    if kustomize.get("replicas"):
        counts = [mapping(one) for one in sequence(kustomize["replicas"])]
        around["replicas"] = [
            {"name": one.get("name"), "count": int(one.get("count") or 0)} for one in counts
        ]
    if kustomize.get("components"):
        raise ClaimError("it adds components")
    return around


def _image(text: str) -> dict[str, str]:
    """``old=new:tag``, ``name:tag`` or ``name@digest`` as a kustomization says it."""
    found = _IMAGE.fullmatch(text)
    if found is None:
        raise ClaimError(f"its image {text} is none")
    name = found["name"] or found["new"]
    said = {
        "name": name,
        "newName": found["new"],
        "newTag": found["tag"],
        "digest": found["digest"],
    }
    return {key: value for key, value in said.items() if value}


def _generated(
    known: Known, resource: Resource, generator: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """The parameters of one generator, one after the other."""
    kinds = [key for key in generator if key not in ("template", "selector")]
    if generator.get("selector") or len(kinds) != 1 or kinds[0] not in ("list", "git"):
        raise ClaimError(f"its generator '{', '.join(kinds)}' is not followed")
    said = mapping(generator[kinds[0]])
    if kinds[0] == "list":
        if said.get("elementsYaml"):
            raise ClaimError("its elements are a template")
        yield from _at_most([mapping(one) for one in sequence(said.get("elements"))])
        return
    found = list(_of_git(known, resource, said))
    if not found:
        raise ClaimError(f"nothing in {public(said.get('repoURL'))} fits its generator here")
    yield from _at_most(found)


def _at_most(found: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The first of them; that there are more is no secret."""
    yield from found[:MOST]
    if len(found) > MOST:
        rest = len(found) - MOST
        raise ClaimError(f"it makes more than {MOST} Applications: the last {rest} were left out")


def _of_git(
    known: Known, resource: Resource, said: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    top = Path(known.top(resource))
    extra = {"values": mapping(said.get("values"))}
    rules = [mapping(one) for one in sequence(said.get("directories"))]
    excluded = [str(one.get("path")) for one in rules if one.get("exclude")]
    for rule in rules:
        if rule.get("exclude"):
            continue
        for folder in _matching(top, str(rule.get("path"))):
            path = folder.relative_to(top).as_posix()
            left = any(_matches(path, pattern) for pattern in excluded)
            if folder.is_dir() and not left:
                yield {**_path(path), **extra}
    for rule in (mapping(one) for one in sequence(said.get("files"))):
        for file in _matching(top, str(rule.get("path"))):
            value = first_value(file) if file.is_file() else None
            for one in value if isinstance(value, list) else [value]:
                yield {**mapping(one), **_path(file.parent.relative_to(top).as_posix()), **extra}


def _matching(top: Path, pattern: str) -> list[Path]:
    if ".." in Path(pattern).parts or Path(pattern).is_absolute():
        raise ClaimError(f"its path '{pattern}' leaves the repository")
    if pattern in ("*", "**"):
        return sorted(one for one in top.glob("*") if not one.name.startswith("."))
    return sorted(one for one in top.glob(pattern) if one.resolve().is_relative_to(top.resolve()))


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern fits as in Go, where none of its signs stands for a slash."""
    names, parts = path.split("/"), pattern.replace("[^", "[!").split("/")
    pairs = zip(names, parts, strict=False)
    return len(names) == len(parts) and all(fnmatch.fnmatchcase(*pair) for pair in pairs)


def _path(path: str) -> dict[str, Any]:
    """What the git generator says of a folder, in both dialects of its templates."""
    pieces = path.split("/")
    normal = re.sub(r"[^a-z0-9.-]", "-", pieces[-1].lower()).strip("-.")
    said = {"path": path, "basename": pieces[-1], "basenameNormalized": normal}
    return {"path": said, **{f"path[{at}]": piece for at, piece in enumerate(pieces)}}


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with what is known put in its place."""
    if isinstance(template, dict):
        return {_filled(key, values): _filled(inside, values) for key, inside in template.items()}
    if isinstance(template, list):
        return [_filled(one, values) for one in template]
    if not isinstance(template, str):
        return template
    return _REFERENCE.sub(lambda found: _value(found[1], values, found[0]), template)


def _value(name: str, values: Mapping[str, Any], left: str) -> str:
    found = values.get(name)
    if found is None:
        found = at(values, tuple(name.split(".")))
    if isinstance(found, dict) and name == "path":
        found = found["path"]
    return str(found) if isinstance(found, str | int | float) else left
