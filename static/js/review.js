// Keys for the section [data-keys]: an element in it with data-key is clicked by its key, "?" opens the dialog that
// data-keys names. Digits count by position, so that they work on AZERTY; keys rest while typing and composing.
const LIT_MS = 160;
let focused = "";
let pressed = "";

function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit) return digit[1];
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=button], [type=submit], [type=checkbox], [type=radio])");
}

function isForTheBrowser(event) {
  return event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey;
}

function findKey(section, key) {
  const found = [...section.querySelectorAll("[data-key]")].find((one) => one.dataset.key.split(" ").includes(key));
  return found && !found.disabled && found.checkVisibility() ? found : null;
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

document.addEventListener("keydown", (event) => {
  const section = document.querySelector("[data-keys]");
  if (!section || isForTheBrowser(event) || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?" && section.dataset.keys) {
    event.preventDefault();
    document.getElementById(section.dataset.keys)?.showModal();
    return;
  }
  const element = findKey(section, keyOf(event));
  if (!element) return;
  event.preventDefault();
  if (event.repeat || isWaiting(section)) return;
  element.click();
});

document.addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-keys] [data-key]");
  if (!element) return;
  pressed = element.dataset.key;
  light(pressed);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  const active = document.activeElement;
  focused = target?.contains(active) ? (active.dataset.key ?? "") : "";
  if (focused && active.id) focused = ""; // htmx keeps focus by id itself
});

document.addEventListener("htmx:afterSettle", () => {
  const section = document.querySelector("[data-keys]");
  if (!section) return;
  // The pressed key stays lit while the next text is already there.
  if (pressed) light(pressed);
  pressed = "";
  if (focused) section.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  focused = "";
});
