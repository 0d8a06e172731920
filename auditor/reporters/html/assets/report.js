// The buttons that choose which picture is to be seen.
for (const choice of document.querySelectorAll(".choice")) {
  const buttons = Array.from(choice.querySelectorAll("button"));
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) {
        other.setAttribute("aria-pressed", String(other === button));
        document.getElementById(other.getAttribute("aria-controls")).hidden = other !== button;
      }
    });
  }
}
