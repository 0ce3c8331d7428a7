"""A worker's hands in threads, on a database that threads can share."""

import pytest
from django.db import connection

from labeling.jobs import actions
from labeling.jobs.models import Heartbeat, Job, JobState
from labeling.jobs.queries import silent_queues
from labeling.pipeline.room import Room
from tests.labeling.factories import make_project, make_user
from tests.labeling.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(settings):
    settings.SWEEP_S = 60  # only the bell may wake the hands
    room = Room(["io"], hands=3)
    room.open()
    yield room
    room.close()


def test_hands_do_all_the_work_on_one_bell_and_sign_in_and_off(room):
    wait_until(lambda: Heartbeat.objects.filter(worker=room.name, queues="io").exists())
    project = make_project(make_user())
    jobs = [actions.open_job(project_id=project.pk, kind="dummy", subject=n, total=40).pk for n in range(3)]
    room.ring()
    wait_until(lambda: Job.objects.filter(pk__in=jobs, state=JobState.DONE).count() == 3)
    assert set(Job.objects.values_list("progress", flat=True)) == {40}
    room.close()
    assert not Heartbeat.objects.exists()


def test_without_a_bell_the_sweep_finds_the_work(settings):
    settings.SWEEP_S = 0.05
    room = Room(["io"], hands=1)
    room.open()
    try:
        job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=20)
        wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
    finally:
        room.close()
    assert Job.objects.get(pk=job.pk).progress == 20


def test_c23_work_without_a_living_worker_is_known():
    assert silent_queues() == set()
    actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=20)
    assert silent_queues() == {"io"}


def test_two_rooms_share_a_job_without_doing_anything_twice(settings):
    settings.SWEEP_S = 0.05
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=400)
    rooms = [Room(["io"], hands=2), Room(["io"], hands=2)]
    rooms[1].name += "-second"
    for room in rooms:
        room.open()
    try:
        wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
    finally:
        for room in rooms:
            room.close()
    assert Job.objects.get(pk=job.pk).progress == 400
    assert set(job.chunks.values_list("attempts", "errors", "lost_leases")) == {(1, 0, 0)}
    connection.close()
