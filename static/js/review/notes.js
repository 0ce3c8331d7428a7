// The small forms for a flag and a comment: Enter sends, Shift+Enter makes a line, Escape closes; afterwards the focus
// is where it was.
import { screen } from "./page.js";

let before = null;

export function closeNotes() {
  for (const note of screen.querySelectorAll(".note[open]")) note.open = false;
}

function backToWork() {
  closeNotes();
  const target = before?.isConnected && before.matches("button, [tabindex]") ? before : screen.querySelector("#stage");
  target.focus({ preventScroll: true });
}

export function finish(form) {
  form.reset();
  backToWork();
}

function onToggle(event) {
  if (!event.target.matches?.(".note") || !event.target.open) return;
  event.target.querySelector("textarea").focus();
}

function onKey(event) {
  const form = event.target.closest?.(".note-form");
  if (!form || event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Escape") {
    event.preventDefault();
    backToWork();
  }
}

export function startNotes() {
  screen.addEventListener("toggle", onToggle, true);
  screen.addEventListener("keydown", onKey);
  screen.addEventListener("click", (event) => {
    if (event.target.closest(".note > summary")) before = document.activeElement?.matches("summary") ? null : document.activeElement;
  }, true);
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".note")) closeNotes();
  });
}
