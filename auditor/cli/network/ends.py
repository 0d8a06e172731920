"""Finds who is meant by a name or an address: workloads, single pods, Services."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import field
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from auditor.facts.network import Network
from auditor.facts.workloads import FINISHED, Workload, workload_of
from auditor.manifests import at, mapping, sequence
from auditor.model import Resource, Snapshot
from auditor.values import dataclass


@dataclass(slots=True, weakref_slot=True)
class _Kept:
    """Pods that were asked for: the same value each time, so that what is known of it counts."""

    by_key: dict[object, Workload] = field(default_factory=dict)


@dataclass(frozen=True)
class Directory:
    """The names of one snapshot."""

    network: Network
    _kept: _Kept = field(default_factory=_Kept)

    @property
    def snapshot(self) -> Snapshot:
        """What it is of."""
        return self.network.snapshot

    @cached_property
    def _pods(self) -> dict[tuple[str, str], Resource]:
        return {(pod.ref.namespace, pod.ref.name): pod for pod in self.snapshot.of_kind("Pod")}

    @cached_property
    def _workloads(self) -> dict[tuple[str, str], list[Workload]]:
        found: dict[tuple[str, str], list[Workload]] = {}
        for workload in self.network.workloads:
            found.setdefault((workload.ref.namespace, workload.ref.name), []).append(workload)
        return found

    @cached_property
    def _addresses(self) -> dict[str, list[Resource]]:
        """The pods that have each address, but for those that have ended or have their node's."""
        found: dict[str, list[Resource]] = {}
        for pod in self._pods.values():
            if not _ended(pod) and at(pod.manifest, ("spec", "hostNetwork")) is not True:
                for address in addresses_of(pod):
                    found.setdefault(address, []).append(pod)
        return found

    def named(self, namespace: str, name: str) -> tuple[Workload, ...]:
        """The pod of that name, else the workloads; ``name[Kind]`` names one of several."""
        short, _, kind = name.removesuffix("]").partition("[")
        pod = self._pods.get((namespace, name))
        if pod is not None:
            return (self.pod(pod),)
        fitting = self._workloads.get((namespace, short), [])
        return tuple(one for one in fitting if not kind or one.ref.kind == kind)

    def pod(self, pod: Resource) -> Workload:
        """One pod by itself, whoever controls it."""
        known = self._kept.by_key.get(pod.ref.key)
        if known is None:
            whole = {one.ref.key: one for one in self._workloads.get(_name(pod), [])}
            made = whole.get(pod.ref.key) or workload_of(pod)
            assert made is not None  # every Pod is one
            known = self._kept.by_key[pod.ref.key] = made
        return known

    def at(self, address: str) -> tuple[Workload, ...]:
        """The pods that have this address of their own."""
        return tuple(self.pod(pod) for pod in self._addresses.get(str(ip_address(address)), ()))

    def is_over(self, workload: Workload) -> bool:
        """Whether it is a pod that has ended."""
        return workload.ref.kind == "Pod" and _ended(workload.resource)

    def service(self, namespace: str, name: str) -> Resource | None:
        """The Service of that name."""
        for service in self.snapshot.of_kind("Service"):
            if (service.ref.namespace, service.ref.name) == (namespace, name):
                return service
        return None

    @cached_property
    def behind(self) -> dict[int, list[Workload]]:
        """The workloads that each Service selects, by the identity of its object."""
        found: dict[int, list[Workload]] = {}
        for workload in self.network.workloads:
            for service in self.network.services_of(workload):
                found.setdefault(id(service), []).append(workload)
        return found

    def meant(self, wanted: str, *, services: bool = False) -> str:
        """``; did you mean 'shop/web'?``, where something is called nearly so."""
        return meant(wanted, self.names(services=services))

    def names(self, *, services: bool = False) -> Iterator[str]:
        """What may be named: workloads, pods, and Services where they may."""
        yield from (workload.name for workload in self.network.workloads)
        yield from (f"{namespace}/{name}" for namespace, name in self._pods)
        if services:
            for service in self.snapshot.of_kind("Service"):
                yield f"{service.ref.namespace}/{service.ref.name}"


def meant(wanted: str, names: Iterable[str]) -> str:
    """``; did you mean '…'?``; empty where nothing is called nearly so."""
    known = list(dict.fromkeys(names))
    close = difflib.get_close_matches(wanted, known, n=1)
    if not close:  # the right name in another namespace
        short = wanted.rpartition("/")[2]
        close = [name for name in known if name.rpartition("/")[2] == short][:1]
    return f"; did you mean '{close[0]}'?" if close else ""


def _name(pod: Resource) -> tuple[str, str]:
    return pod.ref.namespace, pod.ref.name


def _ended(pod: Resource) -> bool:
    return at(pod.manifest, ("status", "phase")) in FINISHED


def addresses_of(pod: Resource) -> Iterator[str]:
    """The addresses in the status of a pod, each in one spelling."""
    status = mapping(pod.manifest.get("status"))
    listed: list[Any] = [mapping(entry).get("ip") for entry in sequence(status.get("podIPs"))]
    for value in dict.fromkeys(ip for ip in (*listed, status.get("podIP")) if isinstance(ip, str)):
        try:
            yield str(ip_address(value))
        except ValueError:
            continue
