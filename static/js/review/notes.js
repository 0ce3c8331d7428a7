// The small forms for a flag and a comment: Enter sends, Shift+Enter makes a line, Escape closes; afterwards the focus
// is where it was.
import * as cards from "./cards.js";
import { screen } from "./page.js";

let before = null;
// The text that the open note is about: it may leave the screen while somebody writes.
let about = null;

export function closeNotes() {
  for (const note of screen.querySelectorAll(".note[open]")) note.open = false;
  about = null;
}

// Another text is on the screen. A note that is being written stays open, or its next letters were keys.
export function closeIdleNotes() {
  if (!document.activeElement?.closest(".note[open] .note-form")) closeNotes();
}

export function isNote(form) {
  return form.matches(".note-form");
}

export function cardOfNote() {
  return about ?? cards.current();
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
  about = cards.current();
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
