// The classes as the project has them now: their buttons, and their list in the dialog of keys.
import { kbd } from "./keymap.js";
import { screen, say, toast, word } from "./page.js";

const box = document.getElementById("classes");
const keys = document.querySelector("[data-class-keys]");

function rowsOf(button) {
  const key = document.createElement("dt");
  key.append(button.dataset.key ? kbd(button.dataset.key) : "–");
  const what = document.createElement("dd");
  const name = document.createElement("b");
  name.dir = "auto";
  name.textContent = button.querySelector(".class-button-name").textContent;
  const description = document.createElement("span");
  description.className = "quiet";
  description.dir = "auto";
  description.textContent = button.title;
  what.append(name, " ", description);
  return [key, what];
}

function listKeys() {
  const buttons = [...box.querySelectorAll(".class-button")];
  keys.replaceChildren(...buttons.flatMap(rowsOf));
}

export function mark() {
  return screen.dataset.classes;
}

export function showClasses({ mark: newMark, html }) {
  const focused = document.activeElement?.matches(".class-button") ? document.activeElement.value : "";
  box.innerHTML = html;
  screen.dataset.classes = newMark;
  if (focused) box.querySelector(`.class-button[value="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  listKeys();
  toast("info", word("classes"));
  say(word("classes"));
}

// Answers count for the class whatever it is called by now: who gave them under another name is told.
export function tellRenamed(actions, results) {
  const stored = new Set(results.filter(({ outcome }) => outcome === "stored").map(({ id }) => id));
  const told = new Set();
  for (const { id, class: value, name } of actions) {
    const button = stored.has(id) && name && box.querySelector(`.class-button[value="${CSS.escape(value)}"]`);
    const now = button && button.querySelector(".class-button-name").textContent;
    if (!now || now === name || told.has(name)) continue;
    told.add(name);
    toast("warning", word("renamed").replace("%old", () => name).replace("%new", () => now));
  }
}

export function startClasses() {
  listKeys();
}
