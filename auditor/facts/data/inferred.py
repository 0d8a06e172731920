"""What looks like personal data, with the evidence and how sure it is. It never counts as declared.

Evidence: the names of the workload, of its Services, volumes and databases; keys in its ConfigMaps,
Secrets and environment; and the data of a declared workload, which flows on to whom that one asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import prod
from typing import TYPE_CHECKING

from auditor.facts.data.vocabulary import asks, hints, is_store
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Ref
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.configuration import Told
    from auditor.facts.facts import Facts

ENOUGH = 0.5
"""How sure it has to be for a question to the owner."""
IN_NAME, IN_NAME_WEAKLY, IN_KEY = 0.6, 0.3, 0.3
KEEPS = 0.3
"""It is a database or asks one. By itself that is no hint: every service has one."""
BEHIND_DATA, FLOWS_ON = 0.8, 0.3
"""A database that a declared workload asks; anything else that it asks."""

DATABASE_NAMES = frozenset(
    (
        "POSTGRES_DB", "PGDATABASE", "MYSQL_DATABASE", "MARIADB_DATABASE", "DB_NAME", "DATABASE",
        "DATABASE_NAME", "MONGO_INITDB_DATABASE", "MONGODB_DATABASE", "POSTGRESQL_DATABASE",
        "DB_DATABASE", "DB_SCHEMA", "SCHEMA", "KEYSPACE",
    )
)  # fmt: skip
"""Variables that hold the name of a database."""
_IN_URL = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|sqlserver|cockroachdb)(?:\+[a-z0-9]+)?://"
    r"[^/\s?]{1,512}/(?P<name>[A-Za-z0-9_-]{1,64})",
    re.IGNORECASE,
)
"""The name of the database at the end of its address."""


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that hints at personal data."""

    told: str
    """In words: ``its name says 'customers'``."""
    name: str
    """The class of data that it hints at."""
    weight: float
    """How likely it is by this alone, from 0 to 1."""
    ref: Ref
    path: Path


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a workload looks like, though nothing declares it."""

    names: tuple[str, ...]
    confidence: float
    """Of all clues together, as if they were independent; from 0 to 1."""
    clues: tuple[Clue, ...]
    """The strongest first."""


def likeness_of(facts: Facts, workload: Workload) -> Likeness | None:
    """What an unclassified workload looks like; None where nothing hints or it is declared."""
    if facts.data.is_classified(workload) or workload.ref.key in facts.monitor_paths:
        return None
    clues = _once([*_own(facts, workload), *_flowing(facts, workload)])
    if not clues:
        return None
    unlikely = prod(1 - clue.weight for clue in clues)
    needs = facts.needs.get(workload.ref.key, ())
    if _keeps(facts, workload) or any(_keeps(facts, edge.target) for edge in needs):
        unlikely *= 1 - KEEPS
    ordered = tuple(sorted(clues, key=lambda clue: -clue.weight))
    names = tuple(dict.fromkeys(clue.name for clue in ordered))
    return Likeness(names, round(1 - unlikely, 2), ordered)


def _keeps(facts: Facts, workload: Workload) -> bool:
    return workload.ref.key in facts.databases or is_store(workload.ref.name)


def _once(clues: Iterable[Clue]) -> list[Clue]:
    """Each word once: that the Service is called as its workload is no second sign."""
    found: dict[tuple[str, float], Clue] = {}
    for clue in clues:
        word = clue.told.rpartition(" ")[2]
        found.setdefault((word, min(clue.weight, IN_NAME)), clue)
    return list(found.values())


def _own(facts: Facts, workload: Workload) -> Iterator[Clue]:
    yield from _named("its name says", workload.ref.name, workload.ref, ("metadata", "name"))
    for service in facts.directory.services_of(workload):
        told = f"its Service {service.ref.name} says"
        yield from _named(told, service.ref.name, service.ref, ("metadata", "name"))
    yield from _volumes(workload)
    known = facts.told_by_key.get(workload.ref.key)
    if known:
        yield from _configured(known)
        yield from _secrets(workload)


def _named(told: str, name: str, ref: Ref, path: Path) -> Iterator[Clue]:
    for word, data, strong in hints(name):
        weight = IN_NAME if strong else IN_NAME_WEAKLY
        yield Clue(f"{told} '{word}'", data, weight, ref, path)


def _volumes(workload: Workload) -> Iterator[Clue]:
    """Names of claims: what is kept under them outlives the pods."""
    spec = mapping(workload.resource.manifest.get("spec"))
    for index, claim in enumerate(sequence(spec.get("volumeClaimTemplates"))):
        name = text(at(claim, ("metadata", "name")))
        path: Path = ("spec", "volumeClaimTemplates", index)
        yield from _named("the name of its claim says", name, workload.ref, path)
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        name = text(at(volume, ("persistentVolumeClaim", "claimName")))
        path = (*workload.pod_path, "volumes", index)
        yield from _named("the name of its claim says", name, workload.ref, path)


def _configured(told: Told) -> Iterator[Clue]:
    """The names of databases, and keys that are no addresses."""
    for one in told.texts:
        if one.key.upper() in DATABASE_NAMES and not one.file:
            yield from _named("the name of its database says", one.value, one.ref, one.path)
            continue
        for match in _IN_URL.finditer(one.value):
            yield from _named("the name of its database says", match["name"], one.ref, one.path)
        if not one.file and not asks(one.key):
            yield from _keyed("a key says", one.key, one.ref, one.path)


def _keyed(told: str, key: str, ref: Ref, path: Path) -> Iterator[Clue]:
    """A key tells less than a name: many services mention a customer and keep none."""
    for word, data, strong in hints(key):
        if strong:
            yield Clue(f"{told} '{word}'", data, IN_KEY, ref, path)


def _secrets(workload: Workload) -> Iterator[Clue]:
    """The names and keys of the Secrets that it is given; never what is in them."""
    for container in workload.containers:
        for index, entry in enumerate(map(mapping, sequence(container.spec.get("env")))):
            chosen = at(entry, ("valueFrom", "secretKeyRef"))
            place = (*container.path, "env", index)
            for key in ("name", "key"):
                yield from _keyed(
                    "a Secret says", text(mapping(chosen).get(key)), workload.ref, place
                )
        for index, entry in enumerate(map(mapping, sequence(container.spec.get("envFrom")))):
            name = text(at(entry, ("secretRef", "name")))
            yield from _keyed(
                "a Secret says", name, workload.ref, (*container.path, "envFrom", index)
            )


def _flowing(facts: Facts, workload: Workload) -> Iterator[Clue]:
    """What workloads that are declared to hold data ask, and so may hand it on to."""
    database = workload.ref.key in facts.databases
    for edge in facts.needed_by.get(workload.ref.key, ()):
        held = facts.data.of(edge.client)
        for name in held.names if held else ():
            what = "keeps data for" if database else "is asked by"
            told = f"it {what} {edge.client.name}"
            weight = BEHIND_DATA if database else FLOWS_ON
            yield Clue(told, name, weight, edge.ref, edge.path)
