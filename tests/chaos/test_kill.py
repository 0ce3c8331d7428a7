"""kill -9 of web, light and heavy worker: the run finishes, nothing is missing, doubled or lost."""

import os
import random

import pytest

from benchmarks.scratch_site import COMPONENTS
from tests.chaos.driver import live_through

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))  # noqa: TID251 (repeats a run)


@pytest.mark.timeout(900)
def test_three_kills_lose_nothing(site):
    found, hits = live_through(site, [(3.0, "heavy"), (4.0, "web"), (5.0, "light")])
    assert hits == ["heavy", "web", "light"]
    assert dict.fromkeys(found, True) == found


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(4))
def test_five_random_kills_lose_nothing(site, part, capsys):
    chance = random.Random(SEED + part)
    kills = [(chance.uniform(1.0, 14.0), chance.choice(sorted(COMPONENTS))) for _kill in range(5)]
    with capsys.disabled():
        print(f"\nCHAOS_SEED={SEED} part {part}: {kills}")  # noqa: T201 (repeats a run)
    found, hits = live_through(site, kills, rows=600)
    assert len(hits) == 5
    assert dict.fromkeys(found, True) == found
