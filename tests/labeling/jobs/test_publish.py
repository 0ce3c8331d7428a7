from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.jobs.models import Event
from labeling.jobs.publish import prune_events

pytestmark = pytest.mark.django_db


def test_old_events_go_but_for_the_last_of_each_topic():
    for topic, seqs in (("run:1", (1, 2, 3)), ("run:2", (1,))):
        for seq in seqs:
            Event.objects.create(topic=topic, seq=seq)
    Event.objects.update(created_at=timezone.now() - timedelta(days=2))
    Event.objects.create(topic="run:3", seq=1)
    assert prune_events() == 2
    assert set(Event.objects.values_list("topic", "seq")) == {("run:1", 3), ("run:2", 1), ("run:3", 1)}
