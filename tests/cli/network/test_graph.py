"""`auditor network graph`: a picture in four forms, whatever names are in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.command import PEAPODS, Command

from .world import POLICY, SHOP, written

HOSTILE = """\
apiVersion: v1
kind: Pod
metadata:
  name: "</script><script>alert(1)</script>\\"'&\\e[31m\\n--> x"
  namespace: "]]><b onmouseover=alert(1)>"
spec: {}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: "</script><img src=x onerror=alert(1)>"
  namespace: "]]><b onmouseover=alert(1)>"
spec:
  podSelector: {}
  ingress:
    - ports: [{port: 80}]
"""


class Tags(HTMLParser):
    """The elements of a page, as a browser finds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def drawn(auditor: Command, folder: Path, form: str = "svg") -> str:
    """The picture."""
    said = auditor("network", "graph", folder, "--format", form)
    assert said.code == 0
    return said.out


def test_svg_has_what_is_open_and_nothing_that_is_denied(auditor: Command, folder: Path) -> None:
    """A node for each workload, one line for the one flow that a rule admits, and a legend."""
    written(folder, SHOP, POLICY)
    text = drawn(auditor, folder)
    root = ElementTree.fromstring(text)  # noqa: S314 our own
    groups = [one for one in root.iter() if one.tag.endswith("}g")]
    nodes = [one for one in groups if "data-node" in one.attrib]
    edges = [one for one in groups if "data-edge" in one.attrib]
    assert len(nodes) == 3
    assert [one.findtext("{*}title") for one in edges] == ["shop/web → shop/customers: TCP 8080"]
    said = "".join(root.itertext())
    assert "holds personal data" in said
    assert "PII" in said
    assert {one.attrib["class"] for one in nodes} == {"node data", "node open"}


def test_dot_and_mermaid_say_the_same(auditor: Command, folder: Path) -> None:
    """The one line, and the groups."""
    written(folder, SHOP, POLICY)
    dot = drawn(auditor, folder, "dot")
    assert 'label="shop"' in dot
    assert dot.count(" -> ") == 1
    mermaid = drawn(auditor, folder, "mermaid")
    assert mermaid.startswith("flowchart LR\n")
    assert mermaid.count("-->") == 1
    assert '|"TCP 8080"|' in mermaid


def test_the_page_loads_nothing(auditor: Command) -> None:
    """No address, no file: a policy of contents forbids what is not in it."""
    text = drawn(auditor, PEAPODS, "html")
    found = Tags(text).found
    assert not any({"src", "href"} & attrs.keys() for _, attrs in found)
    assert not re.search(r"fetch\(|XMLHttp|import\(|https?://(?!www\.w3\.org)", text)
    assert "default-src 'none'" in text


def test_the_page_has_the_reasons(auditor: Command, folder: Path) -> None:
    """A click on a line shows them."""
    written(folder, SHOP, POLICY)
    text = drawn(auditor, folder, "html")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    [edge] = json.loads(data[1])["edges"]
    assert edge["reasons"][0]["text"] == "NetworkPolicy shop/customers admits it on TCP 8080"
    assert edge["reasons"][0]["where"].endswith("1.yaml:11")


def test_hostile_names_are_text_in_every_form(auditor: Command, folder: Path) -> None:
    """No element of a page, no escape, no line of a flowchart is made of a name."""
    written(folder, SHOP, HOSTILE)
    page = drawn(auditor, folder, "html")
    tags = [tag for tag, _ in Tags(page).found]
    assert tags.count("script") == 2
    assert not {"img", "b"} & set(tags)
    assert not any(key.startswith("on") for _, attrs in Tags(page).found for key in attrs)
    ElementTree.fromstring(drawn(auditor, folder, "svg"))  # noqa: S314 our own
    for form in ("svg", "html", "dot", "mermaid"):
        text = drawn(auditor, folder, form)
        assert "\x1b" not in text
        assert "<img" not in text
    for line in drawn(auditor, folder, "dot").splitlines():
        assert re.sub(r'"(?:[^"\\]|\\.)*"', "", line).count('"') == 0
    for line in drawn(auditor, folder, "mermaid").splitlines():
        assert "<script" not in line
        assert line.count('"') % 2 == 0


@pytest.mark.parametrize(
    ("more", "begins"),
    [
        (("who.html",), "<!doctype html>"),
        (("who.mmd",), "flowchart"),
        (("who.png",), "<?xml"),
        (("who.html", "--format", "dot"), "digraph"),
    ],
)
def test_the_name_of_the_file_tells_the_form(
    auditor: Command, folder: Path, tmp_path: Path, more: tuple[str, ...], begins: str
) -> None:
    """Where --format does not."""
    written(folder, SHOP)
    name, *form = more
    assert auditor("network", "graph", folder, "-o", tmp_path / name, *form).code == 0
    assert (tmp_path / name).read_text().startswith(begins)


@pytest.mark.parametrize(
    ("form", "told"), [((), "p.png gets the svg form: there is no png"), (("--format", "dot"), "")]
)
def test_an_ending_that_is_no_form_is_told(
    auditor: Command, folder: Path, tmp_path: Path, form: tuple[str, ...], told: str
) -> None:
    """But for who chose the form."""
    written(folder, SHOP, POLICY)
    said = auditor("network", "graph", folder, "-o", tmp_path / "p.png", *form)
    assert said.code == 0
    assert told in said.err
    assert ("png" in said.err) is bool(told)
