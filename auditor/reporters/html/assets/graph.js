// Who reaches whom: a picture to look around in.
function graph(root) {
  const data = parsed(root);
  const all = (selector) => Array.from(root.querySelectorAll(selector));
  const nodes = all("svg [data-node]"), edges = all("svg [data-edge]"), boxes = all("svg .box");
  const about = root.querySelector(".about"), search = root.querySelector("input[type=search]");
  const personal = root.querySelector(".personal");
  const hidden = new Set();
  let chosen = null;

  const key = (element, name) => Number(element.dataset[name]);
  const isHidden = (number) => hidden.has(data.nodes[number].space);
  const told = (reasons, parent) => {
    const list = make("ul", "", parent);
    for (const reason of reasons) {
      const item = make("li", reason.text, list);
      if (reason.where) { make("br", "", item); make("code", reason.where, item); }
    }
  };

  function lit(keep, lines) {
    for (const node of nodes) node.classList.toggle("dim", !!keep && !keep.has(key(node, "node")));
    for (const edge of edges) {
      edge.classList.toggle("dim", !!lines && !lines.has(key(edge, "edge")));
    }
  }
  function around(matches) {
    const keep = new Set(), lines = new Set();
    data.nodes.forEach((node, number) => { if (matches(node, number)) keep.add(number); });
    const found = new Set(keep);
    data.edges.forEach((edge, at) => {
      if (!found.has(edge.from) && !found.has(edge.to)) return;
      lines.add(at); keep.add(edge.from); keep.add(edge.to);
    });
    lit(keep, lines);
  }
  const aroundNode = (number) => around((_, other) => other === number);
  const aroundEdge = (at) => lit(new Set([data.edges[at].from, data.edges[at].to]), new Set([at]));
  function toData() {
    const keep = new Set(), lines = new Set();
    data.nodes.forEach((node, number) => { if (node.data.length) keep.add(number); });
    data.edges.forEach((edge, at) => {
      if (!data.nodes[edge.to].data.length) return;
      lines.add(at); keep.add(edge.from);
    });
    lit(keep, lines);
  }
  function rest() {
    const wanted = search.value.trim().toLowerCase();
    if (chosen) return chosen();
    if (wanted) return around((node) => node.name.toLowerCase().includes(wanted));
    return personal.checked ? toData() : lit(null, null);
  }
  function tellEdge(at) {
    const edge = data.edges[at];
    about.replaceChildren();
    make("h3", data.nodes[edge.from].name + " \u2192 " + data.nodes[edge.to].name, about);
    make("p", edge.ports + (edge.sure ? "" : " (cannot be told for sure)"), about);
    if (edge.reasons.length) { make("h4", "Why", about); told(edge.reasons, about); }
    listed("Not known", edge.unknown, about);
  }
  function tellNode(number) {
    const node = data.nodes[number];
    about.replaceChildren();
    make("h3", node.name, about);
    if (node.data.length) make("p", "holds " + node.data.join(", ").toUpperCase(), about);
    if (node.open) {
      make("p", "everything in the cluster reaches it, on every port", about);
      if (node.reasons.length) told(node.reasons, about);
    }
    if (node.note) make("p", "the internet through " + node.note, about);
    for (const [title, here, there] of [["Reached by", "to", "from"], ["Reaches", "from", "to"]]) {
      const found = data.edges.map((edge, at) => [edge, at])
        .filter(([edge]) => edge[here] === number);
      if (!found.length) continue;
      make("h4", title, about);
      const list = make("ul", "", about);
      for (const [edge, at] of found) {
        const button = make("button", data.nodes[edge[there]].name + ": " + edge.ports,
          make("li", "", list));
        button.type = "button";
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
    make("h3", "Who reaches whom", about);
    const count = data.nodes.filter((node) => node.kind === "workload").length;
    const open = data.nodes.filter((node) => node.open).length;
    make("p", count + " workloads; everything reaches " + (open || "none") +
      " of them on every port", about);
    if (data.free) make("p", "Every workload may leave for the internet.", about);
    make("p", "Choose a line for its reasons, a workload for its lines. Escape goes back.", about,
      "quiet");
    listed("What has to be known", data.notes, about);
  }
  function mark(element) {
    for (const other of [...nodes, ...edges]) other.classList.toggle("on", other === element);
  }
  function chooseEdge(at) {
    chosen = () => aroundEdge(at); tellEdge(at); mark(edges[at]); rest();
  }
  function chooseNode(node) {
    const number = key(node, "node");
    chosen = () => aroundNode(number); tellNode(number); mark(node); rest();
  }
  function back() { chosen = null; mark(null); tellAll(); rest(); }

  reachable(nodes, chooseNode);
  for (const node of nodes) {
    node.addEventListener("mouseenter", () => aroundNode(key(node, "node")));
    node.addEventListener("mouseleave", rest);
  }
  for (const edge of edges) {
    const at = key(edge, "edge");
    edge.addEventListener("mouseenter", () => aroundEdge(at));
    edge.addEventListener("mouseleave", rest);
    edge.addEventListener("click", (event) => { event.stopPropagation(); chooseEdge(at); });
  }
  root.querySelector(".picture").addEventListener("click", back);
  root.addEventListener("keydown", (event) => { if (event.key === "Escape") back(); });
  for (const input of [search, personal]) input.addEventListener("input", back);
  const spaces = root.querySelector(".spaces");
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
}
for (const root of document.querySelectorAll("[data-look=network]")) graph(root);
