"""Opening generations, taking the pool, and where that leaves a run."""

import pytest
from django.db import transaction
from django.utils import timezone

from labeling.jobs.actions import mark_dirty
from labeling.jobs.models import Job, JobState
from labeling.runs.actions import Scale, ask_renewal, close_when_decided, open_generation, take_pool
from labeling.runs.models import GenerationOrigin, PoolGeneration, Run, RunState
from labeling.runs.queries import members_of, pool_of
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.generations import PAPER, answer, finish, next_generation, run_job, single, start
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(40)]


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=0.3)


@pytest.fixture
def run(project, versions):
    return finish(start(project, make_dataset(project, TEXTS), versions))


def test_a_generation_has_the_next_number_the_versions_in_order_and_the_cut_of_before(run, versions):
    PoolGeneration.objects.filter(run=run).update(cut_score=0.25, cut_hash="ab")
    with transaction.atomic():
        generation = open_generation(
            run_id=run.pk, versions=versions[::-1], origin=GenerationOrigin.ROUND, round_number=4
        )
    run.refresh_from_db()
    assert (generation.number, run.generation, generation.round_number, generation.origin) == (1, 1, 4, "round")
    assert (generation.cut_score, generation.cut_hash) == (0.25, "ab")
    assert [member.version for member in pool_of(run)] == versions[::-1]
    assert [member.version for member in members_of(run, 0)] == versions


def open_scaled(run, versions, origin=GenerationOrigin.ROUND, **scale):
    with transaction.atomic():
        return open_generation(run_id=run.pk, versions=versions, origin=origin, scale=Scale(**scale) if scale else None)


def scale_of(generation):
    return generation.aggregation, generation.cut_score, generation.cut_hash


def test_a_round_keeps_the_aggregation_and_its_cut_for_the_same_specialists(run, versions):
    open_scaled(run, versions, GenerationOrigin.AUDIT, aggregation=single(1), cut_score=0.25)
    assert scale_of(next_generation(run, versions)) == (single(1), 0.25, "")


@pytest.mark.parametrize("pool", [[2, 1, 0], [0, 1]])
def test_another_pool_drops_what_was_fitted_on_the_one_before(run, versions, pool):
    open_scaled(run, versions, GenerationOrigin.AUDIT, aggregation=single(1), cut_score=0.25)
    assert scale_of(next_generation(run, [versions[place] for place in pool])) == (None, None, "")


def test_a_first_version_with_its_classes_in_another_order_drops_it_too(run, versions, tmp_path):
    open_scaled(run, versions, GenerationOrigin.AUDIT, aggregation=single(1))
    SpecialistVersion.objects.filter(pk=versions[0].pk).update(class_ids=versions[0].class_ids[::-1])
    other = SpecialistVersion.objects.get(pk=versions[0].pk)
    other.pk, other.number = None, 2
    other.save()
    SpecialistVersion.objects.filter(pk=versions[0].pk).update(class_ids=versions[0].class_ids)
    assert scale_of(next_generation(run, [other, *versions[1:]])) == (None, None, "")


def test_scoring_anew_waits_only_where_votes_are_missing(run, versions, tmp_path):
    """At once after an audit; after a promotion whose votes on accepted rows are still to come, when they do."""
    open_scaled(run, versions, GenerationOrigin.AUDIT, aggregation=single(1))
    run.refresh_from_db()
    assert run.is_renewal_asked
    finish(run)
    newer = make_pool(run.project, tmp_path, name="newer", noise=0.3)
    next_generation(run, newer)
    open_scaled(run, newer, GenerationOrigin.AUDIT, aggregation=single(2))
    run.refresh_from_db()
    assert (run.renewed, run.is_renewal_asked) == (1, False)


def test_a_generation_wakes_a_job_that_is_done(run, versions):
    assert (run_job(run).state, run_job(run).is_dirty) == (JobState.DONE, False)
    next_generation(run, versions)
    assert run_job(run).is_dirty


def test_a_run_that_is_done_goes_back_to_review_when_a_renewal_is_due(run, versions):
    answer(run, make_user())
    assert run.state == RunState.DONE
    next_generation(run, versions)
    run.refresh_from_db()
    assert (run.state, run.finished_at) == (RunState.REVIEWING, None)
    assert finish(run).state == RunState.DONE


def test_a_run_that_is_done_stays_so_without_renewals_or_with_a_successor(project, run, versions):
    answer(run, make_user())
    start(project, run.dataset, versions)
    next_generation(run, versions)
    assert finish(run).state == RunState.DONE
    with pytest.raises(ActionError, match="No newer"):
        ask_renewal(run=run)
    other = finish(start(project, make_dataset(project, ["one"]), versions, renews_accepted=False))
    answer(other, make_user())
    next_generation(other, versions)
    assert finish(other).state == RunState.DONE


def test_votes_that_stopped_at_a_full_pool_go_on(project, versions):
    run = finish(start(project, make_dataset(project, TEXTS), versions, **PAPER, beta=3))
    assert run.state == RunState.REVIEWING
    next_generation(run, versions)
    assert Run.objects.get(pk=run.pk).state == RunState.RUNNING
    assert finish(run).state == RunState.REVIEWING  # the pool is still full


def test_no_version_without_weights_or_of_another_project_may_vote(run, versions, tmp_path):
    foreign = make_pool(make_project(make_user()), tmp_path / "foreign", count=1)
    newcomer = make_pool(run.project, tmp_path, count=1, name="new")
    SpecialistVersion.objects.filter(pk=newcomer[0].pk).update(confirmed_at=None)
    SpecialistVersion.objects.filter(pk=versions[0].pk).update(pruned_at=timezone.now())
    for version in (newcomer[0], versions[0]):
        version.refresh_from_db()
    for pool in (versions, newcomer, foreign, []):
        with pytest.raises(ActionError):
            next_generation(run, pool)
    assert PoolGeneration.objects.filter(run=run).count() == 1


def test_a_member_that_another_run_rolled_back_stays_in_the_pools_of_this_one(run, versions):
    SpecialistVersion.objects.filter(pk=versions[0].pk).update(confirmed_at=None)
    versions[0].refresh_from_db()
    next_generation(run, versions)
    assert [member.version for member in pool_of(run)] == versions


def test_taking_the_pool_leaves_it_empty(run):
    answer(run, make_user())
    assert take_pool(run_id=run.pk) == run.decided > 0
    run.refresh_from_db()
    assert (run.learned, run.pool_size) == (run.decided, 0)


def test_a_run_that_learned_is_done_only_when_no_round_is_at_work(project):
    run = make_run(make_dataset(project, ["one", "two"]))
    Run.objects.filter(pk=run.pk).update(learned=1)
    answer(run, make_user())
    assert run.state == RunState.REVIEWING
    close_when_decided(run_id=run.pk, is_idle=True)
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_a_full_pool_keeps_the_run_open_and_wakes_its_job(project):
    run = make_run(make_dataset(project, ["one", "two"]))
    Run.objects.filter(pk=run.pk).update(beta=2)
    answer(run, make_user())
    assert (run.state, run_job(run).is_dirty) == (RunState.REVIEWING, True)


def test_the_newest_job_of_a_subject_is_marked(run):
    old = Job.objects.create(project=run.project, kind="x", subject=1, is_dirty=False)
    new = Job.objects.create(project=run.project, kind="x", subject=1, is_dirty=False)
    mark_dirty(kind="x", subject=1)
    mark_dirty(kind="x", subject=2)
    assert [Job.objects.get(pk=job.pk).is_dirty for job in (old, new)] == [False, True]
