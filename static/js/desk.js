// The desk: the text stays this reviewer's while the page is visible, and the time spent on it goes along with the
// answer. Opened, the form for sending back has the focus.
const RENEW_MS = 60_000;
let shownAt = performance.now();
let hiddenAt = document.hidden ? shownAt : null;

async function renew() {
  const desk = document.querySelector("[data-desk-keep]");
  if (!desk || document.hidden) return;
  const form = new FormData();
  form.set("csrfmiddlewaretoken", desk.querySelector("[name=csrfmiddlewaretoken]").value);
  form.set("item", desk.dataset.deskItem);
  try {
    await fetch(desk.dataset.deskKeep, { method: "POST", body: form });
  } catch {
    // Offline: the text stays for ten minutes, and the next beat tries again.
  }
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
    const field = event.target.matches("[data-desk-decide]") && event.target.querySelector("[name=elapsed_ms]");
    if (field) field.value = Math.round(performance.now() - shownAt);
  },
  true,
);

// Another text begins its own time; the votes of the same one do not.
let shownItem = document.querySelector("[data-desk-item]")?.dataset.deskItem;
document.addEventListener("htmx:afterSwap", () => {
  const item = document.querySelector("[data-desk-item]")?.dataset.deskItem;
  if (item === shownItem) return;
  shownItem = item;
  shownAt = performance.now();
  hiddenAt = document.hidden ? shownAt : null;
});

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.id === "back" && event.target.open) event.target.querySelector("select").focus();
  },
  true,
);

// One person is told why; everybody need not be.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-desk-back]");
  if (form) form.elements.reason.required = form.elements.to.value !== "";
});

setInterval(renew, RENEW_MS);
