"""What all tests share: seeded randomness, what this machine can do, and skips that CI turns into failures."""

import os
import random
import shutil
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REQUIRE_ALL = os.environ.get("AUTOANNOTATOR_REQUIRE_ALL") == "1"
DATASETS = Path(os.environ.get("AUTOANNOTATOR_DATASETS", ROOT.parent / "shared" / "data"))


def _answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(autouse=True)
def _seeded():
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def _quick_site():
    """A password is to be hashed, not to be hashed slowly; and not every client of a test lists all static files."""
    from django.test import override_settings

    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def needs_chromium():
    """The paths of the browser and its driver."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("no chromium: apt-get install chromium chromium-driver")
    return browser, driver


@pytest.fixture(scope="session")
def needs_redis():
    """The address of a Redis whose database 13 is for this one test."""
    if not _answers(6379):
        pytest.skip("no redis: none answers on 127.0.0.1:6379")
    return "redis://127.0.0.1:6379/13"


@pytest.fixture(scope="session")
def needs_postgres():
    """The address of a PostgreSQL server in which the test may make databases of its own."""
    if not _answers(5432):
        pytest.skip("no postgres: none answers on 127.0.0.1:5432")
    return "postgres://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def needs_datasets():
    """The folder with the public data sets."""
    if not DATASETS.is_dir():
        pytest.skip(f"no data sets: {DATASETS} is not there (AUTOANNOTATOR_DATASETS names another folder)")
    return DATASETS


@pytest.fixture(scope="session")
def needs_box():
    """The box in which scripts run."""
    from annotator_core.scripts.box import WhyNot, probe_box

    found = probe_box()
    if isinstance(found, WhyNot):
        pytest.skip(f"no box: {found.reason}")
    return found


@pytest.fixture
def without_box(monkeypatch, tmp_path):
    """A machine on which bubblewrap is not installed."""
    from annotator_core.scripts.box import probe_box

    monkeypatch.setenv("PATH", str(tmp_path))
    probe_box.cache_clear()
    yield
    probe_box.cache_clear()


def pytest_collection_modifyitems(config, items):
    """A test of one database belongs to that database's suite: in the other it is no skip, it is not there.

    What is slow runs without the tracer of coverage, which doubles its time, as do the walks that are marked no_cover:
    what they execute is measured in the tests of its own.
    """
    from django.conf import settings

    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")
    here = "only_sqlite" if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else "only_postgres"
    elsewhere = {"only_sqlite", "only_postgres"} - {here}
    gone = [item for item in items if any(item.get_closest_marker(name) for name in elsewhere)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]


def _fail_when_skipped(report):
    if REQUIRE_ALL and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"A skip, where AUTOANNOTATOR_REQUIRE_ALL=1 allows none: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _fail_when_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _fail_when_skipped((yield))
