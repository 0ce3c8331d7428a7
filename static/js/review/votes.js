// The votes on a text: hidden until the person asks, where they may be seen at all. While texts of an audit's frame wait,
// no card holds any: they are asked for one by one, or come by themselves where they always stand there. Whether they
// were seen is told with the decision, also after a reload.
import * as cards from "./cards.js";
import { channelName, screen, toast, word } from "./page.js";

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
  if (votes && !votes.hidden && !votes.querySelector("[data-votes-kept]")) remember(card.item);
  if (votes?.dataset.votesAt && "votesAlways" in votes.dataset) void bring(card, votes, { isWanted: false });
}

// Whether they are there now. What comes after its text has left the screen was seen by nobody.
async function get(card, votes, isWanted) {
  try {
    const answer = await fetch(votes.dataset.votesAt, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const html = await answer.text();
    if (cards.current()?.element !== card.element || !votes.dataset.votesAt) return false;
    votes.innerHTML = html;
    delete votes.dataset.votesAt;
    return true;
  } catch {
    if (isWanted) toast("warning", word("votesAway"));
    return false;
  }
}

// isWanted: the person asked for them just now, and by the same key for their going; else they come by themselves.
async function bring(card, votes, { isWanted }) {
  if (votes.dataset.votesAt && !(await get(card, votes, isWanted))) return;
  votes.hidden = isWanted && !votes.hidden;
  update(card);
}

export function startVotes() {
  recall();
  cards.watch(update);
  toggle.addEventListener("click", () => {
    const card = cards.current();
    const votes = votesOf(card);
    if (votes) void bring(card, votes, { isWanted: true });
  });
}
