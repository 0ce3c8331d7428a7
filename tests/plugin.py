"""What must stand before anything else is imported: a data folder of its own for every test process, and no collector.

pytest-django loads the settings before any conftest.py is read, so this stands in a plugin named on the command line
(`-p tests.plugin` in pyproject.toml). With xdist every worker process makes its own folder.

The collector of garbage walks through all modules and tests again and again while they are imported, a third of that
time, and finds nothing: it begins with the first test, and leaves alone what was there before.
"""

import gc
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

gc.disable()
DATA_FOLDER = Path(tempfile.mkdtemp(prefix="autoannotator-test-"))

os.environ["AUTOANNOTATOR_DATA"] = str(DATA_FOLDER)
os.environ["AUTOANNOTATOR_TESTING"] = "on"


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop():
    gc.freeze()
    gc.enable()
    try:
        return (yield)
    finally:
        # Hypothesis asks the collector who holds an object when it ends the report, and may not be told "nobody".
        gc.unfreeze()


@contextmanager
def _untraced(config):
    """Without the tracer of coverage, where there is one."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if not controller or not controller.started:
        yield
        return
    controller.pause()
    try:
        yield
    finally:
        controller.resume()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """pytest-cov pauses for the call of a test that is marked no_cover, and traces the making of all it needs."""
    if not item.get_closest_marker("no_cover"):
        return (yield)
    with _untraced(item.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    """Migrations are not measured: the tables are made without the tracer."""
    if fixturedef.argname != "django_db_setup":
        return (yield)
    with _untraced(request.config):
        return (yield)


def pytest_unconfigure():
    shutil.rmtree(DATA_FOLDER, ignore_errors=True)
