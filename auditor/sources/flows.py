"""Reads flows that somebody observed, as the tools that observe them write them.

- Hubble: what ``hubble observe -o json`` and Hubble's exporter write, a JSON object a line with the
  flow in it (api/v1/flow/flow.proto of cilium/cilium). Replies and what was dropped are none.
- Istio: ``istio_requests_total`` and ``istio_tcp_connections_opened_total``
  (https://istio.io/latest/docs/reference/config/metrics/), which have no ports.
- OpenTelemetry: ``traces_service_graph_request_total`` with ``client`` and ``server`` (connector
  servicegraph of opentelemetry-collector-contrib), which has neither ports nor namespaces.
  Both as Prometheus' text, as the answer of its API, or as OTLP in JSON.
- CSV: ``source,target,port`` and, if wanted, ``protocol`` and ``count``; a first line that names
  these columns may give them another order, and a line ``# from TIME to TIME`` says the window.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.declared import Flow, Flows
from auditor.errors import UsageError
from auditor.manifests import at, mapping, sequence
from auditor.values import dataclass

LARGEST = 256 * 1024 * 1024
"""Bytes of one file: some hundred thousand flows."""
FORWARDED = ("FORWARDED", "REDIRECTED", "TRACED", "TRANSLATED")
"""Verdicts of Hubble that let a packet pass."""
EVENTS = frozenset(("node_status", "lost_events", "agent_event"))
"""What else stands in Hubble's stream: no flows."""
COUNTERS = ("istio_requests_total", "istio_tcp_connections_opened_total")
GRAPH = ("traces_service_graph_request_total", "traces_service_graph_request")
COLUMNS = ("source", "target", "port", "protocol", "count")
UNKNOWN = ("", "unknown", "-")

_SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][\w:]*)\{(?P<labels>.*)\}\s+(?P<value>\S+)(?:\s+(?P<at>-?\d+))?"
)
_LABEL = re.compile(r'(?P<key>[a-zA-Z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')
_WINDOW = re.compile(r"#\s*from\s+(?P<since>\S+)\s+to\s+(?P<until>\S+)\s*", re.IGNORECASE)


@dataclass(slots=True)
class _Seen:
    """What was read so far: flows of one kind are added up."""

    flows: dict[tuple[str, str, int | None, str], int] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    """The first and the last moment."""
    unread: int = 0

    def add(self, flow: Flow) -> None:
        key = (flow.source, flow.target, flow.port, flow.protocol)
        self.flows[key] = self.flows.get(key, 0) + flow.count

    def at(self, moment: str) -> None:
        """Times of one form sort as they follow each other."""
        if not self.times:
            self.times = [moment, moment]
        elif moment < self.times[0]:
            self.times[0] = moment
        elif moment > self.times[1]:
            self.times[1] = moment

    def flows_of(self, origin: str) -> Flows:
        found = tuple(Flow(*key, count) for key, count in self.flows.items())
        since, until = self.times or ("", "")
        return Flows(origin, found, since, until, self.unread)


def read_flows(path: Path) -> Flows:
    """The flows of a file.

    Raises:
        UsageError: it cannot be read, is too large, or is of no form that we know.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: flows of more than {LARGEST >> 20} MiB are not read")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return flows_of(text, str(path))


def flows_of(text: str, origin: str) -> Flows:
    """The flows in a text, whose form is known by how it begins.

    Raises:
        UsageError: it is of no form that we know, or nothing in it could be read.
    """
    seen = _Seen()
    start = text.lstrip()
    if start[:1] in ("{", "["):
        _json(text, seen)
    elif any(name in text for name in (*COUNTERS, *GRAPH)):
        _prometheus(text.splitlines(), seen)
    else:
        _csv(text, seen)
    if not seen.flows and (seen.unread or not start):
        raise UsageError(
            f"{origin}: no flow can be read; known are Hubble's JSON, metrics of Istio and "
            "OpenTelemetry, and CSV with source,target,port"
        )
    return seen.flows_of(origin)


def _json(text: str, seen: _Seen) -> None:
    """One document, or one a line."""
    try:
        documents: Iterable[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        documents = _lines(text, seen)
    for document in documents:
        for each in document if isinstance(document, list) else [document]:
            _document(mapping(each), seen)


def _lines(text: str, seen: _Seen) -> Iterator[Any]:
    # JSON may hold what else Python takes for the end of a line.
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                seen.unread += 1


def _document(document: Mapping[str, Any], seen: _Seen) -> None:
    if "resourceMetrics" in document:
        _otlp(document, seen)
    elif isinstance(document.get("data"), Mapping):
        _answer(document, seen)
    elif isinstance(document.get("flows"), list):
        for each in document["flows"]:
            _hubble(mapping(each), seen)
    else:
        _hubble(document, seen)


def _hubble(document: Mapping[str, Any], seen: _Seen) -> None:
    flow = mapping(document.get("flow", document))
    if not isinstance(flow.get("verdict"), str):
        seen.unread += EVENTS.isdisjoint(document)
        return
    if flow["verdict"] not in FORWARDED or flow.get("is_reply") is True:
        return
    source, target = (_end(flow, end) for end in ("source", "destination"))
    protocol, port = _port(flow)
    if not source or not target or not protocol:
        seen.unread += bool(protocol)  # ICMP and what stands above TCP is no connection
        return
    seen.add(Flow(source, target, port, protocol, 1))
    moment = flow.get("time", document.get("time"))
    if isinstance(moment, str):
        seen.at(moment)


def _end(flow: Mapping[str, Any], end: str) -> str:
    """The workload as ``namespace/name``, else the pod, else the address."""
    told = mapping(flow.get(end))
    space = told.get("namespace")
    first = at(told, ("workloads", 0, "name"))
    name = first if isinstance(first, str) and first else told.get("pod_name")
    if isinstance(space, str) and isinstance(name, str) and space and name:
        return f"{space}/{name}"
    address = at(flow, ("IP", end))
    return address if isinstance(address, str) else ""


def _port(flow: Mapping[str, Any]) -> tuple[str, int | None]:
    for protocol in ("TCP", "UDP", "SCTP"):
        number = at(flow, ("l4", protocol, "destination_port"))
        if type(number) is int:
            return protocol, number
    return "", None


def _prometheus(lines: Iterable[str], seen: _Seen) -> None:
    for line in lines:
        match = _SAMPLE.fullmatch(line.strip())
        if match is None:
            continue  # comments, and samples without labels
        labels = {m["key"]: _unescaped(m["value"]) for m in _LABEL.finditer(match["labels"])}
        stamp = float(match["at"]) / 1000 if match["at"] else None
        _sample(match["name"], labels, match["value"], stamp, seen)


def _unescaped(value: str) -> str:
    return value.replace('\\"', '"').replace("\\\\", "\\")


def _answer(document: Mapping[str, Any], seen: _Seen) -> None:
    """What Prometheus answers to a query, at one moment or over a range."""
    for each in map(mapping, sequence(at(document, ("data", "result")))):
        labels = {k: v for k, v in mapping(each.get("metric")).items() if isinstance(v, str)}
        values = [each["value"]] if "value" in each else sequence(each.get("values"))
        name = labels.get("__name__") or (COUNTERS[0] if "source_workload" in labels else GRAPH[0])
        # Of a range, the counter's last value counts; its first moment begins the window.
        for value in (*values[:1], *values[-1:]):
            pair = sequence(value)
            if len(pair) == 2 and isinstance(pair[0], int | float):
                _moment(pair[0], seen)
        if values and len(sequence(values[-1])) == 2:
            _sample(name, labels, str(values[-1][1]), None, seen)


def _otlp(document: Mapping[str, Any], seen: _Seen) -> None:
    for resource in sequence(document.get("resourceMetrics")):
        for scope in sequence(mapping(resource).get("scopeMetrics")):
            for metric in map(mapping, sequence(mapping(scope).get("metrics"))):
                for point in map(mapping, sequence(at(metric, ("sum", "dataPoints")))):
                    _point(metric.get("name"), point, seen)


def _point(name: Any, point: Mapping[str, Any], seen: _Seen) -> None:
    labels = {}
    for each in map(mapping, sequence(point.get("attributes"))):
        value = at(each, ("value", "stringValue"))
        if isinstance(each.get("key"), str) and isinstance(value, str):
            labels[each["key"]] = value
    value = point.get("asInt", point.get("asDouble", 0))
    for key in ("startTimeUnixNano", "timeUnixNano"):
        nanos = str(point.get(key, ""))
        if nanos.isdigit() and len(nanos) < 20:
            _moment(int(nanos) / 1e9, seen)
    _sample(str(name), labels, str(value), None, seen)


def _moment(seconds: float, seen: _Seen) -> None:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return
    seen.at(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _sample(
    name: str, labels: Mapping[str, str], value: str, stamp: float | None, seen: _Seen
) -> None:
    if name not in COUNTERS + GRAPH:
        return
    if stamp is not None:
        _moment(stamp, seen)
    count = _count(value)
    if count == 0:
        return  # a counter that never moved is no flow
    if name in GRAPH:
        source, target = labels.get("client", ""), labels.get("server", "")
    else:
        source = _named(labels, "source_workload", "source_workload_namespace")
        target = _named(labels, "destination_workload", "destination_workload_namespace")
        service = _named(labels, "destination_service_name", "destination_service_namespace")
        target = target or service
    if count is None or target in UNKNOWN:
        seen.unread += 1
        return
    seen.add(
        Flow(source if source not in UNKNOWN else "somebody unknown", target, None, "TCP", count)
    )


def _count(value: str) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if 0 <= number < 1e18 else None


def _named(labels: Mapping[str, str], name: str, namespace: str) -> str:
    found, space = labels.get(name, ""), labels.get(namespace, "")
    return "" if found in UNKNOWN or space in UNKNOWN else f"{space}/{found}"


def _csv(text: str, seen: _Seen) -> None:
    rows = []
    for line in text.splitlines():
        if window := _WINDOW.fullmatch(line.strip()):
            seen.times = [window["since"], window["until"]]
        elif line.strip() and not line.lstrip().startswith("#"):
            rows.append(line)
    columns: tuple[str, ...] = COLUMNS
    try:
        for number, row in enumerate(csv.reader(rows)):
            cells = [cell.strip() for cell in row]
            if number == 0 and {"source", "target"} <= {cell.lower() for cell in cells}:
                columns = tuple(cell.lower() for cell in cells)
                continue
            _row(dict(zip(columns, cells, strict=False)), seen)
    except csv.Error:
        seen.unread += 1


def _row(row: Mapping[str, str], seen: _Seen) -> None:
    source, target = row.get("source", ""), row.get("target", "")
    port, count = row.get("port", ""), row.get("count", "")
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not source or not target or not (digits or not port):
        seen.unread += 1
        return
    protocol = (row.get("protocol") or "TCP").upper()
    number = _count(count) if count else 0
    seen.add(Flow(source, target, int(port) if digits else None, protocol, number or 0))
