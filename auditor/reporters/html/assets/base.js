// What all pages share. Text of others reaches the document by textContent alone.
const make = (tag, text, parent, look) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (look) made.className = look;
  if (parent) parent.append(made);
  return made;
};
const parsed = (root) =>
  JSON.parse(root.querySelector("script[type='application/json']").textContent);
const listed = (title, found, parent, look) => {
  if (!found.length) return;
  make("h4", title, parent);
  const list = make("ul", "", parent);
  for (const item of found) make("li", item, list, look);
};

// Makes buttons of the elements of a picture: one is on the way of Tab, arrows lead to the others.
function reachable(items, choose) {
  items.forEach((item, at) => {
    item.setAttribute("role", "button");
    item.setAttribute("tabindex", at ? "-1" : "0");
    item.addEventListener("focus", () => {
      for (const other of items) other.setAttribute("tabindex", other === item ? "0" : "-1");
    });
    item.addEventListener("click", (event) => { event.stopPropagation(); choose(item); });
    item.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(item); }
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      let next = at;
      do next = (next + step + items.length) % items.length;
      while (next !== at && items[next].classList.contains("gone"));
      items[next].focus();
    });
  });
}

// A wide picture shrinks as far as it can be read; then it is to be scrolled.
for (const svg of document.querySelectorAll(".picture > svg")) {
  svg.style.minWidth = 0.66 * svg.width.baseVal.value + "px";
}

const isDark = () => document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === "dark"
  : matchMedia("(prefers-color-scheme:dark)").matches;
const theme = document.getElementById("theme");
const nameTheme = () => { theme.textContent = isDark() ? "Light colours" : "Dark colours"; };
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
matchMedia("(prefers-color-scheme:dark)").addEventListener("change", nameTheme);
nameTheme();
