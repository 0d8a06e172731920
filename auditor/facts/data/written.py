"""The labels and annotations in which objects say what they are, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.facts.wording import said
from auditor.facts.workloads import LAST_PORT, Workload, container_ports
from auditor.manifests import at, mapping
from auditor.model import Path, Ref, Resource
from auditor.values import dataclass

DATA = "auditor/data"
CLIENTS = "auditor/clients"
HEALTH = "auditor/health"
TELEMETRY = "auditor/telemetry"
ROLE = "auditor/role"
NEEDS = "auditor/needs"
"""How many replicas a workload needs to do its work."""
PREFIX = "auditor/"
ROLES = ("monitor", "database")
NOTHING = "none"
"""Written on a workload: it holds no such data, whatever its namespace says."""

Request = tuple[int, str | None]
"""A port, and the path that is asked there; None for every path."""

_REQUEST = re.compile(r"(?P<port>[^/:]*)(?::?(?P<path>/.*))?", re.DOTALL)
"""``8081``, ``health``, ``8081/healthz``, ``health:/healthz``: no name of a port has / or : in
it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A label or annotation of ours, and where it stands."""

    value: str
    ref: Ref
    path: Path
    origin: str = ""
    """Where it is written, if not in a manifest: then `ref` and `path` say of whom."""


def declared(workload: Workload, key: str) -> Declared | None:
    """The label or annotation `key` of the workload, else of its pods."""
    if key not in workload.marked:
        return None
    return written(workload.resource, workload.metadata_paths, key)


def written(resource: Resource, places: Sequence[Path], key: str) -> Declared | None:
    """What stands under `key`. A number without quotes counts as text: the API server would refuse
    it, and nobody who forgot the quotes meant to say nothing.
    """
    for where in places:
        metadata = mapping(at(resource.manifest, where))
        for field in ("labels", "annotations"):
            texts = metadata.get(field)
            value = mapping(texts).get(key) if texts else None
            if value is not None:
                told = value if isinstance(value, str) else said(value).strip("'")
                return Declared(told, resource.ref, (*where, field, key))
    return None


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list written with commas or spaces."""
    return tuple(part for part in text.replace(",", " ").split() if part)


def has_role(workload: Workload, role: str) -> bool | None:
    """Whether the workload declares this one of ROLES (``auditor/role``); None where it declares
    none of them, so that its image may tell.
    """
    found = declared(workload, ROLE)
    words = listed(found.value.lower()) if found else ()
    return role in words if any(word in ROLES for word in words) else None


def requests_meant(workload: Workload, part: str) -> tuple[Request, ...]:
    """What ``port``, ``port/path`` or ``port:/path`` means, the port by number or by the name of a
    container port; () where that is no port of it.
    """
    match = _REQUEST.fullmatch(part)
    if match is None:
        return ()
    return tuple((port, match["path"]) for port in _ports_meant(workload, match["port"]))


def _ports_meant(workload: Workload, part: str) -> list[int]:
    if part.isascii() and part.isdigit():
        # Longer texts of digits are no ports, and int() refuses very long ones.
        return [int(part)] if len(part) <= 5 and 1 <= int(part) <= LAST_PORT else []
    return [number for number, _, name, _ in container_ports(workload) if name == part]
