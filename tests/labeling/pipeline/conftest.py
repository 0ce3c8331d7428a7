"""What tests of the pipeline share."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.pipeline.work import do_one
from tests.labeling.generations import QUEUES, run_job


@pytest.fixture
def lose_part():
    """Begin a part and lose its lease in the midst of it: another worker does it, and the first stores nothing."""

    def lose(run):
        asked = []

        def interrupt():
            if not asked:
                asked.append(True)
                waiting = run_job(run).chunks.filter(state="running")
                assert waiting.update(lease_until=timezone.now() - timedelta(seconds=1)) == 1
                assert do_one(QUEUES, "other")
            return False

        assert do_one(QUEUES, "test", interrupt)
        assert asked

    return lose
