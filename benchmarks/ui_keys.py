"""How long a key takes until the next text is painted, as the browser itself measures it."""

import threading
from typing import Any

from benchmarks.bars import Bar, none_of, p95
from benchmarks.browser import Screen

EVERY_S = 0.7
AWAY_PATIENCE_S = 60.0
NOTHING_WAITS = "return !document.querySelector('.last-saved.is-waiting') && document.getElementById('outbox').hidden"
SHORTEST_S = 0.016  # what is faster than a frame has no entry, and counts as one
# An entry says when the frame after the key was painted; a key whose next text was not in that frame is watched until
# it was there. `at` is the key's own time, which names its entry, too.
MEASURE = """
window.keys = [];
const took = new Map();
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (one.name === "keydown") took.set(one.startTime, one.duration);
}).observe({ type: "event", durationThreshold: 16 });
addEventListener("keydown", (event) => {
  const key = { at: event.timeStamp, before: window.currentItem(), frames: 0, seen: null };
  window.keys.push(key);
  const look = () => {
    key.frames += 1;
    key.seen = performance.now() - key.at;
    const now = window.currentItem();
    if ((now === undefined || now === key.before) && key.seen < 10000) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}, true);
window.measured = () => window.keys.map((key) => ({ ...key, painted: took.get(key.at) ?? null }));
"""


# The page asks for one text, and so has none behind the one on the screen: the next comes with the answer.
HOLD_ONE = """
const plain = window.fetch;
window.fetch = (url, options) => {
  if (!options?.body || !String(url).endsWith("/send")) return plain(url, options);
  return plain(url, { ...options, body: JSON.stringify({ ...JSON.parse(options.body), want: 1 }) });
};
"""


def hold_nothing_ahead(screen: Screen) -> None:
    """Let the page have no text but the one on the screen, from the time on when those it has are decided."""
    screen.chrome.execute_script(HOLD_ONE)
    for _held in range(5):
        item = screen.item()
        screen.press("1")
        screen.until(lambda item=item: screen.item() not in (None, item))


def press_and_measure(screen: Screen, count: int, name: str, most_s: float | None) -> list[Bar]:
    """Press `count` class keys at a person's pace: the bar, and the keys that met no text."""
    screen.chrome.execute_script(MEASURE)
    pause = threading.Event()
    for number in range(count):
        screen.press(str(1 + number % 3))
        pause.wait(EVERY_S)
    keys = screen.chrome.execute_script("return window.measured()")
    met = [key for key in keys if key["before"]]
    return [
        p95(name, [_seconds(key) for key in met], most_s),
        none_of("keys that met no text", count - len(met)),
        Bar("next texts that were not in the first frame", sum(key["frames"] > 1 for key in met), unit=""),
    ]


def _seconds(key: dict[str, Any]) -> float:
    painted = SHORTEST_S if key["painted"] is None else key["painted"] / 1_000
    return max(painted, key["seen"] / 1_000) if key["frames"] > 1 else painted


def answer_late(screen: Screen, seconds: float) -> None:
    """Let every answer of the server come so much later; 0: as it comes."""
    _set_network(screen, offline=False, latency_ms=1_000 * seconds)


def stay_away(screen: Screen, user_id: int, seconds: float) -> list[Bar]:
    """Cut the network, decide whatever the page holds, mend it so much later: what became of the decisions."""
    from labeling.labels.models import Verdict

    stored = Verdict.objects.filter(user=user_id).order_by("id")
    screen.until(lambda: screen.chrome.execute_script(NOTHING_WAITS))
    before = set(stored.values_list("id", flat=True))
    _set_network(screen, offline=True)
    made: list[int] = []
    while (item := screen.item()) is not None:
        screen.press(str(1 + len(made) % 3))
        screen.until(lambda item=item: screen.item() != item)
        made.append(item)
    threading.Event().wait(seconds)
    _set_network(screen, offline=False)
    screen.until(lambda: screen.item() is not None and screen.chrome.execute_script(NOTHING_WAITS), AWAY_PATIENCE_S)
    arrived = list(stored.exclude(id__in=before).values_list("item_id", flat=True))
    screen.errors()  # of requests that could not work
    note = f"{len(made)} decisions in {seconds:,.0f} s without a network"
    return [none_of("C09: decisions lost, doubled or out of order after the network was away", arrived != made, note)]


def _set_network(screen: Screen, *, offline: bool, latency_ms: float = 0) -> None:
    conditions = {"offline": offline, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
    screen.chrome.execute_cdp_cmd("Network.enable", {})
    screen.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def submit_forms(screen: Screen, slug: str, count: int) -> list[float]:
    """Seconds from a click on a class to the next page's first paint, where no script runs."""
    chrome = screen.chrome
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    chrome.get(f"{screen.address}/p/{slug}/label")
    found = []
    for _number in range(count):
        origin = chrome.execute_script("return performance.timeOrigin")
        chrome.find_element("css selector", "button[name=label_class]").click()
        screen.until(lambda origin=origin: chrome.execute_script(PAINTED, origin))
        found.append(chrome.execute_script(PAINTED, origin) / 1_000)
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    return found


PAINTED = """
const paint = performance.getEntriesByName("first-contentful-paint")[0];
return performance.timeOrigin > arguments[0] && paint ? paint.startTime : null;
"""
