"""What containers are told: environment, arguments, and the ConfigMaps that they mount as files.

Also what they are told and we do not read, so that nobody takes silence for "asks nobody": Secrets
are never read, and a ConfigMap may be made by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import PurePosixPath

from auditor.facts.wording import text
from auditor.facts.workloads import Container, Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Gap, Manifest, Path, Ref, Resource, Snapshot, Unseen
from auditor.values import dataclass

LONGEST = 32 * 1024
"""Characters that one variable may have after others were put into it: a quarter of what Linux
takes for one string, and far more than any address."""
LONGEST_OF_ALL = 4 * LONGEST
"""The same for all variables of one container together."""

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
"""How Kubernetes puts one variable into another: ``$(HOST):$(PORT)``; ``$$`` is one dollar."""

_FOLLOWED = {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"}
"""Where a variable may come from that we follow, or that names no Service."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something that a container is told, what it is written under, and where."""

    key: str
    value: str
    ref: Ref
    path: Path
    file: bool = False
    """Whether it is a file of its own: lines, each with a key or without."""
    composed: bool = False
    """Whether other variables were put into it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the containers of one workload are told."""

    workload: Workload
    texts: tuple[Text, ...]
    unread: tuple[str, ...]
    """What we do not read of it, as a person would name it."""
    gaps: tuple[Gap, ...]
    """What could not be worked out."""


def told_in(snapshot: Snapshot) -> Callable[[Workload], Told]:
    """What says of a workload of the snapshot what it is told. Costs one look at each of its
    variables, arguments and files; reads the workload and ConfigMaps.
    """
    configs = {(c.ref.namespace, c.ref.name): c for c in snapshot.of_kind("ConfigMap")}
    return lambda workload: _Reader(workload, configs).told()


def told_of(snapshot: Snapshot, workloads: Iterable[Workload]) -> tuple[Told, ...]:
    """What each of the workloads is told."""
    return tuple(map(told_in(snapshot), workloads))


@dataclass(slots=True)
class _Reader:
    """Reads the configuration of one workload. Not frozen: it notes what it cannot read."""

    client: Workload
    configs: Mapping[tuple[str, str], Resource]
    unread: dict[str, None] = field(default_factory=dict)
    overlong: dict[str, None] = field(default_factory=dict)

    def told(self) -> Told:
        found = [one for container in self.client.containers for one in self._of(container)]
        found += dict.fromkeys(self._files())
        gaps = (
            Gap(f"{what} of {self.client.ref}", _TOO_LONG, Unseen.UNKNOWN, ref=self.client.ref)
            for what in self.overlong
        )
        unread = (*self.unread, *(f"{what}, which grows too long" for what in self.overlong))
        return Told(self.client, tuple(found), unread, tuple(gaps))

    def _of(self, container: Container) -> Iterator[Text]:
        variables = _Variables()
        for one in self._environment(container):
            value = variables.put_in(one.value)
            if value is None:
                self.overlong[f"variable {one.key} of container '{container.name}'"] = None
                continue
            variables.known[one.key] = value
            yield replace(one, value=value, composed=value != one.value)
        for name in ("command", "args"):
            yield from self._words(container, name, variables)

    def _words(self, container: Container, name: str, variables: _Variables) -> Iterator[Text]:
        flag = ""
        for index, word in enumerate(sequence(container.spec.get(name))):
            if isinstance(word, str):
                value = variables.put_in(word)
                if value is None:
                    self.overlong[f"{name}[{index}] of container '{container.name}'"] = None
                else:
                    path = (*container.path, name, index)
                    yield Text(flag, value, self.client.ref, path, composed=value != word)
                flag = word if word.startswith("-") else ""

    def _environment(self, container: Container) -> Iterator[Text]:
        """In the order in which Kubernetes sets them: what is written one by one comes last."""
        for entry in map(mapping, sequence(container.spec.get("envFrom"))):
            prefix = text(entry.get("prefix"))
            if config := self._config(entry.get("configMapRef")):
                for key, value in texts(config.manifest.get("data")).items():
                    yield Text(f"{prefix}{key}", value, config.ref, ("data", key))
            if secret := _name(entry.get("secretRef")):
                self.unread[f"Secret {secret}, every key of it"] = None
        for index, entry in enumerate(map(mapping, sequence(container.spec.get("env")))):
            yield from self._variable(entry, (*container.path, "env", index))

    def _variable(self, entry: Manifest, path: Path) -> Iterator[Text]:
        name, value = text(entry.get("name")), entry.get("value")
        if isinstance(value, str):
            yield Text(name, value, self.client.ref, (*path, "value"))
        source = mapping(entry.get("valueFrom"))
        if config := self._config(source.get("configMapKeyRef")):
            place = ("data", text(at(source, ("configMapKeyRef", "key"))))
            if isinstance(value := at(config.manifest, place), str):
                yield Text(name, value, config.ref, place)
        if secret := _name(source.get("secretKeyRef")):
            key = text(at(source, ("secretKeyRef", "key")))
            self.unread[f"Secret {secret}, key {key}"] = None
        for other in sorted(filter(None, map(text, source.keys() - _FOLLOWED))):
            self.unread[f"variable {name}, from its {other}"] = None

    def _config(self, reference: object) -> Resource | None:
        """The ConfigMap that is named; None, and a note, where it is not there."""
        if not (name := _name(reference)):
            return None
        config = self.configs.get((self.client.ref.namespace, name))
        if config is None and mapping(reference).get("optional") is not True:
            self.unread[f"ConfigMap {name}, which is not among the objects"] = None
        return config

    def _files(self) -> Iterator[Text]:
        """The files of the volumes that some container mounts."""
        for volume in map(mapping, sequence(self.client.pod.get("volumes"))):
            mounts = tuple(_mounts(self.client, volume.get("name")))
            if not mounts:
                continue
            where = f"mounted at {mounts[0].path}"
            for source in map(mapping, (volume, *sequence(at(volume, ("projected", "sources"))))):
                yield from self._in_config_map(mapping(source.get("configMap")), mounts)
                secret = mapping(source.get("secret"))
                if name := text(secret.get("secretName")) or _name(secret):
                    self.unread[f"Secret {name} {where}"] = None
            driver = text(at(volume, ("csi", "driver")))
            if driver.startswith("secrets-store."):
                self.unread[f"secrets of {driver} {where}"] = None

    def _in_config_map(self, source: Manifest, mounts: Sequence[_Mount]) -> Iterator[Text]:
        config = self._config(source)
        if config is None:
            return
        for key, value in texts(config.manifest.get("data")).items():
            if _is_seen(key, source, mounts):
                yield Text(key, value, config.ref, ("data", key), file=True)
        for key in texts(config.manifest.get("binaryData")):
            if _is_seen(key, source, mounts):
                self.unread[f"ConfigMap {config.ref.name}, binary key {key}"] = None


_TOO_LONG = (
    f"with the variables that it names it is longer than {LONGEST // 1024} KiB, or all of them "
    f"together longer than {LONGEST_OF_ALL // 1024} KiB: whom it names is not known"
)


@dataclass(slots=True)
class _Variables:
    """The variables of one container that are set so far."""

    known: dict[str, str] = field(default_factory=dict)
    length: int = 0
    """Of all values that others were put into."""

    def put_in(self, value: str) -> str | None:
        """`value` with the variables before it, as the kubelet does; others stay as written. None
        where that grows too long. A value without references is as long as somebody wrote it.
        """
        if "$" not in value:
            return value
        parts: list[str] = []
        length = end = 0
        for match in _REFERENCE.finditer(value):
            put = self.known.get(match[1], match[0]) if match[1] else "$"
            parts += (value[end : match.start()], put)
            length += match.start() - end + len(put)
            end = match.end()
            if length > LONGEST:
                return None
        parts.append(value[end:])
        length += len(value) - end
        self.length += length
        too_long = length > LONGEST or self.length > LONGEST_OF_ALL
        return None if too_long else "".join(parts)


@dataclass(frozen=True, slots=True)
class _Mount:
    """Where a container sees a volume, and how much of it."""

    path: str
    part: str
    """The one file or folder of the volume that is seen; empty for all of it."""

    def shows(self, file: str) -> bool:
        """Whether the container sees this file of the volume."""
        return not self.part or PurePosixPath(file).is_relative_to(PurePosixPath(self.part))


def _mounts(workload: Workload, volume: object) -> Iterator[_Mount]:
    for container in workload.containers:
        for mount in map(mapping, sequence(container.spec.get("volumeMounts"))):
            if mount.get("name") == volume:
                yield _Mount(text(mount.get("mountPath")), text(mount.get("subPath")))


def _is_seen(key: str, source: Manifest, mounts: Sequence[_Mount]) -> bool:
    """Whether some container sees this key of a volume's ConfigMap as a file."""
    items = [mapping(item) for item in sequence(source.get("items"))]
    files = [text(item.get("path")) for item in items if item.get("key") == key]
    return any(mount.shows(file) for mount in mounts for file in (files if items else [key]))


def _name(reference: object) -> str:
    """The name that a reference gives; empty where it gives none."""
    return text(mapping(reference).get("name"))
