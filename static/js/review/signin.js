// Signing in again without leaving the page, so that nothing on it is lost.
import { word } from "./page.js";
import * as sender from "./sender.js";
import { csrf, isOurs, whoIsThere } from "./wire.js";

const dialog = document.getElementById("again");
const form = document.getElementById("again-form");
const error = document.getElementById("again-error");
const LOCKED = 429;

function complain(text) {
  error.textContent = text;
  error.hidden = !text;
}

export function askToSignIn() {
  if (dialog.open || document.querySelector("dialog[open]")) return;
  dialog.showModal();
  document.getElementById("again-password").focus();
}

async function settle(session) {
  if (session && isOurs(session)) {
    form.reset();
    complain("");
    dialog.close();
    sender.retry();
    return true;
  }
  return false;
}

async function signIn(event) {
  event.preventDefault();
  complain("");
  await whoIsThere(); // the token that goes with no session
  const body = new FormData(form);
  body.set("csrfmiddlewaretoken", csrf());
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    const session = await whoIsThere();
    if (await settle(session)) return;
    if (session === null) complain(word("server"));
    else if (session.user !== null) complain(word("otherPerson"));
    else complain(word(answer.status === LOCKED || answer.status === 403 ? "locked" : "wrongPassword"));
  } catch {
    complain(word(navigator.onLine ? "server" : "offline"));
  }
  document.getElementById("again-password").select();
}

export function startSignIn() {
  form.addEventListener("submit", signIn);
  document.getElementById("outbox-sign-in").addEventListener("click", askToSignIn);
  // Signed in in another tab meanwhile.
  addEventListener("focus", async () => {
    if (sender.state.kind === "signin") await settle(await whoIsThere());
  });
}
