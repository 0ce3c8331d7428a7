// The triage grid: how many texts are ticked, arrows from text to text, and the person's hold on what is shown.
const section = document.getElementById("triage");
const form = document.getElementById("triage-form");
const boxes = [...(form?.querySelectorAll("[name=item]") ?? [])];
const RENEW_MS = 60_000;
const WAYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

function ticked() {
  return boxes.filter((box) => box.checked).length;
}

function showCount() {
  const count = ticked();
  const button = section.querySelector(".triage-confirm");
  button.querySelector("[data-count]").textContent = count.toLocaleString(document.documentElement.lang);
  button.querySelector("[data-some]").hidden = count === 0;
  button.querySelector("[data-none]").hidden = count > 0;
}

function sayCount() {
  const said = document.getElementById("said");
  said.textContent = said.dataset.words.replace("%n", ticked()).replace("%m", boxes.length);
}

// How many tiles stand beside each other now.
function columns() {
  const top = boxes[0].closest(".tile").offsetTop;
  return boxes.filter((box) => box.closest(".tile").offsetTop === top).length;
}

function target(key) {
  const at = boxes.indexOf(document.activeElement);
  const forward = getComputedStyle(form).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  if (key === "Home") return boxes[0];
  if (key === "End") return boxes.at(-1);
  if (at < 0) return boxes[0];
  if (key === "ArrowUp") return boxes[at - columns()];
  if (key === "ArrowDown") return boxes[at + columns()];
  return boxes[key === forward ? at + 1 : at - 1];
}

// Home and End are the page's own where no text has the focus; arrows in a field or an open guideline are that one's.
function isOurs(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || document.querySelector("dialog[open]")) return false;
  if (["Home", "End"].includes(event.key)) return boxes.includes(event.target);
  return WAYS.includes(event.key) && !event.target.closest(".triage-guide, input:not([name=item]), select, textarea");
}

function move(event) {
  if (!isOurs(event)) return;
  const next = target(event.key);
  event.preventDefault();
  next?.focus();
  next?.closest(".tile").scrollIntoView({ block: "nearest" });
}

function loseTile(item) {
  const box = boxes.find((one) => Number(one.value) === item);
  if (!box || box.disabled) return;
  box.checked = false;
  box.disabled = true;
  box.closest(".tile").classList.add("is-lost");
  showCount();
}

function token() {
  return form.querySelector("[name=csrfmiddlewaretoken]").value;
}

function held() {
  return boxes.filter((box) => !box.disabled).map((box) => Number(box.value));
}

// A letter without actions: the texts stay ours, or we learn which do not.
async function renew() {
  if (document.hidden) return;
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token() };
  const letter = { actions: [], have: held(), want: 0, classes: "", user: Number(section.dataset.user) };
  try {
    const answer = await fetch(section.dataset.send, { method: "POST", headers, body: JSON.stringify(letter) });
    if (!answer.ok) return;
    const { lost, until } = await answer.json();
    if (until) section.dataset.until = until;
    lost.forEach(loseTile);
  } catch {
    // Offline: the texts stay ours for ten minutes, and the next beat tries again.
  }
}

function release() {
  const left = new FormData();
  left.set("csrfmiddlewaretoken", token());
  left.set("until", section.dataset.until);
  for (const item of held()) left.append("items", item);
  navigator.sendBeacon(section.dataset.release, left);
}

function start() {
  form.addEventListener("change", () => {
    showCount();
    sayCount();
  });
  document.addEventListener("keydown", move);
  document.addEventListener("visibilitychange", renew);
  setInterval(renew, RENEW_MS);
  addEventListener("pagehide", release);
  showCount();
}

// Back from the browser's own cache: the texts may be on another screen by now.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
if (form) start();
