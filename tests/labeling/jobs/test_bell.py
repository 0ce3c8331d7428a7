import pytest
from django.db import transaction

from labeling.jobs import bell
from labeling.jobs.actions import open_job
from labeling.jobs.bell import ring
from labeling.jobs.models import Job
from tests.labeling.factories import make_project, make_user


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_does_not_fail_the_caller_and_is_asked_once(settings, free_port):
    settings.CELERY_BROKER_URL, settings.IS_EMBEDDED_BROKER = f"redis://127.0.0.1:{free_port}/0", False
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    job = open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=1)
    assert Job.objects.get(pk=job.pk).is_dirty
    assert set(bell._quiet_until) >= {settings.CELERY_BROKER_URL}


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_only(broker_messages):
    with transaction.atomic():
        ring("io")
        assert broker_messages() == 0
    assert broker_messages() == 1


def ring_and_break():
    with transaction.atomic():
        bell.ring("io")
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_action_rings_no_bell(broker_messages):
    with pytest.raises(ZeroDivisionError):
        ring_and_break()
    assert broker_messages() == 0
