// Where workloads run: a map to look around in.
function map(root) {
  const data = parsed(root);
  const pods = Array.from(root.querySelectorAll("svg [data-group]"));
  const lines = root.querySelector("svg .calls"), about = root.querySelector(".about");
  const search = root.querySelector("input[type=search]");
  const personal = root.querySelector(".personal");
  let chosen = null;

  const group = (pod) => Number(pod.dataset.group);
  const of = (number) => pods.filter((pod) => group(pod) === number);
  const calls = (number, end) => data.calls.filter((call) => call[end] === number);

  function centre(pod, side) {
    const box = pod.querySelector("rect").getBBox();
    return [box.x + (side ? box.width : 0), box.y + box.height / 2];
  }
  function line(one, other, look) {
    const [x, y] = centre(one, centre(one, 0)[0] < centre(other, 0)[0]);
    const [a, b] = centre(other, centre(other, 0)[0] < centre(one, 0)[0]);
    const made = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const bend = Math.max(20, Math.abs(a - x) / 3), away = a >= x ? bend : -bend;
    made.setAttribute("d", `M${x} ${y} C${x + away} ${y} ${a - away} ${b} ${a} ${b}`);
    made.setAttribute("class", look);
    lines.append(made);
  }
  function drawCalls(number) {
    lines.replaceChildren();
    if (number === null) return;
    const both = [...calls(number, "from").map((call) => [call, "out"]),
      ...calls(number, "to").map((call) => [call, "in"])];
    for (const [call, look] of both) {
      for (const one of of(call.from)) for (const other of of(call.to)) line(one, other, look);
    }
  }
  function light() {
    const wanted = search.value.trim().toLowerCase();
    let keep = null;
    if (chosen !== null) {
      keep = new Set([chosen, ...calls(chosen, "from").map((call) => call.to),
        ...calls(chosen, "to").map((call) => call.from)]);
    } else if (wanted || personal.checked) {
      keep = new Set(data.groups.map((each, number) => [each, number])
        .filter(([each]) => each.name.toLowerCase().includes(wanted) &&
          (!personal.checked || each.data))
        .map(([, number]) => number));
    }
    for (const pod of pods) {
      pod.classList.toggle("dim", !!keep && !keep.has(group(pod)));
      pod.classList.toggle("on", group(pod) === chosen);
      pod.setAttribute("aria-pressed", String(group(pod) === chosen));
    }
    drawCalls(chosen);
  }
  function linked(title, found, end) {
    if (!found.length) return;
    make("h4", title, about);
    const list = make("ul", "", about);
    for (const call of [...found].sort((a, b) => (b.hops ?? 99) - (a.hops ?? 99))) {
      const item = make("li", "", list);
      const button = make("button", data.groups[call[end]].name, item);
      button.type = "button";
      button.addEventListener("click", () => choose(call[end]));
      item.append(": " + call.far);
      make("div", call.why, item, "quiet");
    }
  }
  function tellGroup(number) {
    const each = data.groups[number];
    make("h3", each.name, about);
    make("p", each.kind + (each.data ? ", holds " + each.data : ""), about);
    if (each.pods) make("p", each.ready + " of " + each.pods + " pods available", about);
    for (const why of each.lost) make("p", why, about, "bad");
    if (each.needs) make("p", each.needs, about);
    listed("On", each.nodes, about);
    linked("Calls", calls(number, "from"), "to");
    linked("Called by", calls(number, "to"), "from");
  }
  function tellAll() {
    make("h3", data.groups.length + " workloads", about);
    for (const note of data.notes) make("p", note, about);
    make("p", "Choose a workload to see whom it calls, and how far. Escape goes back.", about,
      "quiet");
    listed("Without a node", data.groups.flatMap((each) =>
      each.lost.map((why) => each.name + ": " + why)), about, "bad");
    listed("Needed", data.groups.filter((each) => each.needs)
      .map((each) => each.name + ": " + each.needs), about);
    listed("Not provable", data.doubts, about);
  }
  function choose(number) {
    chosen = number;
    about.replaceChildren();
    if (number === null) tellAll(); else tellGroup(number);
    light();
  }
  reachable(pods, (pod) => choose(group(pod)));
  root.querySelector(".picture").addEventListener("click", () => choose(null));
  root.addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });
  for (const input of [search, personal]) input.addEventListener("input", () => choose(null));
  choose(null);
}
for (const root of document.querySelectorAll("[data-look=placement]")) map(root);
