// Keys for the section [data-keys]: an element in it with data-key is clicked by its key, "?" opens the dialog that
// data-keys names. Digits count by position, so that they work on AZERTY, and so do letters on a keyboard without Latin
// ones; keys rest while typing and composing.
const LIT_MS = 160;
let focused = "";
let pressed = "";

export function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit) return digit[1];
  if (event.key.length !== 1) return event.key;
  const letter = event.key > "\u007f" && /^Key([A-Z])$/.exec(event.code);
  return (letter ? letter[1] : event.key).toLowerCase();
}

export function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=button], [type=submit], [type=checkbox], [type=radio])");
}

function isForTheBrowser(event) {
  return event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey;
}

// Enter on a control is that control's own, but for the class that is chosen already: there it submits.
function isControlsOwn(event) {
  if (event.key !== "Enter") return false;
  const control = event.target.closest("button, a, summary, label");
  return control !== null && control.getAttribute("aria-pressed") !== "true";
}

function findKey(section, key) {
  const found = [...section.querySelectorAll("[data-key]")].filter((one) => one.dataset.key.split(" ").includes(key));
  return found.find((one) => !one.disabled && one.checkVisibility()) ?? null;
}

function light(key) {
  const lit = document.querySelector(`[data-keys] [data-key="${CSS.escape(key)}"]`);
  if (!lit) return;
  lit.classList.add("is-pressed");
  setTimeout(() => lit.classList.remove("is-pressed"), LIT_MS);
}

function isWaiting(section) {
  return section.matches(".htmx-request") || section.querySelector(".htmx-request") !== null;
}

function press(event) {
  const section = document.querySelector("[data-keys]");
  if (!section || isForTheBrowser(event) || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (isControlsOwn(event)) return;
  const element = findKey(section, keyOf(event));
  if (element) {
    event.preventDefault();
    if (!event.repeat && !isWaiting(section)) element.click();
  } else if (event.key === "?" && section.dataset.keys) {
    event.preventDefault();
    document.getElementById(section.dataset.keys)?.showModal();
  }
}

function noteClick(event) {
  const element = event.target.closest?.("[data-keys] [data-key]");
  if (!element) return;
  pressed = element.dataset.key;
  light(pressed);
}

function noteFocus(event) {
  const target = event.detail.target;
  const active = document.activeElement;
  focused = target?.contains(active) ? (active.dataset.key ?? "") : "";
  if (focused && active.id) focused = ""; // htmx keeps focus by id itself
}

function settle() {
  const section = document.querySelector("[data-keys]");
  if (!section) return;
  // The pressed key stays lit while the next text is already there.
  if (pressed) light(pressed);
  pressed = "";
  if (focused) section.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  focused = "";
}

export function listenToKeys() {
  document.addEventListener("keydown", press);
  document.addEventListener("click", noteClick);
  document.addEventListener("htmx:beforeSwap", noteFocus);
  document.addEventListener("htmx:afterSettle", settle);
}
