// The person's hold on the texts of the page: renewed while the page is visible, given back when it is left.
import * as cards from "./cards.js";
import { screen } from "./page.js";
import * as sender from "./sender.js";
import { csrf } from "./wire.js";

const RENEW_MS = 60_000;
const LOOK_MS = 5_000;
let lookedAt = performance.now();

function beat() {
  if (document.hidden) return;
  const rest = cards.count() ? RENEW_MS : LOOK_MS;
  if (performance.now() - lookedAt < rest) return;
  lookedAt = performance.now();
  sender.flush();
}

function release() {
  const form = new FormData();
  form.set("csrfmiddlewaretoken", csrf());
  form.set("until", screen.dataset.until);
  for (const item of cards.items()) form.append("items", item);
  if (cards.count()) navigator.sendBeacon(screen.dataset.release, form);
}

export function noteUntil(until) {
  lookedAt = performance.now();
  if (until) screen.dataset.until = until;
}

export function startLeases() {
  setInterval(beat, 1_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) sender.flush();
  });
  addEventListener("pagehide", release);
  // Back from the browser's own cache: the texts may be on another screen by now.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
