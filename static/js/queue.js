// The review screen. Its parts stand in review/: this one joins them.
import * as cards from "./review/cards.js";
import { pick, startChoosing } from "./review/choose.js";
import { mark, showClasses, startClasses, tellRenamed } from "./review/classes.js";
import * as clock from "./review/clock.js";
import { startFinder } from "./review/finder.js";
import { startHarsh } from "./review/harsh.js";
import { countToday, markSaved, showHead, showLast } from "./review/lastline.js";
import { noteUntil, startLeases } from "./review/leases.js";
import { cardOfNote, closeIdleNotes, finish, isNote, startNotes } from "./review/notes.js";
import * as outbox from "./review/outbox.js";
import { say, screen, toast, word } from "./review/page.js";
import * as sender from "./review/sender.js";
import { askToSignIn, startSignIn } from "./review/signin.js";
import { expect, showState } from "./review/status.js";
import * as tabs from "./review/tabs.js";
import * as undo from "./review/undo.js";
import * as verbs from "./review/verbs.js";
import { startVotes } from "./review/votes.js";

// Marks of what is on its way, with the item that may not come back meanwhile.
const unsent = new Map();

function note(action) {
  unsent.set(action.id, action.kind === "comment" ? null : action.item);
}

// What another tab took off the screen, or sent: also what this one did.
function hear({ done, results = [] }) {
  const own = results.filter(({ id }) => unsent.has(id));
  tellResults(own);
  for (const { id } of own) unsent.delete(id);
  sender.settled(own.map(({ id }) => id));
  if (own.length && !unsent.size) markSaved();
  if (done) cards.lose([done]);
}

function act(event) {
  const form = event.target;
  const verb = form.dataset.do;
  if (!verb) return;
  event.preventDefault();
  if (verb === "undo") return verbs.takeBack();
  const card = isNote(form) ? cardOfNote() : cards.isSeen() && cards.current();
  if (!card) return;
  if (verb === "decide") return pick(event.submitter);
  verbs[verb](card, form);
  if (verb !== "skip") finish(form);
}

function tellResults(results) {
  for (const { id, outcome, message } of results) {
    // A repeat with a message was late, too: the first answer to it got lost on the way.
    const isVain = outcome === "refused" || outcome === "stale" || (outcome === "repeat" && message);
    if (isVain) undo.forget(id);
    if (message) toast(outcome === "refused" ? "error" : "warning", message);
  }
}

function takeAnswer(answer, actions) {
  for (const { id } of answer.results) unsent.delete(id);
  tellResults(answer.results);
  if (answer.classes) showClasses(answer.classes);
  tellRenamed(actions, answer.results);
  const busy = new Set(unsent.values());
  if (answer.lost.length && cards.lose(answer.lost)) toast("info", word("lost"));
  cards.take(answer.cards, (item) => !busy.has(item));
  noteUntil(answer.until);
  if (answer.head !== null) showHead(answer.head);
  else countToday(answer.results, actions);
  if (answer.last !== null && !unsent.size) showLast(answer.last);
  if (answer.empty && !cards.count()) cards.showEmpty(answer.empty);
  screen.dataset.ready = "";
}

function onQueue(action, state) {
  note(action);
  expect(state);
}

function onAnswer(answer, actions) {
  if (answer) {
    takeAnswer(answer, actions);
    if (actions.length) tabs.tell({ results: answer.results });
    const isAllSaved = actions.some((action) => action.kind !== "comment") && !unsent.size;
    if (isAllSaved) say(word(cards.current() ? "next" : "empty"));
  }
  verbs.settleAsked(actions, answer?.results ?? []);
}

function onState(state) {
  showState(state);
  if (state.kind === "signin" && !state.isSomebodyElse) askToSignIn();
}

// What an earlier page left behind is sent first; its texts are not shown as if nothing had been said about them.
async function begin() {
  const left = await outbox.list();
  left.forEach(note);
  const decided = left.filter((action) => action.kind !== "comment").map((action) => action.item);
  if (decided.length) cards.lose(decided);
  sender.flush();
}

function start() {
  cards.watch(() => clock.restart());
  cards.watch(closeIdleNotes);
  for (const begins of [startVotes, startHarsh, startChoosing, startNotes, startFinder, startClasses, startSignIn]) begins();
  sender.start({ have: cards.items, classes: mark, onQueue, onAnswer, onState });
  screen.addEventListener("submit", act);
  tabs.listen(hear);
  cards.adopt();
  startLeases();
  begin();
}

if (screen?.dataset.review !== undefined) start();
