// One request to the server, and what kind of answer it was: "ok", "away" (nobody answered, or an ailing server did),
// "signin" (nobody is signed in, or somebody else), "refused" (no member any more), "large" (too much at once), "unread"
// (the body made no sense).
import { screen } from "./page.js";

const PATIENCE_MS = 20_000;
// Chosen: browsers let 64 KiB outlive a page: one letter on its way, the last one, and the texts given back.
const OUTLIVES_BYTES = 30_000;
let token = screen?.querySelector("[name=csrfmiddlewaretoken]").value;

export function csrf() {
  return token;
}

async function ask(url, options = {}) {
  return fetch(url, {
    credentials: "same-origin",
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...options,
  });
}

// Who is signed in: {user, name}, or null where nobody answers. Also fetches the token that goes with the session, but
// not with somebody else's: what waits here is never sent as theirs.
export async function whoIsThere() {
  try {
    const answer = await ask(screen.dataset.session);
    if (!answer.ok) return null;
    const session = await answer.json();
    if (session.user === null || isOurs(session)) token = session.csrf;
    return session;
  } catch {
    return null;
  }
}

export function isOurs(session) {
  return String(session.user) === screen.dataset.user;
}

// How long an action has waited, by this machine's own clock: whether it was made before another one, on another machine.
function aged({ at, ...action }) {
  return at ? { ...action, ago_ms: Math.max(0, Date.now() - at) } : action;
}

async function post(body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
  const actions = body.actions.map(aged);
  const letter = JSON.stringify({ ...body, actions, user: Number(screen.dataset.user) });
  return ask(screen.dataset.send, { method: "POST", headers, body: letter, keepalive: outlives(letter) });
}

// Whether a letter so long may go on when the page has gone.
function outlives(letter) {
  return new Blob([letter]).size <= OUTLIVES_BYTES;
}

// The last letter of a page that is left: nobody waits for the answer. What is too much for it stays in the outbox.
export function sendLast(body) {
  const actions = [...body.actions];
  while (actions.length && !outlives(JSON.stringify({ ...body, actions }))) actions.pop();
  if (actions.length) post({ ...body, actions }).catch(() => {});
}

async function readJson(answer) {
  const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
  return isJson ? answer.json() : null;
}

async function sort(answer) {
  const content = await readJson(answer);
  if (answer.ok) return content ? { kind: "ok", answer: content } : { kind: "away" };
  if (answer.status === 401) return { kind: "signin", isSomebodyElse: Boolean(content?.is_somebody_else) };
  // Without JSON it is not the site that refuses, but something on the way to it.
  if (content && (answer.status === 403 || answer.status === 404)) {
    return { kind: "refused", message: content.error ?? "", isForged: Boolean(content.csrf) };
  }
  return { kind: { 400: "unread", 413: "large" }[answer.status] ?? "away" };
}

// A token that a new session made old is fetched anew, once; not for somebody else's session.
export async function send(body) {
  try {
    const first = await sort(await post(body));
    if (!first.isForged) return first;
    const session = await whoIsThere();
    if (session === null) return { kind: "away" };
    if (!isOurs(session)) return { kind: "signin", isSomebodyElse: session.user !== null };
    return await sort(await post(body));
  } catch {
    return { kind: "away" };
  }
}
