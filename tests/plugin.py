"""A data folder of its own for every test process, set before Django reads its settings.

pytest-django loads the settings before any conftest.py is read, so this stands in a plugin named on the command line
(`-p tests.plugin` in pyproject.toml). With xdist every worker process makes its own folder.
"""

import os
import shutil
import tempfile
from pathlib import Path

DATA_FOLDER = Path(tempfile.mkdtemp(prefix="autoannotator-test-"))

os.environ["AUTOANNOTATOR_DATA"] = str(DATA_FOLDER)
os.environ["AUTOANNOTATOR_TESTING"] = "on"


def pytest_unconfigure():
    shutil.rmtree(DATA_FOLDER, ignore_errors=True)
