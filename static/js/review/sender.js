// Sends what is in the outbox, in order, one request at a time and one tab at a time, and fetches cards with the same
// requests. What does not get through is tried again, later and later; nothing leaves the outbox unanswered.
import { channelName } from "./page.js";
import * as outbox from "./outbox.js";
import { send } from "./wire.js";

const BATCH = 100;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const SLOW_MS = 300;
const HOLD = 3;
const HOLD_WHEN_SLOW = 5;

let hooks = null;
let isRunning = false;
let isWanted = false;
let wait = FIRST_WAIT_MS;
let timer = 0;
let took = 0;
let writing = Promise.resolve();
const extra = [];
export const state = { kind: "ok", waiting: 0, isSomebodyElse: false, message: "" };

// `hooks`: have() and classes() for the request, onQueue(action, state),
// onAnswer(answer or null, actions), onState(state).
export function start(given) {
  hooks = given;
  addEventListener("online", retry);
}

// Stores an action for good and sends it. Resolves when it is stored.
export function queue(action) {
  state.waiting += 1;
  hooks.onQueue(action, state);
  const stored = outbox.put(action);
  writing = writing.then(() => stored);
  flush();
  return stored;
}

// An action that makes sense only now: it is sent once, and answered with the actions or not at all.
export function once(action) {
  extra.push(action);
  flush();
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
  if (["signin", "refused", "unread"].includes(state.kind)) return;
  clearTimeout(timer);
  timer = setTimeout(flush, wait * (0.75 + Math.random() / 2));
  wait = Math.min(2 * wait, LONGEST_WAIT_MS);
}

async function pass() {
  await writing;
  const stored = (await outbox.list()).slice(0, BATCH);
  const actions = [...stored, ...extra.splice(0, 1)];
  const begun = performance.now();
  const body = { actions, have: hooks.have(), want: holds(), classes: hooks.classes() };
  const got = await send(body);
  took = performance.now() - begun;
  if (got.kind === "ok") {
    wait = FIRST_WAIT_MS;
    await outbox.drop(new Set(got.answer.results.map((result) => result.id)));
  }
  const left = (await outbox.list()).length;
  Object.assign(state, { kind: got.kind, isSomebodyElse: Boolean(got.isSomebodyElse), message: got.message ?? "", waiting: left });
  isWanted ||= got.kind === "ok" && left + extra.length > 0;
  hooks.onAnswer(got.kind === "ok" ? got.answer : null, actions);
  hooks.onState(state);
  return got.kind === "ok";
}
