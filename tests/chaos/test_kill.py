"""kill -9 of web, light and heavy worker: the run finishes, nothing is missing, doubled or lost."""

import os
import random

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from benchmarks.scratch_site import COMPONENTS
from tests.chaos.driver import Site, live_through

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))  # noqa: TID251 (repeats a run)


@pytest.fixture
def site(tmp_path):
    """A site on a database of its own, of the kind that the suite runs on."""
    if connection.vendor == "sqlite":
        with Site(tmp_path) as site:
            yield site
        return
    given = settings.DATABASES["default"]
    name = f"chaos_{os.getpid()}"
    server = f"postgres://{given['USER']}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with Site(tmp_path, f"{server}/{name}") as site:
                yield site
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.timeout(300)
def test_three_kills_lose_nothing(site):
    found, hits = live_through(site, [(3.0, "heavy"), (4.0, "web"), (5.0, "light")])
    assert hits == ["heavy", "web", "light"]
    assert dict.fromkeys(found, True) == found


@pytest.mark.chaos
@pytest.mark.timeout(500)
@pytest.mark.parametrize("part", range(4))
def test_five_random_kills_lose_nothing(site, part, capsys):
    chance = random.Random(SEED + part)
    kills = [(chance.uniform(1.0, 14.0), chance.choice(sorted(COMPONENTS))) for _kill in range(5)]
    with capsys.disabled():
        print(f"\nCHAOS_SEED={SEED} part {part}: {kills}")  # noqa: T201 (repeats a run)
    found, hits = live_through(site, kills, rows=600)
    assert len(hits) == 5
    assert dict.fromkeys(found, True) == found
