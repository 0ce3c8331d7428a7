// The review screen's lease and clock: the lease is renewed while the page is visible and given back when it is left;
// the time on a text (without the time in another tab) goes along with the answer.
const RENEW_MS = 60_000;
let shownAt = performance.now();
let hiddenAt = document.hidden ? shownAt : null;

function section() {
  return document.querySelector("[data-keep]");
}

function formOf(fields) {
  const form = new FormData();
  form.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

async function renew() {
  const screen = section();
  if (!screen || document.hidden) return;
  try {
    const answer = await fetch(screen.dataset.keep, { method: "POST", body: formOf({ item: screen.dataset.item }) });
    if (answer.ok) screen.dataset.until = (await answer.json()).until ?? screen.dataset.until;
  } catch {
    // Offline: the lease lasts ten minutes, and the next beat tries again.
  }
}

function startClock() {
  shownAt = performance.now();
  hiddenAt = document.hidden ? shownAt : null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenAt = performance.now();
  } else if (hiddenAt !== null) {
    shownAt += performance.now() - hiddenAt;
    hiddenAt = null;
    renew();
  }
});

// In the capture phase, so that the time is there before htmx reads the form.
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.matches("[data-decide]") && event.target.querySelector("[name=elapsed_ms]");
    if (field) field.value = Math.round(performance.now() - shownAt);
  },
  true,
);

document.addEventListener("htmx:afterSwap", startClock);

addEventListener("pagehide", () => {
  const screen = section();
  if (screen) navigator.sendBeacon(screen.dataset.release, formOf({ until: screen.dataset.until }));
});

// Back from the browser's own cache: the text may be on another screen by now.
addEventListener("pageshow", (event) => {
  if (event.persisted && section()) location.reload();
});

setInterval(renew, RENEW_MS);
