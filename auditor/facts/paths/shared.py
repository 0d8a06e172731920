"""The steps over what workloads share: the node, volumes, credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from auditor.facts.neighbours import beside
from auditor.facts.paths.positions import Kind, Means, Position, Why
from auditor.facts.placement.replicas import MOST
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Key, Path
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Places = Mapping[Key, Position]
Claim = tuple[str, str]
"""Namespace and name of a PersistentVolumeClaim."""


def by_node(facts: Facts, places: Places, targets: Iterable[Workload]) -> Iterator[Means]:
    """From each workload that owns its node to those of the targets beside it: it reads their
    memory, their volumes and their tokens. Costs one question for each two.
    """
    wanted = list(targets)
    for owner, why, path in facts.keeper.owners:
        whys = {}
        for target in wanted:
            surely = None if target.ref.key == owner.ref.key else beside(facts, target, owner)
            if surely is not None:
                stands = "stands" if surely else "may stand"
                said = f"owns its node ({why}), and {stands} beside it"
                whys[places[target.ref.key]] = Why(said, owner.ref, path)
        if whys:
            mend = f"take from {owner.name} what gives it the node, or keep it off theirs"
            yield Means(
                "node", (places[owner.ref.key],), tuple(whys), whys, mend=mend,
                place=Why(f"{owner.name} owns its node: {why}", owner.ref, path),
            )  # fmt: skip


def by_volume(facts: Facts, places: Places, stores: Places) -> Iterator[Means]:
    """From each workload that mounts a claim or a folder of a store to the data of that store."""
    claims: dict[Claim, list[Workload]] = {}
    for key in stores:
        for claim in dict(claims_of(facts.by_key[key])):
            claims.setdefault(claim, []).append(facts.by_key[key])
    for other in facts.workloads:
        for claim, path in claims_of(other):
            what = f"PersistentVolumeClaim {claim[1]}"
            share = _Share("volume", other, path, f"mounts its {what}", what)
            yield from share.means(places, stores, claims.get(claim, ()))
        yield from _by_folder(facts, places, stores, other)


def _by_folder(facts: Facts, places: Places, stores: Places, other: Workload) -> Iterator[Means]:
    folders = list(folders_of(other))
    for key in stores if folders else ():
        store = facts.by_key[key]
        for folder, _ in folders_of(store):
            for mine, path in folders:
                if _holds(mine, folder):
                    said = f"mounts {mine} of its node, where that keeps {folder}"
                    share = _Share("volume", other, path, said, mine)
                    yield from share.means(places, stores, [store])


def _holds(outer: str, inner: str) -> bool:
    one, two = PurePosixPath(outer), PurePosixPath(inner)
    return one == two or one in two.parents or two in one.parents


def by_credentials(facts: Facts, places: Places, stores: Places) -> Iterator[Means]:
    """From each workload that is given a Secret of a store to the data of that store."""
    secrets: dict[Claim, list[Workload]] = {}
    for key in stores:
        store = facts.by_key[key]
        for name in secrets_of(store):
            secrets.setdefault((store.ref.namespace, name), []).append(store)
    for other in facts.workloads:
        for name, path in secrets_of(other).items():
            what = f"Secret {name}"
            said = f"is given its credentials, {what}"
            share = _Share("credentials", other, path, said, what)
            yield from share.means(places, stores, secrets.get((other.ref.namespace, name), ()))


@dataclass(frozen=True, slots=True)
class _Share:
    """What one workload has in common with stores."""

    kind: Kind
    other: Workload
    path: Path
    said: str
    what: str

    def means(self, places: Places, stores: Places, held: Iterable[Workload]) -> Iterator[Means]:
        """From the workload to the data of those of these stores that are others."""
        own = self.other.ref.key
        targets = tuple(stores[one.ref.key] for one in held if one.ref.key != own)
        why = Why(self.said, self.other.ref, self.path)
        if targets:
            yield Means(
                self.kind, (places[own],), targets, dict.fromkeys(targets, why),
                mend=f"take {self.what} away from {self.other.name}", place=why,
            )  # fmt: skip


def claims_of(workload: Workload) -> Iterator[tuple[Claim, Path]]:
    """The claims that its pods mount, each with its place: those of a StatefulSet's own templates
    too, under the names that its controller gives them.
    """
    space = workload.ref.namespace
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        path = (*workload.pod_path, "volumes", index)
        if name := text(at(volume, ("persistentVolumeClaim", "claimName"))):
            yield (space, name), path
    made = sequence(at(workload.resource.manifest, ("spec", "volumeClaimTemplates")))
    for index, template in enumerate(made if workload.ref.kind == "StatefulSet" else ()):
        name = text(at(mapping(template), ("metadata", "name")))
        for number in range(min(workload.replicas, MOST) if name else 0):
            claim = f"{name}-{workload.ref.name}-{number}"
            yield (space, claim), ("spec", "volumeClaimTemplates", index)


def folders_of(workload: Workload) -> Iterator[tuple[str, Path]]:
    """The folders of its node that it mounts."""
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        if folder := text(at(volume, ("hostPath", "path"))):
            yield folder, (*workload.pod_path, "volumes", index)


def secrets_of(workload: Workload) -> dict[str, Path]:
    """The Secrets that its containers are given, each with its place; those for pulling images are
    none of them.
    """
    found: dict[str, Path] = {}
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        path: Path = (*workload.pod_path, "volumes", index)
        for name in _of_volume(volume):
            found.setdefault(name, path)
    for container in workload.containers:
        for field, key in (("envFrom", "secretRef"), ("env", "secretKeyRef")):
            for index, entry in enumerate(map(mapping, sequence(container.spec.get(field)))):
                source = entry if field == "envFrom" else mapping(entry.get("valueFrom"))
                if name := text(at(source, (key, "name"))):
                    found.setdefault(name, (*container.path, field, index))
    return found


def _of_volume(volume: Mapping[str, object]) -> Iterator[str]:
    if name := text(at(volume, ("secret", "secretName"))):
        yield name
    for source in sequence(at(volume, ("projected", "sources"))):
        if name := text(at(mapping(source), ("secret", "name"))):
            yield name
