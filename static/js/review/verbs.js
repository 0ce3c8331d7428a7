// What a person does: decide, skip, flag, comment, undo. Each paints first and is sent behind the painting.
import * as cards from "./cards.js";
import { elapsedMs } from "./clock.js";
import { countHarsh, isReadable } from "./harsh.js";
import { forgetPassing, showSaving } from "./lastline.js";
import { newId, say, screen, word } from "./page.js";
import * as sender from "./sender.js";
import * as tabs from "./tabs.js";
import * as undo from "./undo.js";
import { wereSeen } from "./votes.js";

const undoButton = screen?.querySelector("[data-do=undo] button");
let asked = null;

function leave(card, action, what) {
  undo.remember({ id: action.id, card });
  undoButton.disabled = false;
  showSaving(card, what);
  cards.next();
  sender.queue(action);
  tabs.tell({ done: card.item });
}

export function decide(card, button) {
  if (!isReadable(card)) return;
  // The name is for this page: whether the class was called so when the answer counted.
  const name = button.querySelector(".class-button-name").textContent;
  const action = { kind: "decide", id: newId(), item: card.item, class: Number(button.value), name };
  leave(card, { ...action, seen: wereSeen(card), elapsed_ms: elapsedMs() }, button);
  countHarsh();
}

export function skip(card) {
  leave(card, { kind: "skip", id: newId(), item: card.item, seen: wereSeen(card) }, "skipped");
}

export function flag(card, form) {
  const note = form.elements.note.value.trim();
  const action = { kind: "flag", id: newId(), item: card.item, note, seen: wereSeen(card) };
  if (card === cards.current()) leave(card, action, "flagged");
  else sender.queue(action); // the text left the screen while the note was written
}

export function comment(card, form) {
  const text = form.elements.text.value.trim();
  if (!text) return;
  sender.queue({ kind: "comment", id: newId(), item: card.item, text });
  say(word("commented"));
}

// What this page did comes back at once; what was done before a reload, the server looks up.
export function takeBack() {
  if (asked) return;
  forgetPassing();
  const entry = undo.last();
  if (entry) {
    cards.putBack(entry.card);
    say(word("back"));
    sender.queue({ kind: "undo", id: newId(), of: entry.id });
    return;
  }
  asked = newId();
  cards.wait("undoing");
  sender.once({ kind: "undo", id: asked, of: null });
}

// The server has answered (or not) what takeBack asked; what is held goes on the screen again.
export function settleAsked(actions, results) {
  if (!asked || !actions.some((action) => action.id === asked)) return;
  const isDone = results.some((result) => result.id === asked && result.outcome === "stored");
  if (!isDone && results.length) undoButton.disabled = true;
  asked = null;
  cards.resume();
}

export function isAsking() {
  return asked !== null;
}
