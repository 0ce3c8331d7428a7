// How much goes into one letter: as many actions as the server, and whatever stands before it, takes at once.
import { toast, word } from "./page.js";
import * as outbox from "./outbox.js";
import * as undo from "./undo.js";

const BATCH = 100;
const LETTER_BYTES = 900_000; // the server takes a million; the rest is for what stands around the actions
let most = LETTER_BYTES;

function sizeOf(actions) {
  return new Blob([JSON.stringify(actions)]).size;
}

// The oldest actions that one letter carries, one at least where there is any.
export function fitting(actions) {
  let count = Math.min(actions.length, BATCH);
  while (count > 1 && sizeOf(actions.slice(0, count)) > most) count = Math.ceil(count / 2);
  return actions.slice(0, count);
}

export function isTooLarge(actions) {
  return actions.length > 0 && sizeOf(actions) > LETTER_BYTES;
}

// They were too much at once: the next letter has fewer. One that is too large alone stays in this browser, out of the
// way of the others, and the person is told.
export async function shrink(actions) {
  if (actions.length > 1) {
    most = sizeOf(actions) / 2;
    return;
  }
  await outbox.park(actions[0]);
  undo.forget(actions[0].id);
  toast("error", word("tooLarge"));
}

// A text that was decided and taken back at once is on the screen again while its answer goes out alone: the server is
// not asked about it then, or it would say that the text is gone.
export function heldAfter(actions, held) {
  const gone = new Map();
  for (const { kind, id, item, of } of actions) {
    if (kind === "undo") gone.delete(of);
    else if (kind !== "comment") gone.set(id, item);
  }
  const left = new Set(gone.values());
  return held.filter((item) => !left.has(item));
}
