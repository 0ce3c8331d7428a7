// The desk: the text stays this reviewer's while the page is visible, is free for others once it is left, and the time
// spent on it goes along with the answer. Opened, the form for sending back has the focus.
import "./desk-draft.js";
import { startFinder } from "./review/finder.js";

const RENEW_MS = 60_000;
let shownAt = performance.now();
let hiddenAt = document.hidden ? shownAt : null;

function deskThere() {
  return document.querySelector("[data-desk-keep]");
}

function formOf(desk) {
  const form = new FormData();
  form.set("csrfmiddlewaretoken", desk.querySelector("[name=csrfmiddlewaretoken]").value);
  form.set("item", desk.dataset.deskItem);
  return form;
}

async function renew() {
  const desk = deskThere();
  if (!desk || document.hidden) return;
  try {
    const answer = await fetch(desk.dataset.deskKeep, { method: "POST", body: formOf(desk) });
    const { until } = answer.ok ? await answer.json() : {};
    if (until) desk.dataset.deskUntil = until;
  } catch {
    // Offline: the text stays for ten minutes, and the next beat tries again.
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenAt = performance.now();
  } else if (hiddenAt !== null) {
    shownAt += performance.now() - hiddenAt;
    hiddenAt = null;
    renew();
  }
});

// In the capture phase, so that the time is there before htmx reads the form.
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.matches("[data-desk-decide]") && event.target.querySelector("[name=elapsed_ms]");
    if (field) field.value = Math.round(performance.now() - shownAt);
  },
  true,
);

// Another text begins its own time; the votes of the same one do not.
let shownItem = document.querySelector("[data-desk-item]")?.dataset.deskItem;
document.addEventListener("htmx:afterSwap", () => {
  const item = document.querySelector("[data-desk-item]")?.dataset.deskItem;
  if (item === shownItem) return;
  shownItem = item;
  shownAt = performance.now();
  hiddenAt = document.hidden ? shownAt : null;
});

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.id === "back" && event.target.open) event.target.querySelector("select").focus();
  },
  true,
);

// One person is told why; everybody need not be.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-desk-back]");
  if (form) form.elements.reason.required = form.elements.to.value !== "";
});

// A lease that another page of this reviewer has renewed since stays.
function leave() {
  const desk = deskThere();
  if (!desk?.dataset.deskUntil) return;
  const form = formOf(desk);
  form.set("until", desk.dataset.deskUntil);
  navigator.sendBeacon(desk.dataset.deskLeave, form);
}

addEventListener("pagehide", leave);
// Back from the browser's own cache: the text may lie before somebody else by now.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
setInterval(renew, RENEW_MS);
startFinder();
