"""A person at the browser: opens pages, reads, presses, waits."""

from pathlib import Path

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from labeling.accounts.links import signin_path

AXE = (Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js").read_text()
# Colours on their way from one theme to the other are nobody's: axe looks when they have come.
RUN_AXE = """
const done = arguments[arguments.length - 1];
const painted = () => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
const ends = (one) => one.effect.getComputedTiming().endTime !== Infinity;
const come = () => Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
painted().then(come).then(() => axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}))
  .then((found) => done(found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html).join(" | "))));
"""
DESK, PHONE = (1280, 800), (390, 844)
PATIENCE_S = 30
WHILE_IT_CHANGES = (NoSuchElementException, StaleElementReferenceException, ElementClickInterceptedException)


class Person:
    """One signed-in person and what they see."""

    def __init__(self, chrome, address):
        self.chrome, self.address = chrome, address

    def sign_in(self, user):
        """By a one-time link, as everybody does the first time."""
        user.refresh_from_db()
        self.open(signin_path(user))
        self.click("main form button")
        self.until(lambda: "/sign-in" not in self.chrome.current_url)

    def open(self, path):
        """Go to a page of the site."""
        self.chrome.get(f"{self.address}{path}")

    @property
    def path(self):
        """Where they are."""
        return self.chrome.current_url.removeprefix(self.address)

    def until(self, is_so, patience_s=PATIENCE_S):
        """Wait for something to be true; returns it. Says what the page shows when it does not come true."""
        wait = WebDriverWait(self.chrome, patience_s, 0.05, WHILE_IT_CHANGES)
        try:
            return wait.until(lambda _chrome: is_so())
        except TimeoutException:
            shown = self.chrome.execute_script("return document.body.innerText")
        raise AssertionError(f"Not seen in {patience_s} s on {self.path}:\n{shown}")

    def find(self, css):
        """The first visible element, waited for."""
        return self.until(lambda: next((one for one in self.all(css) if one.is_displayed()), None))

    def all(self, css):
        """All elements there are now."""
        return self.chrome.find_elements("css selector", css)

    def click(self, css):
        """Click what is there as soon as it is."""
        self.until(lambda: self._click(css))

    def _click(self, css):
        found = next((one for one in self.all(css) if one.is_displayed()), None)
        if found:
            found.click()
        return found

    def press(self, words):
        """Click the button or link of these words."""
        self.until(lambda: self._press(words))

    def _press(self, words):
        found = [one for one in self.all("main button, main a, main summary") if words == one.text.strip()]
        for one in found[:1]:
            one.click()
        return bool(found)

    def key(self, key):
        """Press one key on the page."""
        ActionChains(self.chrome).send_keys(key).perform()

    def fill(self, css, text):
        """Replace what a field holds."""
        field = self.find(css)
        field.clear()
        field.send_keys(text)

    def choose(self, css, words):
        """Choose in a list by what it shows."""
        Select(self.find(css)).select_by_visible_text(words)

    def text(self, css="main"):
        """What an element says."""
        return self.until(lambda: self.chrome.find_element("css selector", css).text or " ")

    def read(self, words, css="main", patience_s=PATIENCE_S):
        """Wait until the page says these words."""
        return self.until(lambda: words in self.text(css), patience_s)

    def look(self, size=DESK, scheme="light"):
        """Take a window of this size and a theme."""
        width, height = size
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def flaws(self):
        """What axe finds on the page."""
        self.chrome.execute_script(AXE)
        return self.chrome.execute_async_script(RUN_AXE)

    def overflow(self):
        """Pixels that the page is wider than the window."""
        root = "document.documentElement"
        return self.chrome.execute_script(f"return {root}.scrollWidth - {root}.clientWidth")

    def errors(self):
        """What the console has complained about since the last call."""
        return [entry["message"] for entry in self.chrome.get_log("browser") if entry["level"] == "SEVERE"]
