// The texts that the page holds: the first one is on the screen, the others wait behind it, drawn already.
import { screen, word } from "./page.js";

const stage = document.getElementById("stage");
const held = [];
const watchers = [];
let isPainted = true;
let emptyHtml = "";

function cardOf(element) {
  return { item: Number(element.dataset.item), element };
}

export function current() {
  return stage.firstElementChild === held[0]?.element ? (held[0] ?? null) : null;
}

// Whether anybody can have seen what is on the screen. A key that bounces says nothing about the next text.
export function isSeen() {
  return isPainted;
}

export function items() {
  return held.map((card) => card.item);
}

export function count() {
  return held.length;
}

// `watch(card)` is called when another card, or none (null), comes to the screen.
export function watch(watcher) {
  watchers.push(watcher);
}

function place(element) {
  const hadFocus = stage.contains(document.activeElement);
  stage.replaceChildren(element);
  isPainted = false;
  requestAnimationFrame(() => {
    isPainted = true;
  });
  if (hadFocus) (screen.dataset.harsh === undefined && element.querySelector(".sample-text") || stage).focus({ preventScroll: true });
}

function show() {
  const [first] = held;
  if (first ? current() === first : screen.classList.contains("is-empty")) return;
  screen.classList.toggle("is-waiting", !first);
  if (first) {
    screen.classList.remove("is-empty");
    for (const field of screen.querySelectorAll("[name=item]")) field.value = first.item;
    place(first.element);
  } else {
    wait("getting");
  }
  for (const watcher of watchers) watcher(first ?? null);
}

// Nothing to read for a moment; the controls keep their places and do nothing.
export function wait(why) {
  const note = document.createElement("p");
  note.className = "stage-wait quiet";
  note.textContent = word(why);
  screen.classList.add("is-waiting");
  place(note);
}

// Back to what is held, or to why nothing is.
export function resume() {
  if (held.length || !emptyHtml) show();
  else drawEmpty();
}

// The card that the page came with.
export function adopt() {
  const element = stage.querySelector(".card");
  if (element) held.push(cardOf(element));
  else emptyHtml = stage.innerHTML;
  for (const watcher of watchers) watcher(held[0] ?? null);
}

// New cards go behind the others; those that come back (of an undo) to the front.
export function take(cards, isWelcome) {
  const isHeld = new Set(items());
  const back = [];
  for (const { item, html, is_back: isBack } of cards) {
    if (isHeld.has(item) || !isWelcome(item)) continue;
    const template = document.createElement("template");
    template.innerHTML = html;
    const card = cardOf(template.content.querySelector(".card"));
    document.adoptNode(card.element);
    if (isBack) back.push(card);
    else held.push(card);
  }
  held.splice(isBackFirst() ? 0 : 1, 0, ...back);
  show();
}

// What comes back goes on the screen if nothing is read there: nobody's text is taken from under their eyes.
function isBackFirst() {
  return current() === null;
}

export function next() {
  const card = held.shift();
  show();
  return card;
}

export function putBack(card) {
  remove(card.item);
  held.unshift(card);
  show();
}

function remove(item) {
  const at = held.findIndex((card) => card.item === item);
  return at < 0 ? null : held.splice(at, 1)[0];
}

// Takes cards away that are not the person's any more; whether one was on the screen.
export function lose(lost) {
  const shown = current()?.item;
  for (const item of lost) remove(item);
  show();
  return shown !== undefined && lost.includes(shown);
}

// The same words again leave the stage, and a focus in it, as they are.
export function showEmpty(html) {
  const isThere = screen.classList.contains("is-empty") && !screen.classList.contains("is-waiting") && html === emptyHtml;
  emptyHtml = html;
  if (!held.length && !isThere) drawEmpty();
}

function drawEmpty() {
  const template = document.createElement("template");
  template.innerHTML = emptyHtml;
  screen.classList.remove("is-waiting");
  screen.classList.add("is-empty");
  const hadFocus = stage.contains(document.activeElement);
  stage.replaceChildren(template.content);
  if (hadFocus) stage.focus({ preventScroll: true });
}
