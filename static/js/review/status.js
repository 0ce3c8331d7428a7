// What waits here and why: offline, an ailing server, an ended session, a membership that is over.
import { say, screen, word } from "./page.js";

const line = document.getElementById("outbox");
const signIn = document.getElementById("outbox-sign-in");
const QUIET_MS = 1_500; // chosen: a save that takes less is not worth a word

let shownAfter = 0;

function waiting(count) {
  if (!count) return "";
  return count === 1 ? word("waitingOne") : word("waitingMany", count);
}

function reasonOf({ kind, isSomebodyElse, message }) {
  if (kind === "away") return word(navigator.onLine ? "server" : "offline");
  if (kind === "signin") return word(isSomebodyElse ? "otherPerson" : "signIn");
  if (kind === "refused") return message;
  if (kind === "unread" || kind === "large") return word("unread");
  return "";
}

function write(text, kind) {
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
  line.dataset.kind = kind;
  signIn.hidden = kind !== "signin";
}

export function showState(state) {
  clearTimeout(shownAfter);
  const reason = reasonOf(state);
  if (reason) {
    write([reason, waiting(state.waiting)].filter(Boolean).join(" · "), state.kind);
  } else {
    if (!line.hidden) say(word("saved"));
    write("", "ok");
  }
}

// While an answer is slow, how much waits for it.
export function expect(state) {
  clearTimeout(shownAfter);
  shownAfter = setTimeout(() => {
    if (state.kind === "ok" && state.waiting) write(waiting(state.waiting), "slow");
    else if (state.kind !== "ok") showState(state);
  }, QUIET_MS);
}
