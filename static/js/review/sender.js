// Sends what is in the outbox, in order, one request at a time and one tab at a time, and fetches cards with the same
// requests. What does not get through is tried again, later and later; nothing leaves the outbox unanswered.
import { fitting, heldAfter, isTooLarge, shrink } from "./letters.js";
import { channelName } from "./page.js";
import * as outbox from "./outbox.js";
import { send, sendLast } from "./wire.js";

const BATCH = 100;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const SLOW_MS = 300;
const HOLD = 3;
const HOLD_WHEN_SLOW = 5;
// The line about the day costs the server more than a decision; between two of them the page counts on.
const HEAD_EVERY_MS = 10_000;

let hooks = null;
let isRunning = false;
let isWanted = false;
let wait = FIRST_WAIT_MS;
let timer = 0;
let took = 0;
let headAt = -HEAD_EVERY_MS;
let writing = Promise.resolve();
const extra = [];
// What this page did and has no answer for, beside the outbox: that cannot be read any more when the page goes.
const unanswered = new Map();
let onItsWay = new Set();
export const state = { kind: "ok", waiting: 0, isSomebodyElse: false, message: "" };

// `hooks`: have() and classes() for the request, onQueue(action, state),
// onAnswer(answer or null, actions), onState(state).
export function start(given) {
  hooks = given;
  addEventListener("online", retry);
  addEventListener("pagehide", leave);
}

// What the page has not sent when it is left goes with it; the outbox sends it again with the next page, as a repeat.
function leave() {
  if (state.kind !== "ok") return;
  const actions = [...unanswered.values()].filter((action) => !onItsWay.has(action.id)).slice(0, BATCH);
  if (actions.length) sendLast({ actions, have: [], want: 0, classes: hooks.classes() });
}

// Stores an action for good and sends it. Resolves when it is stored.
export function queue(action) {
  state.waiting += 1;
  const dated = { ...action, at: Date.now() };
  unanswered.set(action.id, dated);
  hooks.onQueue(action, state);
  const stored = outbox.put(dated);
  writing = writing.then(() => stored);
  flush();
  return stored;
}

// An action that makes sense only now: it is sent once, and answered with the actions or not at all.
export function once(action) {
  extra.push(action);
  flush();
}

// Another tab has sent these, and was answered.
export function settled(ids) {
  for (const id of ids) unanswered.delete(id);
}

export function retry() {
  clearTimeout(timer);
  wait = FIRST_WAIT_MS;
  flush();
}

export function holds() {
  return took > SLOW_MS ? HOLD_WHEN_SLOW : HOLD;
}

export async function flush() {
  isWanted = true;
  if (isRunning) return;
  isRunning = true;
  clearTimeout(timer);
  try {
    while (isWanted) {
      isWanted = false;
      if (!(await alone(pass))) later();
    }
  } catch (error) {
    console.error(error); // what waits is in the outbox
    later();
  } finally {
    isRunning = false;
  }
}

// One tab at a time where the browser can (HTTPS and localhost); elsewhere the marks of the actions keep them single.
function alone(work) {
  return navigator.locks ? navigator.locks.request(channelName(), work) : work();
}

function later() {
  isWanted = false;
  if (["signin", "refused", "unread", "large"].includes(state.kind)) return;
  clearTimeout(timer);
  timer = setTimeout(flush, wait * (0.75 + Math.random() / 2));
  wait = Math.min(2 * wait, LONGEST_WAIT_MS);
}

// What is kept back waits for no answer any more.
async function fewer(stored) {
  await shrink(stored);
  if (stored.length === 1) unanswered.delete(stored[0].id);
  isWanted = true;
  return true;
}

// What an undo takes back only the server can count.
function wantsHead(actions, now) {
  return now - headAt >= HEAD_EVERY_MS || actions.some(({ kind }) => kind === "undo");
}

async function pass() {
  await writing;
  const waiting = await outbox.list();
  const stored = fitting(waiting);
  if (isTooLarge(stored)) return fewer(stored);
  const isRoom = stored.length === waiting.length && stored.length < BATCH;
  const actions = isRoom ? [...stored, ...extra.splice(0, 1)] : stored;
  const begun = performance.now();
  const head = wantsHead(actions, begun);
  const body = { actions, have: heldAfter(actions, hooks.have()), want: holds(), classes: hooks.classes(), head };
  onItsWay = new Set(actions.map((action) => action.id));
  const got = await send(body);
  onItsWay = new Set();
  took = performance.now() - begun;
  if (got.kind === "ok") {
    wait = FIRST_WAIT_MS;
    if (got.answer.head !== null) headAt = begun;
    for (const { id } of got.answer.results) unanswered.delete(id);
    await outbox.drop(new Set(got.answer.results.map((result) => result.id)));
  }
  if (got.kind === "large" && stored.length) return fewer(stored);
  const left = (await outbox.list()).length;
  Object.assign(state, { kind: got.kind, isSomebodyElse: Boolean(got.isSomebodyElse), message: got.message ?? "", waiting: left });
  isWanted ||= got.kind === "ok" && left + extra.length > 0;
  hooks.onAnswer(got.kind === "ok" ? got.answer : null, actions);
  hooks.onState(state);
  return got.kind === "ok";
}
