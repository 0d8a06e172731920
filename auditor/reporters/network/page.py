"""A page to look around in who reaches whom: one file, which loads nothing and sends nothing.

All that comes from manifests is in the picture, where it is escaped, or in a block of JSON, from
which the script takes it as text: nothing of it is ever read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from auditor.credentials import told
from auditor.reporters.network.picture import Node, Picture
from auditor.reporters.network.svg import drawing
from auditor.text import escaped

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(picture: Picture, notes: Sequence[str] = ()) -> str:
    """The page; `notes` say what could not be seen."""
    title = escape(escaped(picture.name) or "Who reaches whom")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1>\n"
        '<input id="search" type="search" placeholder="Search workloads" '
        'aria-label="Search workloads">\n'
        '<div id="spaces" role="group" aria-label="Namespaces"></div></header>\n'
        f'<main><div id="picture">{drawing(picture)}</div>\n'
        '<aside id="about" aria-live="polite"></aside></main>\n'
        f'<script type="application/json" id="data">{_json(_data(picture, notes))}</script>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _json(value: Any) -> str:
    """As JSON in which nothing ends a script, or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(picture: Picture, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "nodes": list(map(_node, picture.nodes)),
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "ports": escaped(edge.label),
                "sure": edge.sure,
                "reasons": list(map(_reason, edge.reasons)),
                "unknown": list(map(escaped, edge.unknown)),
            }
            for edge in picture.edges
        ],
        "free": picture.free,
        "notes": [escaped(told(note)) for note in notes],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": escaped(node.name),
        "space": escaped(node.space),
        "data": list(node.data),
        "open": node.open,
        "kind": node.kind,
        "note": escaped(node.note),
    }


def _reason(reason: dict[str, Any]) -> dict[str, str]:
    where = f"{reason['file']}:{reason['line']}" if reason["file"] else ""
    return {"text": escaped(reason["text"]), "where": escaped(where)}


_STYLE = """
:root{color-scheme:light}
body{margin:0;font:14px/1.45 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1d2939;
display:flex;flex-direction:column;height:100vh}
header{display:flex;gap:14px;align-items:center;flex-wrap:wrap;padding:10px 16px;
border-bottom:1px solid #e4e7ec}
h1{font-size:16px;margin:0}
input[type=search]{padding:5px 9px;border:1px solid #98a2b3;border-radius:6px;min-width:220px}
#spaces{display:flex;gap:10px;flex-wrap:wrap}
#spaces label{display:flex;gap:4px;align-items:center}
main{display:flex;flex:1;min-height:0}
#picture{flex:1;overflow:auto;padding:8px}
aside{width:340px;overflow:auto;border-left:1px solid #e4e7ec;padding:12px 16px;
overflow-wrap:anywhere}
aside h2{font-size:15px;margin:0 0 8px}
aside h3{font-size:13px;margin:14px 0 4px}
aside ul{margin:0;padding-left:18px}
aside code{font-size:12px;color:#475467}
aside button{all:unset;cursor:pointer;color:#175cd3}
aside button:focus-visible{outline:2px solid #175cd3}
.node,.edge{cursor:pointer}
.edge:hover path:not(.hit),.edge.on path:not(.hit){stroke-width:3}
.node:hover rect,.node.on rect{stroke-width:3}
svg .dim{opacity:.12}
svg .gone{display:none}
"""

_SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector) => Array.from(document.querySelectorAll(selector));
const nodes = all("svg [data-node]"), edges = all("svg [data-edge]"), boxes = all("svg .box");
const about = document.getElementById("about"), search = document.getElementById("search");
const hidden = new Set();
let chosen = null;

const make = (tag, text, parent) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
};
const key = (element, name) => Number(element.dataset[name]);
const isHidden = (number) => hidden.has(data.nodes[number].space);

function lit(keep, lines) {
  for (const node of nodes) node.classList.toggle("dim", !!keep && !keep.has(key(node, "node")));
  for (const edge of edges) edge.classList.toggle("dim", !!lines && !lines.has(key(edge, "edge")));
}
function aroundNode(number) {
  const keep = new Set([number]), lines = new Set();
  data.edges.forEach((edge, at) => {
    if (edge.from !== number && edge.to !== number) return;
    lines.add(at); keep.add(edge.from); keep.add(edge.to);
  });
  lit(keep, lines);
}
function aroundEdge(at) {
  lit(new Set([data.edges[at].from, data.edges[at].to]), new Set([at]));
}
function rest() {
  const wanted = search.value.trim().toLowerCase();
  if (chosen) return chosen();
  if (!wanted) return lit(null, null);
  const keep = new Set();
  data.nodes.forEach((node, number) => {
    if (node.name.toLowerCase().includes(wanted)) keep.add(number);
  });
  const lines = new Set();
  data.edges.forEach((edge, at) => {
    if (keep.has(edge.from) || keep.has(edge.to)) lines.add(at);
  });
  lit(keep, lines);
}
function tellEdge(at) {
  const edge = data.edges[at];
  about.replaceChildren();
  make("h2", data.nodes[edge.from].name + " \\u2192 " + data.nodes[edge.to].name, about);
  make("p", edge.ports + (edge.sure ? "" : " (cannot be told for sure)"), about);
  make("h3", "Why", about);
  const list = make("ul", "", about);
  for (const reason of edge.reasons) {
    const item = make("li", reason.text, list);
    if (reason.where) { make("br", "", item); make("code", reason.where, item); }
  }
  if (!edge.unknown.length) return;
  make("h3", "Not known", about);
  const doubts = make("ul", "", about);
  for (const doubt of edge.unknown) make("li", doubt, doubts);
}
function tellNode(number) {
  const node = data.nodes[number];
  about.replaceChildren();
  make("h2", node.name, about);
  if (node.data.length) make("p", "holds " + node.data.join(", ").toUpperCase(), about);
  if (node.open) make("p", "everything in the cluster reaches it, on every port", about);
  if (node.note) make("p", "the internet through " + node.note, about);
  for (const [title, here, there] of [["Reached by", "to", "from"], ["Reaches", "from", "to"]]) {
    const found = data.edges.map((edge, at) => [edge, at])
      .filter(([edge]) => edge[here] === number);
    if (!found.length) continue;
    make("h3", title, about);
    const list = make("ul", "", about);
    for (const [edge, at] of found) {
      const button = make("button", data.nodes[edge[there]].name + ": " + edge.ports,
        make("li", "", list));
      button.addEventListener("click", () => chooseEdge(at));
    }
  }
  const open = data.nodes.filter((other) => other.open && other !== node).length;
  if (node.kind === "workload" && open) {
    make("p", "and " + open + " workloads that everything reaches", about);
  }
}
function tellAll() {
  about.replaceChildren();
  make("h2", "Who reaches whom", about);
  const count = data.nodes.filter((node) => node.kind === "workload").length;
  const open = data.nodes.filter((node) => node.open).length;
  make("p", count + " workloads; everything reaches " + open + " of them on every port", about);
  if (data.free) make("p", "Every workload may leave for the internet.", about);
  make("p", "Click a line for its reasons, a workload for its lines.", about);
  if (!data.notes.length) return;
  make("h3", "What has to be known", about);
  const list = make("ul", "", about);
  for (const note of data.notes) make("li", note, list);
}
function mark(element) {
  for (const other of [...nodes, ...edges]) other.classList.toggle("on", other === element);
}
function chooseEdge(at) {
  chosen = () => aroundEdge(at); tellEdge(at); mark(edges[at]); rest();
}
function chooseNode(number, element) {
  chosen = () => aroundNode(number); tellNode(number); mark(element); rest();
}
for (const node of nodes) {
  const number = key(node, "node");
  node.setAttribute("tabindex", "0");
  node.addEventListener("mouseenter", () => aroundNode(number));
  node.addEventListener("mouseleave", rest);
  node.addEventListener("click", (event) => { event.stopPropagation(); chooseNode(number, node); });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter") chooseNode(number, node);
  });
}
for (const edge of edges) {
  const at = key(edge, "edge");
  edge.addEventListener("mouseenter", () => aroundEdge(at));
  edge.addEventListener("mouseleave", rest);
  edge.addEventListener("click", (event) => { event.stopPropagation(); chooseEdge(at); });
}
document.getElementById("picture").addEventListener("click", () => {
  chosen = null; mark(null); tellAll(); rest();
});
search.addEventListener("input", () => { chosen = null; mark(null); rest(); });
const spaces = document.getElementById("spaces");
for (const space of [...new Set(data.nodes.map((node) => node.space))].filter(Boolean).sort()) {
  const label = make("label", "", spaces), box = make("input", "", label);
  box.type = "checkbox"; box.checked = true;
  label.append(space);
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(space); else hidden.add(space);
    for (const node of nodes) node.classList.toggle("gone", isHidden(key(node, "node")));
    for (const one of boxes) one.classList.toggle("gone", hidden.has(one.dataset.space));
    for (const edge of edges) {
      edge.classList.toggle("gone", isHidden(key(edge, "from")) || isHidden(key(edge, "to")));
    }
  });
}
tellAll();
"""
