// What scripts add to the console: a story's message opens beside it, and arrow keys go from message to message.
"use strict";

function choose(id) {
  for (const one of document.querySelectorAll(".row.chosen")) one.classList.remove("chosen");
  document.getElementById(id)?.classList.add("chosen");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-part], a[data-close]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !document.getElementById("message")) return;
  event.preventDefault();
  const panel = document.getElementById("message");
  if (link.dataset.close) {
    const row = document.getElementById(link.dataset.close);
    panel.classList.add("idle");
    panel.replaceChildren();
    choose("");
    row?.focus();
    return;
  }
  const number = link.dataset.part.split("/").pop();
  panel.dataset.number = number;
  htmx.ajax("GET", link.dataset.part, { target: "#message", swap: "innerHTML" }).then(() => {
    panel.classList.remove("idle");
    choose(`row-${number}`);
    document.getElementById("message-title")?.focus({ preventScroll: true });
  });
});

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("a.row");
  if (!row || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
  const rows = [...document.querySelectorAll("a.row")];
  const next = rows[rows.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
  if (event.key === "Escape" || !next) return;
  event.preventDefault();
  next.focus();
});

// On a phone the menu is wider than the window: it begins with the section that one is in.
const here = document.querySelector(".console-menu [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;

// While a story grows, who reads its end goes on reading its end.
let follows = false;
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const frame = event.target.closest?.(".story-frame");
  follows = Boolean(frame) && frame.scrollTop > 0 && frame.scrollHeight - frame.scrollTop - frame.clientHeight < 60;
});
document.body.addEventListener("htmx:afterSettle", () => {
  const frame = document.querySelector(".story-frame");
  if (frame && follows) frame.scrollTop = frame.scrollHeight;
  follows = false;
  const number = document.getElementById("message")?.dataset.number;
  if (number) choose(`row-${number}`);
});
