// The votes on a text: hidden until the person asks, where they may be seen at all. Whether they were is told with the
// decision, also after a reload.
import * as cards from "./cards.js";
import { channelName, screen } from "./page.js";

const MOST = 200; // chosen: far more than a person looks at between two reloads
const toggle = screen?.querySelector("[data-votes-toggle]");
let seen = [];

function remember(item) {
  if (seen.includes(item)) return;
  seen = [...seen, item].slice(-MOST);
  try {
    sessionStorage.setItem(`${channelName()}-seen`, JSON.stringify(seen));
  } catch {
    // Where nothing can be kept it is known as long as the page lives.
  }
}

function recall() {
  try {
    seen = JSON.parse(sessionStorage.getItem(`${channelName()}-seen`)) ?? [];
  } catch {
    seen = [];
  }
}

function votesOf(card) {
  return card?.element.querySelector("[data-votes]") ?? null;
}

export function wereSeen(card) {
  return seen.includes(card.item);
}

function update(card) {
  const votes = votesOf(card);
  toggle.hidden = votes === null;
  toggle.setAttribute("aria-pressed", String(votes !== null && !votes.hidden));
  if (votes && !votes.hidden) remember(card.item);
}

export function startVotes() {
  recall();
  cards.watch(update);
  toggle.addEventListener("click", () => {
    const card = cards.current();
    const votes = votesOf(card);
    if (!votes) return;
    votes.hidden = !votes.hidden;
    update(card);
  });
}
