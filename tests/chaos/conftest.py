"""A site of its own that may be killed."""

import os

import pytest
from django.conf import settings
from django.db import connection

from benchmarks.scratch_site import scratch_database
from tests.chaos.driver import Site


@pytest.fixture
def site(tmp_path):
    """A site on a database of its own, of the kind that the suite runs on."""
    if connection.vendor == "sqlite":
        with Site(tmp_path) as site:
            yield site
        return
    given = settings.DATABASES["default"]
    server = f"postgres://{given['USER']}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}/postgres"
    with scratch_database(server, f"chaos_{os.getpid()}") as url, Site(tmp_path, url) as site:
        yield site
