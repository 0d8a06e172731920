"""What is declared of personal data: who holds it, who owns it, who may ask for it.

The configuration counts first, since whoever may write a manifest must not take data out of sight;
then what a workload says, its pods, a Service that leads to it, its namespace. **Clients are
authorised by the owner of the data alone**: in the configuration or in the namespace of the data.
What is written there and means nothing is told: a typing error must not take data out of sight.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from auditor.declared import DataTerms, Holding
from auditor.facts.data.matching import fitting
from auditor.facts.data.written import (
    CLIENTS,
    DATA,
    HEALTH,
    NEEDS,
    NOTHING,
    PREFIX,
    ROLE,
    ROLES,
    TELEMETRY,
    Declared,
    Request,
    declared,
    listed,
    requests_meant,
    written,
)
from auditor.facts.network.ways import Services
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Gap, Key, Resource, Snapshot, Unseen
from auditor.values import dataclass

OTHER_WORDS = frozenset(
    (
        "public", "internal", "private", "confidential", "restricted", "secret", "official",
        "sensitive", "protected", "critical", "low", "medium", "moderate", "high", "no", "non-pii",
        "no-pii", "false", "n-a", "na", "open", "proprietary",
    )
)  # fmt: skip
"""What a classification that is not ours may say without speaking of personal data."""

WAIVER = f"{PREFIX}waive."
"""How keys of another kind begin."""

CONFIGURED = ("metadata", "name")
"""Where a finding about a workload stands that only the configuration speaks of."""


@dataclass(frozen=True, slots=True)
class DataClass:
    """Why a workload counts as holding personal data."""

    names: tuple[str, ...]
    """pii, spi, or both; or other classes that the configuration names."""
    declared: Declared


Verdict = tuple[bool, DataClass | None]
"""Whether something says what a workload holds, and what it says."""


class DataClasses:
    """The declarations of a snapshot, by workload. Each is read once."""

    def __init__(
        self, snapshot: Snapshot, workloads: Sequence[Workload], terms: DataTerms | None = None
    ) -> None:
        self.terms = terms or DataTerms()
        self._snapshot = snapshot
        self._namespaces = {r.ref.name: r for r in snapshot.of_kind("Namespace")}
        self._by_name: dict[str, list[Workload]] = {}
        for workload in workloads:
            self._by_name.setdefault(workload.name, []).append(workload)
        self._said: dict[Key, Verdict] = {}

    def of(self, workload: Workload) -> DataClass | None:
        """What the workload is declared to hold; None where nothing says so."""
        return self._verdict(workload)[1]

    def is_classified(self, workload: Workload) -> bool:
        """Whether something says what it holds, and be it no personal data."""
        return self._verdict(workload)[0]

    def _verdict(self, workload: Workload) -> Verdict:
        key = workload.ref.key
        if key not in self._said:
            self._said[key] = self.verdict(workload)
        return self._said[key]

    def know(self, workloads: Iterable[Workload], verdicts: Iterable[Verdict]) -> None:
        """Take these verdicts over."""
        for workload, verdict in zip(workloads, verdicts, strict=True):
            self._said.setdefault(workload.ref.key, verdict)

    def verdict(self, workload: Workload) -> Verdict:
        """Whether it is classified, and as what; from it, Namespaces and Services."""
        classified = False
        for found in self._words_about(workload):
            words = listed(found.value.lower())
            names = tuple(dict.fromkeys(word for word in words if word in self.terms.classes))
            if names:
                return True, DataClass(names, found)
            if NOTHING in words:
                return True, None
            classified |= bool(OTHER_WORDS.intersection(words))
        return classified, None

    def _words_about(self, workload: Workload) -> Iterator[Declared]:
        """Every declaration that may speak of its data, the first one counts first."""
        entry = self._entry(workload, "classes")
        if entry:
            words = " ".join(entry.classes or ())
            yield Declared(words, workload.ref, CONFIGURED, entry.origin)
        for key in self.terms.keys:
            if found := declared(workload, key):
                yield found
        for service in self._behind(workload):
            yield from self._on(service)
        if namespace := self._namespaces.get(workload.ref.namespace):
            yield from self._on(namespace)

    def _on(self, resource: Resource) -> Iterator[Declared]:
        for key in self.terms.keys:
            if found := written(resource, (("metadata",),), key):
                yield found

    @cached_property
    def _speaking(self) -> Services | None:
        """The Services that say what stands behind them; None where there is none."""
        found = [s for s in self._snapshot.of_kind("Service") if any(self._on(s))]
        return Services(Snapshot(tuple(found))) if found else None

    def _behind(self, workload: Workload) -> tuple[Resource, ...]:
        return self._speaking.of(workload) if self._speaking else ()

    def _entry(self, workload: Workload, field: str) -> Holding | None:
        """The first entry of the configuration that fits and says this of it."""
        for entry in fitting(self.terms.objects, workload.ref):
            value = getattr(entry, field)
            if value or (field == "clients" and value is not None):
                return entry
        return None

    def owner_of(self, workload: Workload) -> str:
        """Who answers for its data, as the configuration says; empty where it does not."""
        entry = self._entry(workload, "owner")
        return entry.owner if entry else ""

    def clients_of(self, workload: Workload) -> Mapping[str, tuple[Workload, ...]] | None:
        """Its declared clients by the name that was written, each with the workloads of that
        name (none where nothing is called so); None where nothing is declared.
        """
        found = self.clients_declared(workload)
        if found is None:
            return None
        return {name: tuple(self._named(workload, name)) for name in listed(found.value)}

    def clients_declared(self, workload: Workload) -> Declared | None:
        """Where its clients are declared: in the configuration, on it, or on its namespace."""
        entry = self._entry(workload, "clients")
        if entry:
            words = " ".join(entry.clients or ())
            return Declared(words, workload.ref, CONFIGURED, entry.origin)
        found = declared(workload, CLIENTS)
        namespace = self._namespaces.get(workload.ref.namespace)
        if found is None and namespace:
            return written(namespace, (("metadata",),), CLIENTS)
        return found

    def _named(self, workload: Workload, name: str) -> Iterator[Workload]:
        full = name if "/" in name else f"{workload.ref.namespace}/{name}"
        yield from self._by_name.get(full, ())

    def health_ports(self, workload: Workload) -> tuple[int, ...]:
        """The ports of its health API, as declared by number or by a container port's name; ()
        where none is declared. Some of them may be health only under a path: see
        `health_requests`.
        """
        return tuple(dict.fromkeys(port for port, _ in self.health_requests(workload)))

    def health_requests(self, workload: Workload) -> tuple[Request, ...]:
        """Its health API as declared: each a port, and the path there (None: every path)."""
        return self._requests(workload, "health", HEALTH)

    def telemetry_requests(self, workload: Workload) -> tuple[Request, ...]:
        """The figures that monitors may read of it, in the same form."""
        return self._requests(workload, "telemetry", TELEMETRY)

    def _requests(self, workload: Workload, field: str, key: str) -> tuple[Request, ...]:
        parts = self._parts(workload, field, key)
        return tuple(dict.fromkeys(r for part in parts for r in requests_meant(workload, part)))

    def _parts(self, workload: Workload, field: str, key: str) -> tuple[str, ...]:
        entry = self._entry(workload, field)
        if entry:
            return entry.health if field == "health" else entry.telemetry
        found = declared(workload, key)
        return listed(found.value) if found else ()

    def misread(self, workload: Workload) -> Iterator[Gap]:
        """A gap for each word of the workload's declarations that means nothing here."""
        for found in self._words_about(workload):
            yield from self._misread_classes(found)
        authority = self.clients_declared(workload)
        for name, clients in (self.clients_of(workload) or {}).items():
            if not clients and authority:
                yield _misread(CLIENTS, authority, f"no workload here is called '{name}'")
        for field, key in (("health", HEALTH), ("telemetry", TELEMETRY)):
            place = declared(workload, key) or Declared("", workload.ref, CONFIGURED)
            for part in self._parts(workload, field, key):
                if not requests_meant(workload, part):
                    yield _misread(key, place, f"'{part}' is no port of its containers")
        yield from _misread_roles(workload)
        yield from self._unknown_keys(workload)

    def _misread_classes(self, found: Declared) -> Iterator[Gap]:
        key = DATA if found.origin else str(found.path[-1])
        ours = key.startswith(PREFIX)
        known = (*self.terms.classes, NOTHING)
        for word in listed(found.value):
            if word.lower() in known or (not ours and word.lower() in OTHER_WORDS):
                continue
            why = f"'{word}' is none of {', '.join(known)}"
            # Somebody meant to protect data: whether it is, nobody has looked. Under a key that
            # others read as well, the word may mean something to them.
            yield _misread(key, found, why, Unseen.INCOMPLETE if ours else Unseen.UNKNOWN)

    def _is_slip(self, key: str, keys: Sequence[str]) -> bool:
        known = key in keys or key in self.terms.keys or key.startswith(WAIVER)
        return key.startswith(PREFIX) and not known

    def _unknown_keys(self, workload: Workload) -> Iterator[Gap]:
        """A gap for each key that looks like ours and is none."""
        keys = (DATA, CLIENTS, HEALTH, TELEMETRY, ROLE, NEEDS)
        for where in workload.metadata_paths:
            for field in ("labels", "annotations"):
                for key in mapping(at(workload.resource.manifest, (*where, field))):
                    if isinstance(key, str) and self._is_slip(key, keys):
                        close = difflib.get_close_matches(key, keys, n=1, cutoff=0)[0]
                        why = f"there is no such key; did you mean '{close}'?"
                        found = Declared("", workload.ref, (*where, field, key))
                        yield _misread(key, found, why, Unseen.INCOMPLETE)


def _misread_roles(workload: Workload) -> Iterator[Gap]:
    """A gap for each word that is nearly a role: others may be there for other readers."""
    role = declared(workload, ROLE)
    if role is None:
        return
    for word in listed(role.value.lower()):
        close = difflib.get_close_matches(word, ROLES, n=1, cutoff=0.8)
        if close and word not in ROLES:
            why = f"'{word}' is no role; did you mean '{close[0]}'?"
            yield _misread(ROLE, role, why, Unseen.INCOMPLETE)


def _misread(key: str, found: Declared, why: str, severity: Unseen = Unseen.UNKNOWN) -> Gap:
    return Gap(f"{key} of {found.ref}", why, severity, ref=found.ref)
