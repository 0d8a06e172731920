"""Reads what `auditor network explain` is asked about: ``shop/customers:http``, ``internet``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.cli.network.ends import Directory
from auditor.errors import UsageError
from auditor.facts.addresses import is_ip
from auditor.facts.network import Peer, Reason, Stranger, World
from auditor.facts.workloads import LAST_PORT, PORT_PROTOCOLS, Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence
from auditor.model import Resource
from auditor.values import dataclass

INTERNET = ("internet", "world")
_PORT = re.compile(r"(?P<name>.*?):(?P<port>[A-Za-z0-9-]+)(?:/(?P<protocol>[A-Za-z]+))?\Z")


@dataclass(frozen=True, slots=True)
class Named:
    """One end as it was written, and the port after it."""

    name: str
    port: str = ""
    """A number or a name; empty where every port is meant."""
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a connection goes."""

    peer: Peer
    name: str
    port: int | None
    """Of the pod; None where every port is meant."""
    protocol: str
    steps: tuple[Reason, ...] = ()
    """How a Service or the name of a port led there."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a connection comes from."""

    peers: tuple[Peer, ...]
    """Of the internet, one for each set of addresses that policies tell apart."""
    name: str
    internet: bool = False


def named(text: str) -> Named:
    """``name``, ``name:port`` or ``name:port/UDP``; an address of IPv6 in brackets has a port.

    Raises:
        UsageError: the protocol is none.
    """
    if is_ip(text):
        return Named(text)
    match = _PORT.match(text)
    if not match:
        return Named(text.removeprefix("[").removesuffix("]") if text.startswith("[") else text)
    name = match["name"]
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    protocol = (match["protocol"] or "TCP").upper()
    if protocol not in PORT_PROTOCOLS:
        raise UsageError(f"'{match['protocol']}' is none of {', '.join(PORT_PROTOCOLS)}")
    return Named(name, match["port"], protocol)


def source_of(directory: Directory, text: str, target: Peer) -> Source:
    """Who asks.

    Raises:
        UsageError: nobody is called so.
    """
    network = directory.network
    if text in INTERNET:
        inside = network.outside(target) if isinstance(target, Workload) else (World(),)
        return Source(tuple(inside), "the internet", internet=True)
    if is_ip(text):
        return Source(directory.at(text) or (World(text),), text)
    if stranger := _stranger(text):
        return stranger
    found = workloads(directory, text)
    return Source((found[0],), found[0].name)


def _stranger(text: str) -> Source | None:
    namespace, _, name = text.rpartition("/")
    if text == "*":
        return Source((Stranger("", {}),), "any pod of a new namespace")
    if name != "*" or not namespace:
        return None
    return Source((Stranger(namespace, {}),), f"any other pod of {namespace}")


def workloads(directory: Directory, text: str, *, services: bool = False) -> Sequence[Workload]:
    """The workload, or the pod, of this name; without a namespace, the only one.

    Raises:
        UsageError: there is none, or several are called so.
    """
    namespace, _, name = text.rpartition("/")
    if not namespace:
        short = name.partition("[")[0]
        spaces = {w.ref.namespace for w in directory.network.workloads if w.ref.name == short}
        if len(spaces) > 1:
            known = ", ".join(f"{space}/{short}" for space in sorted(spaces))
            raise UsageError(f"'{text}' is in several namespaces: name one of {known}")
        namespace = next(iter(spaces), "")
    found = directory.named(namespace, name)
    if not found:
        raise UsageError(
            f"nothing that was read is called '{text}'{directory.meant(text, services=services)}"
        )
    if len(found) > 1:
        known = ", ".join(f"{one.name}[{one.ref.kind}]" for one in found)
        raise UsageError(f"several workloads are called '{text}': name one of {known}")
    return found


def targets_of(directory: Directory, asked: Named) -> tuple[Target, ...]:
    """Where it goes: one, or each workload behind a Service.

    Raises:
        UsageError: nobody is called so, or has such a port.
    """
    if asked.name in INTERNET or is_ip(asked.name):
        return _outside(directory, asked)
    service = _service(directory, asked)
    if service is not None:
        return tuple(_behind(directory, service, asked))
    target = workloads(directory, asked.name, services=True)[0]
    port = _pod_port(target, asked)
    if asked.port and port is None:
        raise UsageError(_no_port(target, asked))
    steps: tuple[Reason, ...] = ()
    if port is not None and not asked.port.isdecimal():
        text = f"port '{asked.port}' of {target.name} is {asked.protocol} {port}"
        steps = (Reason(target.ref, _port_path(target, asked), text),)
    return (Target(target, target.name, port, asked.protocol, steps),)


def _outside(directory: Directory, asked: Named) -> tuple[Target, ...]:
    port = _number(asked.port)
    if asked.port and port is None:
        raise UsageError(f"an address has no port of the name '{asked.port}': give its number")
    if asked.name in INTERNET:
        return (Target(World(), "the internet", port, asked.protocol),)
    found = directory.at(asked.name)
    peer: Peer = found[0] if found else World(asked.name)
    name = f"{asked.name} ({found[0].name})" if found else asked.name
    return (Target(peer, name, port, asked.protocol),)


def _service(directory: Directory, asked: Named) -> Resource | None:
    """The Service that is meant: where it is named as one, where nothing else has the name, or
    where the workload of its name has no such port.
    """
    name = asked.name.removesuffix("[Service]")
    namespace, _, short = name.rpartition("/")
    service = directory.service(namespace, short)
    if service is None or name != asked.name:
        return service
    found = directory.named(namespace, short)
    if not found:
        return service
    declared = any(_declares(workload, asked) for workload in found)
    return None if declared or not asked.port or _entry(service, asked) is None else service


def _declares(workload: Workload, asked: Named) -> bool:
    wanted = _number(asked.port)
    return any(
        protocol == asked.protocol and (number == wanted or name == asked.port)
        for number, protocol, name, _ in container_ports(workload)
    )


def _behind(directory: Directory, service: Resource, asked: Named) -> Iterator[Target]:
    found = directory.behind.get(id(service), [])
    name = f"{service.ref.namespace}/{service.ref.name}"
    if not found:
        raise UsageError(f"Service {name} leads to no workload that was read")
    index = _entry(service, asked) if asked.port else None
    if asked.port and index is None:
        ports = ", ".join(_told(entry) for entry in _entries(service)) or "none"
        raise UsageError(f"Service {name} has no {asked.protocol} port '{asked.port}': {ports}")
    for workload in found:
        yield _led(workload, service, index, asked)


def _led(workload: Workload, service: Resource, index: int | None, asked: Named) -> Target:
    """One workload behind the Service, by the port that its pods know."""
    name = f"{service.ref.namespace}/{service.ref.name}"
    if index is None:
        step = Reason(service.ref, ("spec", "selector"), f"Service {name} leads to {workload.name}")
        return Target(workload, workload.name, None, asked.protocol, (step,))
    entry = _entries(service)[index]
    wanted = entry.get("targetPort")
    wanted = entry.get("port") if wanted is None else wanted
    port = (
        wanted if is_port(wanted) else _pod_port(workload, Named("", str(wanted), asked.protocol))
    )
    path = ("spec", "ports", index)
    if port is None:
        raise UsageError(
            f"Service {name} leads to port '{wanted}' of {workload.name}, which has none"
        )
    text = (
        f"port {_told(entry)} of Service {name} leads to {asked.protocol} {port} of {workload.name}"
    )
    return Target(workload, workload.name, port, asked.protocol, (Reason(service.ref, path, text),))


def _entries(service: Resource) -> list[Any]:
    return [mapping(entry) for entry in sequence(at(service.manifest, ("spec", "ports")))]


def _entry(service: Resource, asked: Named) -> int | None:
    for index, entry in enumerate(_entries(service)):
        protocol = entry.get("protocol") or "TCP"
        wanted = _number(asked.port)
        fits = entry.get("name") == asked.port or (wanted and entry.get("port") == wanted)
        if protocol == asked.protocol and fits:
            return index
    return None


def _told(entry: Any) -> str:
    name, number = entry.get("name"), entry.get("port")
    said = str(number) if is_port(number) else "without a number"
    return f"{said} ({name})" if isinstance(name, str) and name else said


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        return None
    number = int(text)
    return number if 1 <= number <= LAST_PORT else None


def _pod_port(target: Workload, asked: Named) -> int | None:
    if not asked.port:  # every one; a port without a name is not the one that is meant
        return None
    if number := _number(asked.port):
        return number
    for number, protocol, name, _ in container_ports(target):
        if (protocol, name) == (asked.protocol, asked.port):
            return number
    return None


def _port_path(target: Workload, asked: Named) -> Any:
    for _, protocol, name, path in container_ports(target):
        if (protocol, name) == (asked.protocol, asked.port):
            return path
    return ()


def _no_port(target: Workload, asked: Named) -> str:
    known = [
        f"{name or number}" for number, proto, name, _ in container_ports(target)
        if proto == asked.protocol
    ]  # fmt: skip
    said = f"it has {', '.join(known)}" if known else "it declares none"
    if asked.port.isdecimal():
        return f"'{asked.port}' is not between 1 and {LAST_PORT}"
    return f"{target.name} has no {asked.protocol} port called '{asked.port}': {said}"
