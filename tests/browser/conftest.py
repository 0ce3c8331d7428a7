"""The site and a real browser. Every test here fails on an error in the console (C10) or a breach of the policy."""

from pathlib import Path

import pytest

from labeling.web.csp import forget_violations, recent_violations
from tests.browser.person import Person
from tests.browser.serving import serving
from tests.browser.typist import Typist
from tests.labeling.factories import make_user

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


HERE = Path(__file__).parent
# Django's ASGI handler and WhiteNoise leave files to the garbage collector and read static files whole.
FORGIVEN = (
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:StreamingHttpResponse must consume synchronous iterators",
)


def pytest_collection_modifyitems(items):
    """Forgive what is not the site's; nor is the server traced for coverage, which doubles what it takes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(*FORGIVEN))
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    """Where the browser puts files."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def chrome(needs_chromium, downloads, tmp_path_factory):
    """One browser for all tests."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary, driver = needs_chromium
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("unhandledPromptBehavior", "ignore")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    driven = webdriver.Chrome(options, Service(driver))
    driven.set_script_timeout(30)
    driven.set_page_load_timeout(30)
    yield driven
    driven.quit()


@pytest.fixture
def browser(chrome):
    """The browser as if new; what it complained about fails the test."""
    forget_violations()
    chrome.get_log("browser")
    yield chrome
    # Only one window stays: another one would ask servers of earlier tests for ever.
    first, *others = chrome.window_handles
    for other in others:
        chrome.switch_to.window(other)
        chrome.close()
    chrome.switch_to.window(first)
    # Away from the site first: its sockets close, and nothing is asked of a server that is about to stop.
    chrome.get("about:blank")
    chrome.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    chrome.delete_all_cookies()
    severe = [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
    assert (severe, recent_violations()) == ([], ())


@pytest.fixture
def site(transactional_db, settings):
    """The site with its workers on the test's database."""
    settings.SWEEP_S = 0.2
    with serving(with_workers=True) as running:
        yield running


@pytest.fixture
def still_site(transactional_db):
    """The site without workers: nothing moves by itself."""
    with serving(with_workers=False) as running:
        yield running


@pytest.fixture
def staff(transactional_db):
    """The operator, who may name any folder of models."""
    return make_user("ada", is_staff=True, is_superuser=True)


def _person(browser, site, staff, kind=Person):
    person = kind(browser, site.address)
    person.look()
    person.sign_in(staff)
    return person


@pytest.fixture
def person(site, browser, staff):
    """`staff` at the browser, signed in, with workers at work."""
    return _person(browser, site, staff)


@pytest.fixture
def typist(site, browser, staff):
    """The same, without a mouse."""
    return _person(browser, site, staff, Typist)


@pytest.fixture
def reader(still_site, browser, staff):
    """`staff` at the browser, signed in, where nothing moves by itself."""
    return _person(browser, still_site, staff)
