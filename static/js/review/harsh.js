// Texts that hurt: blurred until the person looks at them, and now and then a word about a break.
import * as cards from "./cards.js";
import { kbd } from "./keymap.js";
import { say, screen, toast, word } from "./page.js";

const BREAK_AFTER = 25; // chosen: about ten minutes of reading
const PAUSE_MS = 5 * 60_000; // chosen: who was away for this long has had a break
const isHarsh = screen?.dataset.harsh !== undefined;
let inARow = 0;
let lastAt = performance.now();

function reveal() {
  const card = cards.current()?.element;
  if (!card) return;
  card.classList.add("is-seen");
  card.querySelector(".veil")?.remove();
}

function veil(card) {
  if (!card || card.element.classList.contains("is-seen") || card.element.querySelector(".veil")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button veil";
  button.dataset.key = "Enter";
  button.append(kbd("Enter"), word("show"));
  button.addEventListener("click", () => {
    reveal();
    card.element.querySelector(".sample-text").focus({ preventScroll: true });
  });
  card.element.querySelector(".sample-text").after(button);
}

// Whether the text was looked at; says what to do when not.
export function isReadable(card) {
  if (!isHarsh || card.element.classList.contains("is-seen")) return true;
  say(word("lookFirst"));
  card.element.querySelector(".veil")?.classList.add("is-asking");
  return false;
}

export function countHarsh() {
  if (!isHarsh) return;
  const now = performance.now();
  inARow = now - lastAt > PAUSE_MS ? 1 : inARow + 1;
  lastAt = now;
  if (inARow % BREAK_AFTER === 0) toast("info", word("break", inARow));
}

export function startHarsh() {
  if (!isHarsh) return;
  cards.watch(veil);
  document.getElementById("stage").addEventListener("focusin", (event) => {
    if (event.target.matches(".sample-text")) reveal();
  });
}
