// The review screen's own things: its section, its words, what it says to screen readers.
export const screen = document.getElementById("screen");
const words = document.getElementById("words");
const said = document.getElementById("said");

// A sentence of the template; %n is the number in it.
export function word(name, n) {
  const text = words.dataset[name] ?? "";
  return n === undefined ? text : text.replace("%n", n.toLocaleString(document.documentElement.lang));
}

// For the screen reader. The same words twice are two messages only if they differ by something.
export function say(text) {
  said.textContent = said.textContent === text ? `${text}\u00a0` : text;
}

export function toast(level, text) {
  document.dispatchEvent(new CustomEvent("toasts", { detail: { toasts: [{ level, text }] } }));
}

// A mark for an action. crypto.randomUUID is for HTTPS and localhost alone.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function boxName(user, project) {
  return `autoannotator-review-${user}-${project}`;
}

// One name for all tabs of this person in this project.
export function channelName() {
  return boxName(screen.dataset.user, screen.dataset.project);
}
