"""Health, the doctor and the banner."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.jobs.actions import add_chunks, open_job
from labeling.jobs.models import Heartbeat, Job
from labeling.overview.checks import doctor_checks
from tests.labeling.factories import make_project, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client):
    client.force_login(make_user())
    return client


def beat(queues, ago_s=0):
    now = timezone.now() - timedelta(seconds=ago_s)
    Heartbeat.objects.create(worker=queues, queues=queues, beat_at=now, started_at=now)


def give_work(queue="consensus"):
    job = open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1)
    Job.objects.update(is_dirty=False)
    add_chunks(job=job, stage="count", queue=queue, ranges=[(0, 1)])


def states(name):
    return [check.state for check in doctor_checks() if name in check.name]


def test_health_answers_without_sign_in(client):
    assert (client.get("/health/live").content, client.get("/health/ready").content) == (b"live\n", b"ready\n")


def test_c23_the_banner_names_the_command_when_work_waits_for_no_worker(page):
    assert b"manage.py up" not in page.get("/banner", headers=HTMX).content
    give_work()
    beat("consensus", ago_s=11)
    html = page.get("/banner", headers=HTMX).content
    assert b"python manage.py up" in html
    assert b'hx-trigger="every 10s"' in html
    assert b"python manage.py up" in page.get("/").content


def test_the_banner_goes_when_a_worker_lives(page):
    give_work()
    beat("consensus")
    assert b"manage.py up" not in page.get("/banner", headers=HTMX).content


def test_the_banner_is_cheap(page, django_assert_num_queries):
    with django_assert_num_queries(5):
        page.get("/banner", headers=HTMX)


def test_doctor_is_for_staff(client, page):
    assert page.get("/doctor").status_code == 403
    client.force_login(make_user(is_staff=True))
    assert b"All migrations are applied." in client.get("/doctor").content


def test_doctor_marks_queues_without_a_worker():
    assert states("consensus") == ["attention"]
    give_work()
    assert states("consensus") == ["bad"]
    beat("consensus,refine")
    assert states("consensus") == ["good"]


def test_doctor_finds_a_key_that_others_may_read(settings, tmp_path):
    path = tmp_path / "secret-key"
    path.write_text("x" * 50)
    settings.DATA, settings.IS_KEY_GIVEN = tmp_path, False
    for mode, state in ((0o644, "bad"), (0o600, "good")):
        path.chmod(mode)
        assert states("Secret key") == [state]


def test_doctor_finds_a_missing_model_store_and_uncollected_files(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "gone")
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    assert (states("Model store"), states("Static files")) == (["bad"], ["bad"])
    assert all(check.command for check in doctor_checks() if check.state == "bad")


def test_doctor_survives_a_dead_broker(settings):
    settings.IS_EMBEDDED_BROKER = False
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    assert states("Broker") in (["good"], ["attention"])


def test_the_doctor_says_that_scripts_can_run(needs_box):
    assert states("Box for scripts") == ["good"]


def test_the_doctor_says_why_scripts_are_off(without_box):
    (found,) = [check for check in doctor_checks() if check.name == "Box for scripts"]
    told = "Scripts are off here: bubblewrap is not installed: apt-get install bubblewrap."
    assert (found.state, found.text) == ("attention", told)
