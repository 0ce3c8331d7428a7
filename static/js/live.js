// One socket for all [data-live-topic] elements of the page. A message about a topic triggers "live" on its elements, which
// makes htmx ask for them again; their own "every 5s" goes on, so that nothing depends on the socket.
const SHORTEST_MS = 500;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const REFUSED = 4403;

let socket = null;
let openTopics = "";
let wait = FIRST_WAIT_MS;
let timer = 0;
const lastTold = new Map();
const waiting = new Set();

function topicsOnPage() {
  const elements = document.querySelectorAll("[data-live-topic]");
  return [...new Set([...elements].map((element) => element.dataset.liveTopic))].sort().join(",");
}

function showState(state) {
  const dot = document.querySelector("[data-live-status]");
  if (!dot) return;
  dot.hidden = !state;
  dot.dataset.state = state;
  dot.textContent = state === "open" ? dot.dataset.textOpen : state ? dot.dataset.textWaiting : "";
}

function tell(topic) {
  lastTold.set(topic, performance.now());
  waiting.delete(topic);
  for (const element of document.querySelectorAll("[data-live-topic]")) {
    if (element.dataset.liveTopic === topic) element.dispatchEvent(new CustomEvent("live"));
  }
}

function tellSoon(topic) {
  if (waiting.has(topic)) return;
  const rest = SHORTEST_MS - (performance.now() - (lastTold.get(topic) ?? -SHORTEST_MS));
  if (rest <= 0) {
    tell(topic);
  } else {
    waiting.add(topic);
    setTimeout(tell, rest, topic);
  }
}

function open() {
  clearTimeout(timer);
  openTopics = topicsOnPage();
  if (!openTopics) return showState("");
  const url = new URL(`/ws/events/?topics=${encodeURIComponent(openTopics)}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(url);
  socket = opened;
  opened.addEventListener("open", () => {
    wait = FIRST_WAIT_MS;
    showState("open");
  });
  opened.addEventListener("message", (event) => tellSoon(JSON.parse(event.data).topic));
  opened.addEventListener("close", (event) => {
    if (socket !== opened) return;
    socket = null;
    if (event.code === REFUSED) return showState("");
    showState("waiting");
    timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  });
}

function follow() {
  if (topicsOnPage() === openTopics) return;
  const old = socket;
  socket = null;
  old?.close();
  open();
}

document.addEventListener("htmx:afterSettle", follow);
window.addEventListener("online", () => socket || open());
window.addEventListener("pagehide", () => {
  const old = socket;
  socket = null;
  openTopics = "";
  clearTimeout(timer);
  old?.close();
});
window.addEventListener("pageshow", (event) => event.persisted && open());
open();
