"""Real browsers on the review screen, their keys pressed as a person's are: through the browser, not by a script."""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZE = "--window-size=1280,900"
PATIENCE_S = 30.0
READY = "#screen[data-ready]"
CARDS = "article.card[data-item]"
# Which card is on the screen, every text that this browser ever showed, and the ids of all decisions that it sent.
WATCH = """
const cards = () => [...document.querySelectorAll(CSS_OF_CARDS)];
window.bench = { given: new Set(), sent: new Set() };
window.currentItem = () => cards().find((one) => one.checkVisibility())?.dataset.item;
const note = () => cards().forEach((one) => window.bench.given.add(Number(one.dataset.item)));
note();
new MutationObserver(note).observe(document.documentElement, { childList: true, subtree: true });
const plainFetch = window.fetch;
window.fetch = (url, options) => {
  const actions = options?.body && String(url).endsWith("/send") ? JSON.parse(options.body).actions : [];
  for (const one of actions) if (one.kind === "decide") window.bench.sent.add(one.id);
  return plainFetch(url, options);
};
""".replace("CSS_OF_CARDS", json.dumps(CARDS))


@contextmanager
def open_chrome() -> Iterator[Any]:
    """A browser with a profile of its own, as if new."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        raise SystemExit("no chromium: apt-get install chromium chromium-driver")
    profile = tempfile.mkdtemp(prefix="bench-chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, SIZE, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options, Service(driver))
    chrome.set_page_load_timeout(PATIENCE_S)
    try:
        yield chrome
    finally:
        chrome.quit()
        shutil.rmtree(profile, ignore_errors=True)


class Screen:
    """The review screen as one signed-in person has it."""

    def __init__(self, chrome: Any, port: int, cookies: str) -> None:
        self.chrome, self.address = chrome, f"http://127.0.0.1:{port}"
        for part in cookies.split("; "):
            name, _equals, value = part.partition("=")
            chrome.execute_cdp_cmd("Network.setCookie", {"name": name, "value": value, "url": self.address})

    def open(self, slug: str) -> None:
        """Go there and wait until the page holds what it wants to hold."""
        self.chrome.get(f"{self.address}/p/{slug}/label")
        self.chrome.execute_script(WATCH)
        self.until(lambda: self.chrome.find_elements("css selector", READY))

    def item(self) -> int | None:
        """The text on the screen."""
        found = self.chrome.execute_script("return window.currentItem?.()")
        return int(found) if found else None

    def press(self, key: str) -> None:
        """Press one key; the page learns of it as of a person's."""
        code = f"Digit{key}" if key.isdigit() else f"Key{key.upper()}"
        down = {"type": "keyDown", "key": key, "code": code, "text": key, "windowsVirtualKeyCode": ord(key.upper())}
        self.chrome.execute_cdp_cmd("Input.dispatchKeyEvent", down)
        self.chrome.execute_cdp_cmd("Input.dispatchKeyEvent", down | {"type": "keyUp"})

    def given(self) -> set[int]:
        """Every text that was ever on it."""
        return set(self.chrome.execute_script("return [...window.bench.given]"))

    def sent(self) -> set[str]:
        """The ids of all decisions that the page sent, each as often as it was necessary."""
        return set(self.chrome.execute_script("return [...window.bench.sent]"))

    def errors(self) -> list[str]:
        """What the console complained about."""
        return [entry["message"] for entry in self.chrome.get_log("browser") if entry["level"] == "SEVERE"]

    def until(self, is_so: Any, patience_s: float = PATIENCE_S) -> Any:
        """Wait for something to be true; returns it."""
        pause = threading.Event()
        for _try in range(int(patience_s / 0.05)):
            if found := is_so():
                return found
            pause.wait(0.05)
        raise TimeoutError(f"{self.chrome.current_url}: {self.chrome.execute_script('return document.body.innerText')}")
