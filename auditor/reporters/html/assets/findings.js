// The findings: filtered, grouped, and built as far as somebody can see them.
(() => {
  const FIRST = 50;    // so many of one group are there at once
  const AT_ONCE = 400; // so many rows are built before the browser may draw
  const root = document.getElementById("list");
  const data = JSON.parse(document.getElementById("findings-data").textContent);
  const at = (id) => document.getElementById(id);
  const groups = at("groups"), count = at("count"), find = at("find");
  const selects = ["status", "policy", "namespace", "fix", "group"].map(at);
  const [status, policy, space, fix, grouping] = selects;
  const number = (many, thing) => many.toLocaleString("en") + " " + thing + (many === 1 ? "" : "s");

  const place = (one) => "f" in one ? data.files[one.f] + ":" + one.l + ":" + one.c : "";
  const text = (one) => [data.policies[one.p].id, data.policies[one.p].title, one.m, one.o,
    place(one), one.path || "", one.r || "", one.x ? one.x.t : "",
    (one.e || []).flat().join(" ")].join(" ").toLowerCase();
  const all = data.findings;
  const words = all.map(() => null), rows = all.map(() => null);
  const said = (index) => words[index] ??= text(all[index]);

  // --- the filters

  const boxes = data.severities.map((severity) => {
    const label = make("label", "", at("severities"));
    const box = make("input", "", label);
    box.type = "checkbox"; box.defaultChecked = true; box.value = severity;
    label.append(severity);
    return box;
  });
  const option = (select, value, name) => { make("option", name, select).value = value; };
  const some = (items) => [...new Set(items)].sort();
  option(status, "", "any");
  for (const each of data.statuses) {
    if (each === "open" || all.some((one) => one.t === each)) option(status, each, each);
  }
  option(policy, "", "any");
  for (const each of some(all.map((one) => data.policies[one.p].id))) option(policy, each, each);
  option(space, "", "any");
  for (const each of some(all.map((one) => one.n || "-"))) {
    option(space, each, each === "-" ? "none" : each);
  }
  const preset = () => { status.value = "open"; };

  const fits = {
    "": () => true,
    proven: (one) => !!one.x && one.x.ok,
    safe: (one) => !!one.x && one.x.ok && one.x.s === "safe",
    none: (one) => !one.x || !one.x.ok,
  };
  function found() {
    const wanted = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const kept = [];
    all.forEach((one, index) => {
      if (!severities.has(one.s)) return;
      if (status.value && one.t !== status.value) return;
      if (policy.value && data.policies[one.p].id !== policy.value) return;
      if (space.value && (one.n || "-") !== space.value) return;
      if (!fits[fix.value](one)) return;
      if (wanted.length && !wanted.every((word) => said(index).includes(word))) return;
      kept.push(index);
    });
    return kept;
  }

  // --- one finding

  function diff(text, parent) {
    const lines = make("pre", "", parent, "diff");
    for (const line of text.split("\n")) {
      const look = /^(---|\+\+\+|@@)/.test(line) ? "at"
        : line[0] === "+" ? "add" : line[0] === "-" ? "del" : "";
      make("span", line || " ", lines, look);
    }
  }
  function remedy(one, parent) {
    make("h4", "Fix", parent);
    if (!one.x) { make("p", one.no, parent); return; }
    make("p", one.x.t + " (" + one.x.effect + ")", parent);
    if (one.x.ok) make("p", "Proven: " + one.x.good.join(" · "), parent, "good");
    if (one.x.bad) make("p", "Not proven: " + one.x.bad.join("; "), parent, "bad");
    if (one.x.more) {
      const list = make("ul", "", parent);
      for (const [title, item] of one.x.more) make("li", title + ": " + item, list);
    }
    if (one.x.d) diff(one.x.d, parent);
  }
  function more(one, parent) {
    const known = data.policies[one.p];
    const about = [place(one), one.o].filter(Boolean).join("  ·  ");
    make("p", [about, one.path].filter(Boolean).join("  ·  "), parent, "spot");
    if (one.q) make("pre", one.q, parent, "lines");
    if (one.r) make("p", one.t + ": " + one.r, parent);
    if (one.by) make("p", "managed by " + one.by, parent);
    if (one.pods) make("p", "in running pods: " + one.pods.join(", "), parent);
    if (one.e) {
      make("h4", "Evidence", parent);
      const list = make("ul", "", parent);
      for (const [message, where] of one.e) {
        const item = make("li", message, list);
        if (where) { item.append(" "); make("code", where, item); }
      }
    }
    make("h4", "Reason", parent);
    make("p", known.why, parent);
    remedy(one, parent);
    const ids = [known.id, "fingerprint " + one.id, ...known.controls].join(" · ");
    const foot = make("p", ids, parent, "quiet");
    for (const link of known.links.filter((each) => /^https:\/\//.test(each))) {
      foot.append(" · ");
      Object.assign(make("a", link, foot), { href: link, rel: "noreferrer noopener" });
    }
  }
  function mark(one, parent) {
    if (one.t !== "open") return make("span", one.t, parent, "mark");
    if (one.x && one.x.ok) return make("span", "fix proven", parent, "mark proven");
    return null;
  }
  function row(index) {
    if (rows[index]) return rows[index];
    const one = all[index], made = make("li", "", null, "row");
    const head = make("button", "", made, "head");
    head.type = "button";
    head.setAttribute("aria-expanded", "false");
    make("span", one.s, head, "sev " + one.s);
    const told = make("span", one.m, head, "said");
    make("span", [one.o, place(one)].filter(Boolean).join("  ·  "), told, "where");
    mark(one, head);
    made.dataset.index = index;
    return rows[index] = made;
  }
  function toggle(head) {
    const made = head.parentElement, open = head.getAttribute("aria-expanded") !== "true";
    head.setAttribute("aria-expanded", String(open));
    let body = made.querySelector(".more");
    if (!body) {
      body = make("div", "", made, "more");
      more(all[Number(made.dataset.index)], body);
    }
    body.hidden = !open;
  }

  // --- groups

  const keys = {
    policy: (one) => data.policies[one.p].id,
    object: (one) => one.o,
    namespace: (one) => one.n || "no namespace",
    file: (one) => "f" in one ? data.files[one.f] : "no file",
    severity: (one) => one.s,
  };
  const title = (key) => {
    const known = grouping.value === "policy" && data.policies.find((one) => one.id === key);
    return known ? known.title.replace(/\.$/, "") + "  (" + key + ")" : key;
  };
  function group(key, members, number_) {
    const made = make("div", "", null, "group");
    const head = make("button", "", make("h3", "", made));
    head.type = "button";
    head.setAttribute("aria-expanded", "true");
    make("span", all[members[0]].s, head, "sev " + all[members[0]].s);
    make("span", title(key), head, "name");
    make("span", members.length.toLocaleString("en"), head, "size");
    const list = make("ul", "", made, "rows");
    list.id = "group-" + number_;
    head.setAttribute("aria-controls", list.id);
    return { made, list, members };
  }
  function fill(one, upto) {
    const from = one.list.childElementCount;
    one.list.append(...one.members.slice(from, upto).map(row));
    one.rest?.remove();
    one.rest = null;
    const left = one.members.length - one.list.childElementCount;
    if (!left) return;
    one.rest = make("button", "Show the other " + left.toLocaleString("en"), one.made, "rest");
    one.rest.type = "button";
    one.rest.addEventListener("click", () => {
      const next = one.list.childElementCount;
      fill(one, one.members.length);
      one.list.children[next].querySelector(".head").focus();
    });
  }

  let shown = [], waiting = 0;
  function show() {
    cancelAnimationFrame(waiting);
    const kept = found(), by = new Map(), key = keys[grouping.value];
    for (const index of kept) {
      const name = key(all[index]);
      if (by.has(name)) by.get(name).push(index); else by.set(name, [index]);
    }
    shown = [...by].map(([name, members], at) => group(name, members, at));
    groups.replaceChildren();
    if (!shown.length) {
      make("p", all.length ? "No finding fits these filters." : "No findings.", groups, "none");
    }
    count.textContent = kept.length === all.length ? number(all.length, "finding")
      : kept.length.toLocaleString("en") + " of " + number(all.length, "finding");
    build(0);
  }
  function build(from) {
    let next = from, built = 0;
    while (next < shown.length && built < AT_ONCE) {
      fill(shown[next], FIRST);
      built += shown[next].list.childElementCount;
      groups.append(shown[next++].made);
    }
    if (next < shown.length) waiting = requestAnimationFrame(() => build(next));
    else root.dataset.built = String(shown.length);
  }
  function whole() {
    cancelAnimationFrame(waiting);
    for (const one of shown) { fill(one, one.members.length); groups.append(one.made); }
  }

  // --- what people do

  let typing = 0;
  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(show, 120); });
  for (const one of [...selects, ...boxes]) one.addEventListener("change", show);
  const form = root.querySelector("form");
  form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
  form.addEventListener("reset", () => setTimeout(show));
  for (const card of document.querySelectorAll(".card")) {
    card.addEventListener("click", () => {
      for (const box of boxes) box.checked = box.value === card.dataset.severity;
      preset(); show();
      document.getElementById("findings").scrollIntoView();
      boxes.find((box) => box.checked).focus({ preventScroll: true });
    });
  }
  groups.addEventListener("click", (event) => {
    const head = event.target.closest(".head");
    if (head) return toggle(head);
    const over = event.target.closest("h3 button");
    if (!over) return;
    const open = over.getAttribute("aria-expanded") !== "true", made = over.closest(".group");
    over.setAttribute("aria-expanded", String(open));
    made.querySelector(".rows").hidden = !open;
    const rest = made.querySelector(".rest");
    if (rest) rest.hidden = !open;
  });
  groups.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const reach = Array.from(groups.querySelectorAll(
      "h3 button, .rows:not([hidden]) .head, .rest:not([hidden])"));
    const next = reach[reach.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    event.preventDefault();
    find.focus();
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find.value) { find.value = ""; show(); }
    if (event.key === "ArrowDown") { event.preventDefault(); groups.querySelector("button")?.focus(); }
  });
  addEventListener("beforeprint", whole);

  preset();
  show();
})();
