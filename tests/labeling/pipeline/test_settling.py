"""A long queue follows the project's people in the background; whoever changes them does not wait for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from labeling.jobs.models import Job, JobState
from labeling.jobs.queries import job_of
from labeling.labels.actions import overlap
from labeling.labels.actions.people import needed_people
from labeling.labels.actions.seeds import draw_seeds
from labeling.labels.models import ItemState, ReviewItem
from labeling.pipeline.work import do_one
from labeling.review.policy import save_policy
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import choose, make_people, set_overlap

pytestmark = pytest.mark.django_db
POLICY = {"review_order": "mix", "overlap": 1, "audit_overlap": 1, "votes_shown": "hidden", "is_harsh": False}


@pytest.fixture
def project(monkeypatch):
    """With a queue of eight texts, which is long here."""
    monkeypatch.setattr(overlap, "AT_ONCE", 5)
    monkeypatch.setattr(overlap, "PART", 3)
    made = make_project(make_user(), slug="shop")
    make_people(made, 2)
    make_run(make_dataset(made, [f"text {number}" for number in range(8)]))
    return made


def needed(project):
    return sorted(ReviewItem.objects.filter(project=project).values_list("needed", flat=True))


def work():
    while do_one(("io",), "test"):
        pass


def test_a_long_queue_follows_in_a_job_with_progress(client, project):
    client.force_login(project.created_by)
    said = client.post("/p/shop/settings/review", POLICY | {"overlap": "2"}, follow=True).content.decode()
    assert "The texts that wait follow in the background" in said
    assert needed(project) == [1] * 8
    work()
    job = job_of(overlap.SETTLE, project.pk)
    assert (job.state, job.progress, job.total, needed(project)) == (JobState.DONE, 8, 8, [2] * 8)
    assert "The queue follows the project&#x27;s people: 8 texts" in client.get("/p/shop/").content.decode()


def test_what_is_answered_enough_is_decided_by_the_job(project):
    set_overlap(project, overlap=2)
    overlap.settle_overlap(project=project)
    run, person = ReviewItem.objects.first().run, project.created_by
    for number in range(6):
        choose(run, person, f"text {number}")
    assert save_policy(project=project, **POLICY) is None
    work()
    states = [item.state for item in ReviewItem.objects.order_by("sample__position")]
    assert states == [ItemState.DECIDED] * 6 + [ItemState.OPEN] * 2


def test_a_change_in_the_midst_of_the_job_is_the_one_that_holds(project):
    assert save_policy(project=project, **POLICY | {"overlap": 2}) is None
    assert do_one(("io",), "test")  # its part is made
    told = []

    def change():
        if not told:
            told.append(True)
            assert save_policy(project=project, **POLICY | {"overlap": 3}) is None
        return False

    assert do_one(("io",), "test", change)
    work()
    assert (needed(project), Job.objects.get(kind=overlap.SETTLE).state) == ([3] * 8, JobState.DONE)


def test_a_second_change_begins_the_job_anew(project):
    for number in (2, 3):
        assert save_policy(project=project, **POLICY | {"overlap": number}) is None
        work()
        assert (needed(project), job_of(overlap.SETTLE, project.pk).state) == ([number] * 8, JobState.DONE)
    assert Job.objects.filter(kind=overlap.SETTLE).count() == 1


def test_a_short_queue_follows_at_once(project):
    ReviewItem.objects.exclude(sample__text="text 0").delete()
    assert save_policy(project=project, **POLICY | {"overlap": 2}) == 0
    assert (needed(project), job_of(overlap.SETTLE, project.pk)) == ([2], None)


def settle(project):
    try:
        return overlap.settle_overlap(project=project)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_several_settle_a_data_set_without_runs_at_once():
    project = make_project(make_user())
    people = make_people(project, 3)
    draw_seeds(dataset=make_dataset(project, [f"text {number}" for number in range(60)]), count=60)
    for number in (2, 3, 1, 4):
        set_overlap(project, overlap=number)
        with ThreadPoolExecutor(4) as pool:
            assert [*pool.map(settle, [project] * 4)] == [0] * 4
        assert needed(project) == [number] * 60
    assert len(people) + 1 == needed_people(project.pk).ordinary


def test_a_text_drawn_at_random_that_joined_an_audit_keeps_the_number_of_the_audit(project):
    set_overlap(project, overlap=1, audit=2)
    first = ReviewItem.objects.order_by("id").first()
    ReviewItem.objects.filter(pk=first.pk).update(reason="random", is_audited=True)
    overlap.settle_overlap(project=project)
    assert needed(project) == [1] * 7 + [2]
    add_member(project, make_user())
    set_overlap(project, overlap=1, audit=3)
    overlap.settle_overlap(project=project)
    first.refresh_from_db()
    assert (first.needed, first.is_blind) == (3, True)
