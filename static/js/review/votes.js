// The votes on a text: hidden until the person asks, where they may be seen at all. Whether they were is told with the
// decision.
import * as cards from "./cards.js";
import { screen } from "./page.js";

const toggle = screen?.querySelector("[data-votes-toggle]");
const seen = new WeakSet();

function votesOf(card) {
  return card?.element.querySelector("[data-votes]") ?? null;
}

export function wereSeen(card) {
  return seen.has(card.element);
}

function update(card) {
  const votes = votesOf(card);
  toggle.hidden = votes === null;
  toggle.setAttribute("aria-pressed", String(votes !== null && !votes.hidden));
  if (votes && !votes.hidden) seen.add(card.element);
}

export function startVotes() {
  cards.watch(update);
  toggle.addEventListener("click", () => {
    const card = cards.current();
    const votes = votesOf(card);
    if (!votes) return;
    votes.hidden = !votes.hidden;
    update(card);
  });
}
