"""The kit in a real browser: nothing breaks the policy, axe finds nothing, keys and dialogs do what they say."""

from pathlib import Path

import pytest
from django.conf import settings

from labeling.web.csp import forget_violations, recent_violations
from tests.labeling.factories import make_user

AXE = (Path(__file__).resolve().parents[2] / "vendor" / "axe.min.js").read_text()
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
  .then((found) => done(found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html).join(" | "))));
"""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = [pytest.mark.urls("tests.labeling.web.web_site"), pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser(needs_chromium, tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary, driver = needs_chromium
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options, Service(driver))
    chrome.set_script_timeout(20)
    yield chrome
    chrome.quit()


@pytest.fixture
def gallery(browser, live_server, client):
    """The page of all parts, opened by staff."""
    forget_violations()
    client.force_login(make_user(is_staff=True))
    browser.get(f"{live_server.url}/favicon.ico")
    name = settings.SESSION_COOKIE_NAME
    browser.add_cookie({"name": name, "value": client.cookies[name].value, "path": "/"})
    browser.get(f"{live_server.url}/doctor/components")
    return browser


def _set_media(browser, width=1280, scheme="light"):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_nothing(gallery, width, scheme):
    _set_media(gallery, width, scheme)
    gallery.execute_script(AXE)
    assert gallery.execute_async_script(RUN_AXE) == []


def test_page_fits_a_phone(gallery):
    _set_media(gallery, 390)
    root = "document.documentElement"
    assert gallery.execute_script(f"return {root}.scrollWidth - {root}.clientWidth") == 0


def test_nothing_breaks_the_policy(gallery):
    assert gallery.execute_script("return document.querySelectorAll('img').length") == 0
    assert [entry for entry in gallery.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert recent_violations() == ()


def test_a_broken_policy_is_reported(gallery):
    from selenium.webdriver.support.wait import WebDriverWait

    gallery.execute_script("document.body.setAttribute('onclick', 'document.title = 1')")
    WebDriverWait(gallery, 5).until(lambda _browser: recent_violations())
    assert recent_violations()[0].directive == "script-src-attr"
    gallery.get_log("browser")


def test_theme_is_remembered(gallery):
    _set_media(gallery, scheme="light")
    gallery.find_element("css selector", "[data-menu] summary").click()
    gallery.find_element("css selector", "[data-theme-set=dark]").click()
    gallery.refresh()
    assert gallery.execute_script("return document.documentElement.dataset.theme") == "dark"
    assert gallery.execute_script("return getComputedStyle(document.documentElement).colorScheme") == "dark"
    gallery.execute_script("localStorage.clear()")


def test_confirm_asks_first(gallery):
    gallery.execute_script(
        "window.clicks = 0; document.addEventListener('click', (e) => clicks += e.target.matches('[data-confirm]'))"
    )
    button = gallery.find_element("css selector", "[data-confirm]")
    button.click()
    dialog = gallery.find_element("id", "confirm")
    assert "12,268 samples" in dialog.text
    assert gallery.execute_script("return clicks") == 0
    dialog.find_element("css selector", "[value=no]").click()
    assert gallery.execute_script("return clicks") == 0
    button.click()
    dialog.find_element("css selector", "[value=yes]").click()
    assert gallery.execute_script("return clicks") == 1


def test_upload_says_at_once_that_a_file_is_too_big(gallery, tmp_path):
    big = tmp_path / "big <i>.csv"
    big.write_bytes(b"x" * 1_000_001)
    drop = gallery.find_element("css selector", "[data-drop]")
    drop.find_element("css selector", "[type=file]").send_keys(str(big))
    assert drop.find_element("css selector", "[data-drop-name]").text == "big <i>.csv (1 MB)"
    assert "larger than" in gallery.find_element("css selector", "[data-drop-error]").text


PRESS = """
window.pressed = [];
const section = document.querySelector('.class-buttons').parentElement;
section.dataset.keys = '';
section.addEventListener('click', (e) => {
  e.preventDefault();
  pressed.push(e.target.closest('[data-key]')?.dataset.key);
});
for (const [key, code, extra] of arguments[0]) {
  const event = new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true, ...extra});
  (extra.on ? document.querySelector(extra.on) : document.body).dispatchEvent(event);
}
return pressed;
"""


@pytest.mark.parametrize(
    ("key", "code", "extra", "pressed"),
    [
        ("1", "Digit1", {}, ["1"]),
        ("&", "Digit1", {}, ["1"]),
        ("2", "Numpad2", {}, ["2"]),
        ("1", "Digit1", {"ctrlKey": True}, []),
        ("1", "Digit1", {"isComposing": True}, []),
        ("1", "Digit1", {"repeat": True}, []),
        ("1", "Digit1", {"on": "textarea"}, []),
        ("q", "KeyQ", {}, []),
    ],
)
def test_keys_press_buttons(gallery, key, code, extra, pressed):
    assert gallery.execute_script(PRESS, [[key, code, extra]]) == pressed


def test_toasts_of_an_answer_are_shown_as_text(gallery):
    gallery.execute_script(
        "document.dispatchEvent(new CustomEvent('toasts', {detail: {toasts: [{level: 'error', text: '<b>no</b>'}]}}))"
    )
    shown = gallery.find_element("css selector", "#toasts .toast-error .toast-text")
    assert shown.get_property("textContent") == "<b>no</b>"
