// With auto-advance a class's key or button decides. Without it, it chooses, and Enter or the button "Submit" decides.
import * as cards from "./cards.js";
import { say, screen, word } from "./page.js";
import { decide } from "./verbs.js";

const submit = screen?.querySelector("[data-submit]");
const toggle = document.querySelector("[data-auto-advance]");

export function isAdvancing() {
  return screen.dataset.advance !== undefined;
}

function chosen() {
  return screen.querySelector(".class-button[aria-pressed=true]");
}

function clear() {
  chosen()?.removeAttribute("aria-pressed");
  submit.disabled = true;
}

function choose(button) {
  clear();
  button.setAttribute("aria-pressed", "true");
  submit.disabled = false;
  // Enter on another class's button would choose that one.
  if (document.activeElement?.matches(".class-button")) button.focus();
  say(`${button.querySelector(".class-button-name").textContent}: ${word("chosen")}`);
}

export function pick(button) {
  const card = cards.current();
  if (!card) return;
  if (isAdvancing()) decide(card, button);
  else choose(button);
}

async function save() {
  screen.toggleAttribute("data-advance", toggle.checked);
  submit.hidden = toggle.checked;
  clear();
  const body = new FormData(toggle.form);
  try {
    await fetch(toggle.form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  } catch {
    // Offline: it holds on this page, and is as it was after a reload.
  }
}

export function startChoosing() {
  cards.watch(clear);
  submit.hidden = isAdvancing();
  submit.addEventListener("click", () => {
    const [card, button] = [cards.current(), chosen()];
    if (card && button) decide(card, button);
  });
  toggle?.addEventListener("change", save);
}
