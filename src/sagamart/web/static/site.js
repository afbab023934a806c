// What a browser can add to pages that work without it: times in the visitor's own zone, time that remains, what a
// visitor has typed when a part of the page is shown anew, and the token of a letter's link, which stays in the address's
// fragment so that no server sees it.
"use strict";

const language = document.documentElement.lang;
const spoken = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const zoned = new Intl.DateTimeFormat(spoken, { dateStyle: "medium", timeStyle: "short" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    time.textContent = zoned.format(new Date(time.dateTime));
    time.dataset.local = "";
  }
}

function remaining(until) {
  const seconds = Math.max(0, Math.floor((new Date(until) - Date.now()) / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((one, place) => (place ? String(one).padStart(2, "0") : String(one))).join(":");
}

function tick() {
  for (const one of document.querySelectorAll("[data-until]")) {
    one.textContent = remaining(one.dataset.until);
  }
}

function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  const field = document.querySelector("input[data-token]");
  if (token && field) {
    field.value = token;
    history.replaceState(null, "", location.pathname + location.search);
  }
}

// What was typed and opened in a part of the page that is about to be shown anew.
const touched = new WeakMap();
const partOf = (event) => (event.detail.target instanceof Element ? event.detail.target : event.target);

function keep(part) {
  const typed = [...part.querySelectorAll("input[id]")].filter((one) => one.value !== one.defaultValue);
  const opened = [...part.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
  touched.set(part, { typed: typed.map((one) => [one.id, one.value]), opened });
}

function restore(part) {
  const kept = touched.get(part);
  if (!kept) return;
  for (const [id, value] of kept.typed) {
    const field = part.querySelector(`#${CSS.escape(id)}`);
    if (field) field.value = value;
  }
  for (const summary of part.querySelectorAll("details > summary")) {
    if (kept.opened.includes(summary.textContent)) summary.parentElement.open = true;
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-sends-itself]");
  if (form) form.requestSubmit();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
for (const coming of ["htmx:beforeSwap", "htmx:sseBeforeMessage"]) {
  document.body.addEventListener(coming, (event) => keep(partOf(event)));
}
for (const swapped of ["htmx:afterSwap", "htmx:sseMessage"]) {
  document.body.addEventListener(swapped, (event) => {
    restore(partOf(event));
    localise(event.target);
    tick();
  });
}

document.documentElement.dataset.scripts = "";
localise(document);
takeToken();
tick();
setInterval(tick, 1000);
