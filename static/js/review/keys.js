// Keys for the section [data-keys]: an element in it with data-key is clicked by its key, "?" opens the dialog that
// data-keys names. Keys rest while typing and composing.
const LIT_MS = 160;
let focused = "";
let pressed = "";

// What a press may mean, the likeliest first: the sign that it writes; else its place, for a digit on AZERTY and for a
// letter on a keyboard without Latin ones. With Shift a digit's place means nothing: there "/" is 7 on a German keyboard.
function meaningsOf({ key, code, shiftKey }) {
  if (key.length !== 1) return [key];
  const digit = !shiftKey && /^Digit(\d)$/.exec(code);
  const letter = key > "\u007f" && /^Key([A-Z])$/.exec(code);
  return [key.toLowerCase(), digit && digit[1], letter && letter[1].toLowerCase()].filter(Boolean);
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

// The first meaning that any control has decides, also where that control can do nothing now.
function findKey(section, meanings) {
  const controls = [...section.querySelectorAll("[data-key]")];
  const having = (key) => controls.filter((one) => one.dataset.key.split(" ").includes(key));
  const found = meanings.map(having).find((some) => some.length) ?? [];
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
  const element = findKey(section, meaningsOf(event));
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
