"""What a GitOps object asks to be built: the folder, and what else is done to it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from auditor.manifests import mapping
from auditor.model import Gap, Resource, Unseen
from auditor.sources.building import Building, Rendering, text_in
from auditor.sources.charts import repository
from auditor.sources.objects import objects_of
from auditor.sources.yaml import Document, documents
from auditor.terms import CHART
from auditor.values import dataclass

_SOURCE = "source.toolkit.fluxcd.io"
_USER = re.compile(r"(?<=//)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Claim:
    """A folder that a GitOps object deploys."""

    by: str
    """Who deploys it: ``Argo CD Application shop in apps.yaml:3``."""
    title: str
    """The object in a word or two: ``as shop``."""
    folder: str
    """Its real path."""
    rendering: Rendering = Rendering()
    """How to render it, where it is a chart."""
    around: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a kustomization around it, where it is one."""
    replaced: Callable[[str], str] = str
    """What is made of the text that kustomize writes."""
    namespace: str = ""
    """Where its objects go that name no namespace."""
    label: str = ""
    """The cluster that it goes to, if one is named."""


@dataclass
class Known:
    """What can be looked up while GitOps objects are read."""

    building: Building
    folders: tuple[str, ...]
    """The real paths of the folders that are audited."""
    unbuilt: list[str]
    """The real paths of the files that builds use: a source may stand in one."""
    objects: list[Resource] = field(default_factory=list)
    """All objects that were found so far."""

    def add(self, found: Iterable[Resource]) -> None:
        """Look these up as well."""
        self.objects += found

    @cached_property
    def sources(self) -> list[Resource]:
        """The objects in files that are not built yet, as far as they tell where something is."""
        found = []
        for file in self.unbuilt:
            text = text_in(file)
            for document in documents(file, text) if _SOURCE in text else ():
                objects = objects_of(document) if isinstance(document, Document) else ()
                found += [one for one in objects if isinstance(one, Resource)]
        return found

    def find(self, kinds: tuple[str, ...], name: Any, namespace: Any) -> Resource | None:
        """An object by what a reference says of it."""
        for one in (*self.objects, *self.sources):
            at_home = one.ref.namespace in ("", "default") or not namespace
            named = one.ref.kind in kinds and one.ref.name == name
            if named and (at_home or one.ref.namespace == namespace):
                return one
        return None

    def top(self, resource: Resource) -> str:
        """The folder that paths of an object start from: that of its repository, else the one that
        is audited.
        """
        folder = Path(os.path.realpath(resource.origin.uri)).parent
        found = repository(str(folder))
        if found:
            return str(found)
        above = (one for one in self.folders if folder.is_relative_to(one))
        return next(above, str(folder))


class ClaimError(Exception):
    """What the object deploys is not here. The text says why, in one line."""


def public(address: Any) -> str:
    """An address without the credentials in it."""
    return _USER.sub("", str(address))


def spoken(resource: Resource, kind: str) -> str:
    """The object in words, with its place."""
    line = resource.origin.span(()).line
    return f"{kind} {resource.ref.name} in {resource.origin.uri}:{line}"


def unseen(resource: Resource, why: str, severity: Unseen = Unseen.INCOMPLETE) -> Gap:
    """A gap for what an object deploys."""
    kinds = ("*",) if severity is Unseen.INCOMPLETE else ()
    line = resource.origin.span(()).line
    what = f"{resource.ref} ({resource.origin.uri}:{line})"
    return Gap(what, why, severity, kinds)


def folder_of(known: Known, resource: Resource, address: Any, path: Any) -> str:
    """The real path of a folder in the repository at `address`.

    Raises:
        ClaimError: it is not here, or leaves the repository.
    """
    if not isinstance(path, str | None):
        raise ClaimError("its path is no text")
    declared = _declared(known, address)
    top = declared or known.top(resource)
    inner = (path or "").strip("/")
    folder = os.path.realpath(Path(top, inner))
    if not Path(folder).is_relative_to(top):
        raise ClaimError(f"its path '{path}' leaves {top}")
    is_top = folder == os.path.realpath(top)
    if not Path(folder).is_dir() or (is_top and not declared and not _is_here(top, address)):
        where = f" of {public(address)}" if address else ""
        raise ClaimError(
            f"'{path or '.'}'{where} is not among the files: "
            "say under `sources` in .auditor.yaml which folder has it"
        )
    return folder


def chart_of(known: Known, address: Any, chart: Any) -> str:
    """The real path of a chart of the repository at `address`.

    Raises:
        ClaimError: nobody said where it is.
    """
    joined = f"{str(address).rstrip('/')}/{chart}" if chart else str(address)
    for name, inner in ((joined, ""), (chart, ""), (address, chart or "")):
        base = _declared(known, name)
        if base:
            folder = os.path.realpath(Path(base, str(inner)))
            if Path(folder, CHART).is_file() and Path(folder).is_relative_to(base):
                return folder
    raise ClaimError(
        f"the chart {public(joined)} is not among the files: "
        "say under `sources` in .auditor.yaml which folder has it"
    )


def _declared(known: Known, address: Any) -> str | None:
    """The folder that is declared for an address.

    Raises:
        ClaimError: it is not there, or leaves the repository.
    """
    found = known.building.sources.get(str(address)) if address else None
    if found is None:
        return None
    folder = os.path.realpath(found)
    within = known.building.within
    if not Path(folder).is_dir() or (within and not Path(folder).is_relative_to(within)):
        raise ClaimError(f"the folder that is declared for {public(address)} is not in {within}")
    return folder


def _is_here(top: str, address: Any) -> bool:
    """Whether the repository at `top` says that it comes from `address`."""
    config = ConfigParser(strict=False, interpolation=None)
    try:
        config.read(Path(top, ".git", "config"), encoding="utf-8")
    except (OSError, Error, UnicodeDecodeError):
        return False
    wanted = _bare(address)
    return any(_bare(config[part].get("url", "")) == wanted for part in config.sections())


def _bare(address: Any) -> str:
    """An address without what differs between the ways to reach it."""
    text = re.sub(r"^\w+://", "", public(str(address)))
    text = re.sub(r"^[\w.-]+@", "", text).replace(":", "/")
    return text.removesuffix("/").removesuffix(".git").lower()


def within(folder: str, top: str, file: Any) -> str:
    """The real path of a file that an object names.

    Raises:
        ClaimError: it is far away, leaves the repository or is not there.
    """
    if not isinstance(file, str) or "://" in file:
        raise ClaimError(f"its values file {public(file)} would have to be fetched")
    start = top if file.startswith("/") else folder
    path = os.path.realpath(Path(start, file.lstrip("/")))
    if not Path(path).is_relative_to(top):
        raise ClaimError(f"its values file {file} leaves {top}")
    if not Path(path).is_file():
        raise ClaimError(f"its values file {file} is not there")
    return path


def texts_of(value: Any) -> Iterator[tuple[str, str]]:
    """The pairs of a mapping whose value can be put into a text."""
    for key, inside in mapping(value).items():
        if isinstance(inside, str | int | float):
            yield str(key), str(inside)
