"""Which workloads hold personal or sensitive data, why we think so, and who may ask for it.

Declared today: the label or annotation ``auditor/data`` (pii, spi) on the workload, on its pods
or on the namespace, and the annotations ``auditor/clients`` and ``auditor/health`` beside it.
What is written there and means nothing is told: a typing error must not take data out of sight.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.facts.wording import said
from auditor.facts.workloads import LAST_PORT, Workload, container_ports
from auditor.manifests import at, mapping
from auditor.model import Gap, Path, Ref, Resource, Snapshot, Unseen

DATA = "auditor/data"
CLIENTS = "auditor/clients"
HEALTH = "auditor/health"
ROLE = "auditor/role"
PREFIX = "auditor/"
ROLES = ("monitor", "database")
CLASSES = ("pii", "spi")
NOTHING = "none"
"""Written on a workload: it holds no such data, whatever its namespace says."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A label or annotation of ours, and where it stands."""

    value: str
    ref: Ref
    path: Path


@dataclass(frozen=True, slots=True)
class DataClass:
    """Why a workload counts as holding personal data."""

    names: tuple[str, ...]
    """pii, spi, or both."""
    declared: Declared


def declared(workload: Workload, key: str) -> Declared | None:
    """The label or annotation `key` of the workload, else of its pods."""
    return _written(workload.resource, workload.metadata_paths, key)


def _written(resource: Resource, places: Sequence[Path], key: str) -> Declared | None:
    """What stands under `key`. A number without quotes counts as text: the API server would refuse
    it, and nobody who forgot the quotes meant to say nothing.
    """
    for where in places:
        for field in ("labels", "annotations"):
            path = (*where, field)
            value = mapping(at(resource.manifest, path)).get(key)
            if value is not None:
                told = value if isinstance(value, str) else said(value).strip("'")
                return Declared(told, resource.ref, (*path, key))
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


class DataClasses:
    """The declarations of a snapshot, by workload."""

    def __init__(self, snapshot: Snapshot, workloads: Sequence[Workload]) -> None:
        self._namespaces = {r.ref.name: r for r in snapshot.of_kind("Namespace")}
        self._by_name: dict[str, list[Workload]] = {}
        for workload in workloads:
            self._by_name.setdefault(workload.name, []).append(workload)

    def of(self, workload: Workload) -> DataClass | None:
        """What the workload is declared to hold; None where nothing says so."""
        for found in (declared(workload, DATA), self._of_namespace(workload)):
            words = listed(found.value.lower()) if found else ()
            names = tuple(dict.fromkeys(word for word in words if word in CLASSES))
            if found and names:
                return DataClass(names, found)
            if NOTHING in words:
                return None
        return None

    def _of_namespace(self, workload: Workload) -> Declared | None:
        namespace = self._namespaces.get(workload.ref.namespace)
        return _written(namespace, (("metadata",),), DATA) if namespace else None

    def clients_of(self, workload: Workload) -> Mapping[str, tuple[Workload, ...]] | None:
        """Its declared clients by the name that was written, each with the workloads of that
        name (none where nothing is called so); None where nothing is declared.
        """
        found = declared(workload, CLIENTS)
        if found is None:
            return None
        return {name: tuple(self._named(workload, name)) for name in listed(found.value)}

    def misread(self, workload: Workload) -> Iterator[Gap]:
        """A gap for each word of the workload's declarations that means nothing here."""
        for found in (declared(workload, DATA), self._of_namespace(workload)):
            for word in listed(found.value) if found else ():
                if found and word.lower() not in (*CLASSES, NOTHING):
                    why = f"'{word}' is none of {', '.join(CLASSES)}, none"
                    # Somebody meant to protect data: whether it is, nobody has looked.
                    yield _misread(DATA, found, why, Unseen.INCOMPLETE)
        for name, clients in (self.clients_of(workload) or {}).items():
            if not clients and (found := declared(workload, CLIENTS)):
                yield _misread(CLIENTS, found, f"no workload here is called '{name}'")
        found = declared(workload, HEALTH)
        for part in listed(found.value) if found else ():
            if found and not _ports_meant(workload, part):
                yield _misread(HEALTH, found, f"'{part}' is no port of its containers")
        yield from _unknown_keys(workload)

    def _named(self, workload: Workload, name: str) -> Iterator[Workload]:
        full = name if "/" in name else f"{workload.ref.namespace}/{name}"
        yield from self._by_name.get(full, ())

    @staticmethod
    def health_ports(workload: Workload) -> tuple[int, ...]:
        """The ports of its health API, as declared by number or by a container port's name; ()
        where none is declared.
        """
        found = declared(workload, HEALTH)
        wanted = listed(found.value) if found else ()
        return tuple(dict.fromkeys(p for part in wanted for p in _ports_meant(workload, part)))


def _misread(key: str, found: Declared, why: str, severity: Unseen = Unseen.UNKNOWN) -> Gap:
    return Gap(f"{key} of {found.ref}", why, severity, ref=found.ref)


def _unknown_keys(workload: Workload) -> Iterator[Gap]:
    """A gap for each key that looks like ours and is none."""
    keys = (DATA, CLIENTS, HEALTH, ROLE)
    for where in workload.metadata_paths:
        for field in ("labels", "annotations"):
            for key in mapping(at(workload.resource.manifest, (*where, field))):
                if isinstance(key, str) and key.startswith(PREFIX) and key not in keys:
                    close = difflib.get_close_matches(key, keys, n=1, cutoff=0)[0]
                    why = f"there is no such key; did you mean '{close}'?"
                    found = Declared("", workload.ref, (*where, field, key))
                    yield _misread(key, found, why, Unseen.INCOMPLETE)


def _ports_meant(workload: Workload, part: str) -> list[int]:
    if part.isascii() and part.isdigit():
        # Longer texts of digits are no ports, and int() refuses very long ones.
        return [int(part)] if len(part) <= 5 and 1 <= int(part) <= LAST_PORT else []
    return [number for number, _, name, _ in container_ports(workload) if name == part]
