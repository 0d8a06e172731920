"""Flows that somebody observed, in the forms of the tools that observe them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import UsageError
from auditor.sources.flows import flows_of, read_flows


def read(text: str) -> list[str]:
    """Each flow as people say it."""
    return [
        f"{f.source} → {f.target} {f.protocol} {f.port} ×{f.count}"
        for f in flows_of(text, "x").flows
    ]


def hubble(**over: Any) -> dict[str, Any]:
    """A line of Hubble's exporter."""
    flow = {
        "time": "2026-01-02T03:04:05.6Z",
        "verdict": "FORWARDED",
        "IP": {"source": "10.0.0.1", "destination": "10.0.0.2", "ipVersion": "IPv4"},
        "l4": {"TCP": {"source_port": 40000, "destination_port": 8080, "flags": {"SYN": True}}},
        "source": {"namespace": "shop", "pod_name": "web-5d4f8c7b9-abcde"},
        "destination": {
            "namespace": "data",
            "pod_name": "data-0",
            "workloads": [{"name": "data", "kind": "StatefulSet"}],
        },
        "is_reply": False,
        **over,
    }
    return {"flow": flow, "node_name": "n1", "time": "2026-01-02T03:04:05.6Z"}


WEB = "shop/web-5d4f8c7b9-abcde → data/data TCP 8080 ×1"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (hubble(), [WEB]),
        (hubble()["flow"], [WEB]),
        (hubble(is_reply=True), []),
        (hubble(verdict="DROPPED"), []),
        (hubble(l4={"ICMPv4": {"type": 8}}), []),
        (hubble(source={"labels": ["reserved:world"]}), ["10.0.0.1 → data/data TCP 8080 ×1"]),
        (hubble(l4={"UDP": {"destination_port": 53}}), [WEB.replace("TCP 8080", "UDP 53")]),
        ({"lost_events": {"num_events_lost": 3}}, []),
    ],
)
def test_hubble(document: dict[str, Any], found: list[str]) -> None:
    """What was forwarded, and no reply to it."""
    assert read(json.dumps(document)) == found
    assert read(json.dumps([document, document])) == [one.replace("×1", "×2") for one in found]


def test_hubble_writes_one_object_a_line_and_says_when() -> None:
    """Broken lines are counted, and the rest is read."""
    late = hubble(time="2026-01-09T00:00:00Z")
    text = "\n".join([json.dumps(late), "{broken", json.dumps(hubble()), ""])
    found = flows_of(text, "x")
    assert [flow.count for flow in found.flows] == [2]
    assert (found.since, found.until) == ("2026-01-02T03:04:05.6Z", "2026-01-09T00:00:00Z")
    assert found.unread == 1
    separated = json.dumps(hubble(Summary="a\u2028b"), ensure_ascii=False)
    assert read(f"{separated}\n{separated}\n") == [WEB.replace("×1", "×2")]


ISTIO = (
    'istio_requests_total{reporter="destination",source_workload="web",'
    'source_workload_namespace="shop",destination_workload="data",'
    'destination_workload_namespace="data",response_code="200"} %s %s'
)


def test_istio_in_the_text_of_prometheus() -> None:
    """It has no ports; a counter that never moved is no flow; times are milliseconds."""
    text = "\n".join(["# TYPE istio_requests_total counter", ISTIO % ("7", ""), "up 1"])
    assert read(text) == ["shop/web → data/data TCP None ×7"]
    assert flows_of(ISTIO % ("0", "") + "\n", "x").flows == ()
    assert flows_of(ISTIO % ("1", "1767225600000"), "x").since == "2026-01-01T00:00:00Z"
    for digits in (400, 5000):  # more than a float holds, and than int() takes
        assert read(ISTIO % ("1", "9" * digits)) == ["shop/web → data/data TCP None ×1"]
    nobody = (ISTIO % ("1", "")).replace('source_workload="web"', 'source_workload="unknown"')
    assert read(nobody) == ["somebody unknown → data/data TCP None ×1"]


def test_the_answer_of_prometheus() -> None:
    """At one moment and over a range; the window is that of the samples."""
    metric = {
        "__name__": "traces_service_graph_request_total",
        "client": "web",
        "server": "data",
    }
    one = {"metric": metric, "value": [1767225600, "3"]}
    many = {"metric": metric, "values": [[1767225600, "3"], [1767312000, "9"]]}
    for result, count, until in ((one, 3, "01-01"), (many, 9, "01-02")):
        answer = {"status": "success", "data": {"resultType": "vector", "result": [result]}}
        found = flows_of(json.dumps(answer), "x")
        assert [(f.source, f.target, f.count) for f in found.flows] == [("web", "data", count)]
        assert found.until == f"2026-{until}T00:00:00Z"


def test_opentelemetry_as_its_collector_writes_files() -> None:
    """OTLP in JSON: numbers are text there."""
    labels = [
        {"key": k, "value": {"stringValue": v}} for k, v in (("client", "a"), ("server", "b"))
    ]
    point = {"attributes": labels, "timeUnixNano": "1767225600000000000", "asInt": "4"}
    metric = {"name": "traces_service_graph_request_total", "sum": {"dataPoints": [point]}}
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    assert read(json.dumps(document)) == ["a → b TCP None ×4"]


def test_csv() -> None:
    """With or without names of the columns, and with a window."""
    text = "# from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z\nshop/web,data/data,8080\n"
    found = flows_of(text, "x")
    assert read(text) == ["shop/web → data/data TCP 8080 ×0"]
    assert (found.since, found.until) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    named = "port,target,source,protocol,count\n53,kube-system/dns,shop/web,udp,12\n"
    assert read(named) == ["shop/web → kube-system/dns UDP 53 ×12"]
    assert flows_of("a,b,1\na,b,x\n", "x").unread == 1


@pytest.mark.parametrize("text", ["", "hello", "{}", "[1, 2]", "a;b;c", '{"flow": {"verdict": 3}}'])
def test_what_holds_no_flow_is_an_error(text: str) -> None:
    """Silence would be taken for "nobody asks"."""
    with pytest.raises(UsageError, match="no flow can be read"):
        flows_of(text, "flows.json")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Bytes that are no text."""
    file = tmp_path / "flows.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"flows\.csv: cannot be read"):
        read_flows(file)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["flow", "verdict", "source", "l4", "TCP", "data", "result", "metric",
                         "value", "values", "resourceMetrics", "scopeMetrics", "metrics", "sum",
                         "dataPoints", "attributes", "IP", "workloads", "flows", "time"]),
        inner, max_size=4),
)  # fmt: skip


@given(JUNK | st.text())
def test_whatever_is_written_there_ends_well(junk: Any) -> None:
    """Flows, or an error that names the file."""
    text = junk if isinstance(junk, str) else json.dumps(junk)
    try:
        flows_of(text, "x")
    except UsageError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
