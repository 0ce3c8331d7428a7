// The line about the last answer: drawn at once with "saving", then as the server knows it.
import { screen, word } from "./page.js";

const EXCERPT = 90;
const box = document.getElementById("last");
let isPassing = false;

// The class as a tag of its button: the same colour and name.
function tagOf(button) {
  const tag = document.createElement("span");
  const slot = [...button.classList].find((name) => name.startsWith("class-slot-"));
  tag.className = `tag ${slot ?? ""}`;
  const mark = document.createElement("span");
  mark.className = "tag-mark";
  const name = document.createElement("span");
  name.className = "tag-name";
  name.dir = "auto";
  name.textContent = button.querySelector(".class-button-name").textContent;
  tag.append(mark, name);
  return tag;
}

function excerptOf(card) {
  const text = card.element.querySelector(".sample-text").firstChild?.textContent ?? "";
  const start = text.slice(0, 4 * EXCERPT).replace(/\s+/g, " ").trim();
  return start.length > EXCERPT ? `${start.slice(0, EXCERPT)}…` : start;
}

// `what` is a class button, or the name of a word.
export function showSaving(card, what) {
  const line = document.getElementById("last-template").content.firstElementChild.cloneNode(true);
  line.querySelector(".last-what").append(typeof what === "string" ? word(what) : tagOf(what));
  line.querySelector(".last-text").textContent = excerptOf(card);
  isPassing = typeof what === "string";
  box.replaceChildren(line);
}

// The server tells of the last decision. After a skip or a flag that is an older one: then the line is only saved.
export function showLast(html) {
  if (!isPassing) {
    box.innerHTML = html;
    return;
  }
  markSaved();
}

export function markSaved() {
  const state = box.querySelector(".last-saved");
  if (!state) return;
  state.classList.remove("is-waiting");
  state.textContent = word("saved");
}

export function forgetPassing() {
  isPassing = false;
}

export function showHead(html) {
  screen.querySelector("#progress").innerHTML = html;
}

// Between two lines of the server: what it stored of this person counts for today.
export function countToday(results, actions) {
  const stored = new Set(results.filter(({ outcome }) => outcome === "stored").map(({ id }) => id));
  const more = actions.filter(({ id, kind }) => kind === "decide" && stored.has(id)).length;
  const shown = screen.querySelector("#progress [data-today]");
  if (!more || !shown) return;
  shown.dataset.today = String(Number(shown.dataset.today) + more);
  shown.textContent = Number(shown.dataset.today).toLocaleString(document.documentElement.lang);
}
