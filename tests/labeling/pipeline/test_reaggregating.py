"""A run follows its audit: when it is routed again, and what then becomes of its rows."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from annotator_core.types import Route
from labeling.labels.models import Consensus, Label, Lease, Vote
from labeling.pipeline.reaggregating import MATERIAL, follow_assessment
from labeling.quality.models import Assessment, Audit, AuditRow, Certificate
from labeling.review.actions import claim
from labeling.runs.actions import cancel_run
from labeling.runs.models import Aggregator, Run, RunState
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import answer, finish, next_generation, open_items, single, start, until_chunk
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]  # ten texts stand twice
TARGET = 5.0
RACE = {"aggregator": Aggregator.RACE}


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=[0.2, 0.3, 0.6])


def audited_run(project, versions, **policy):
    """A run whose votes are in, and an audit of 50 of its texts."""
    run = finish(start(project, make_dataset(project, TEXTS), versions, **policy))
    audit = Audit.objects.create(dataset=run.dataset, number=1, drawn=50, frame_texts=90)
    for sample in run.dataset.samples.filter(position__lt=50):
        AuditRow.objects.create(
            audit=audit, dataset=run.dataset, sample=sample, text_hash=sample.text_hash, inclusion=0.5, third="fit"
        )
    return run


def assess(run, aggregation, threshold=None, target=TARGET):
    """The next assessment of the run as it stands, with a certificate at the target, reached or not."""
    run.refresh_from_db()
    assessment = Assessment.objects.create(
        run=run,
        number=Assessment.objects.filter(run=run).count() + 1,
        generation=run.generation,
        answered=50,
        winner=aggregation["name"] if aggregation else "",
        aggregation=aggregation,
        figures={},
    )
    if target:
        Certificate.objects.create(assessment=assessment, target_error=target, threshold=threshold, rows_used=33)
    return assessment


def follow(run, *given, **more):
    with transaction.atomic():
        return follow_assessment(run=run, assessment=assess(run, *given, **more))


def routes_of(run):
    rows = Consensus.objects.filter(run=run, is_current=True).order_by("sample__position")
    return list(rows.values_list("score", "route"))


def tempered(index, temperature):
    """The same winner, calibrated otherwise: other scores, the same classes, the same order of rows."""
    calibration = {"method": "temperature", "temperature": temperature, "knots": [[], []]}
    return {"name": "best_single", "inner": single(index), "calibration": calibration}


def test_the_winner_relabels_accepted_rows_from_stored_votes_and_leaves_the_routes(project, versions):
    run = audited_run(project, versions, min_agree=2, **RACE)
    votes, hard = Vote.objects.count(), run.hard
    assert follow(run, single(2))
    finish(run)
    generation = run.generations.get(number=1)
    labels = Label.objects.filter(run=run, is_current=True)
    wanted = Vote.objects.filter(version=versions[2]).values_list("sample", "label_class")
    assert (generation.origin, generation.aggregation, generation.renewed) == ("audit", single(2), 100 - hard)
    assert generation.relabeled > 0
    assert set(labels.values_list("sample", "label_class")) <= set(wanted)
    assert (run.hard, run.renewed, Vote.objects.count()) == (hard, 1, votes)
    assert_counters_equal_recount(run)


def test_only_a_run_whose_policy_is_the_race_follows(project, versions):
    run = audited_run(project, versions, aggregator=Aggregator.AVERAGE)
    assert not follow(run, single(2))
    assert run.generations.count() == 1


def test_too_few_rows_for_a_race_change_nothing(project, versions):
    run = audited_run(project, versions, **RACE)
    assert not follow(run, None)


def test_an_assessment_of_an_older_pool_is_not_followed(project, versions):
    run = audited_run(project, versions, **RACE)
    old = assess(run, single(2))
    next_generation(run, versions)
    with transaction.atomic():
        assert not follow_assessment(run=run, assessment=old)


def test_a_cancelled_run_and_one_with_a_successor_are_left_alone(project, versions, user):
    run = audited_run(project, versions, **RACE)
    answer(run, user)
    start(project, run.dataset, versions)
    assert (run.state, follow(run, single(2))) == (RunState.DONE, False)
    cancelled = audited_run(project, versions, **RACE)
    cancel_run(run=cancelled)
    assert not follow(cancelled, single(2))


def test_the_same_winner_opens_a_generation_only_where_rows_change(project, versions):
    """A refit that changes nothing is let go; one that gives an audited row in a hundred another label is not."""
    run = audited_run(project, versions, min_agree=1, **RACE)
    assert follow(finish(run), tempered(2, 1.0))
    assert [follow(finish(run), tempered(2, 1.0)), follow(run, tempered(2, 1.5))] == [False, False]
    assert follow(run, tempered(1, 1.0))
    assert run.generations.count() == 3


def test_a_winner_of_another_name_is_always_followed(project, versions):
    run = audited_run(project, versions, **RACE)
    assert follow(run, single(2))
    assert follow(finish(run), {"name": "average", "n_specialists": 3, "n_classes": 3})


def test_a_certificate_accepts_every_row_with_its_score_and_no_other(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    by_agreement = [route for _score, route in routes_of(run)]
    assert follow(run, single(2), 0.6)
    finish(run)
    routes = routes_of(run)
    assert {route for score, route in routes if score >= 0.6} == {Route.ACCEPT}
    assert {route for score, route in routes if score < 0.6} == {Route.REVIEW}
    assert [route for _score, route in routes] != by_agreement
    assert (run.state, run.renewed) == (RunState.REVIEWING, 1)
    assert_counters_equal_recount(run)


def test_a_lost_certificate_gives_the_routes_of_disagreement_back(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    before = [route for _score, route in routes_of(run)]
    follow(run, single(2), 0.6)
    assert follow(finish(run), single(2), None)
    finish(run)
    assert [route for _score, route in routes_of(run)] == before
    assert_counters_equal_recount(run)


def test_where_nothing_could_be_certified_a_certificate_stays_with_the_versions_it_was_given_to(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    follow(run, single(2), 0.6)
    assert not follow(finish(run), single(1), target=None)
    assert next_generation(run, versions).cut_score == 0.6  # a round has brought versions that nobody measured
    assert follow(finish(run), single(2), target=None)
    assert run.generations.get(number=3).cut_score is None


def test_a_threshold_is_followed_where_it_moves_audited_rows(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    follow(run, single(2), 0.6)
    finish(run)
    scores = sorted(score for score, _route in routes_of(run) if score > 0.6)
    assert not follow(run, single(2), (0.6 + scores[0]) / 2)
    assert follow(run, single(2), scores[20])
    assert MATERIAL == 0.01


def test_a_certificate_at_another_target_does_not_count(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    assert follow(run, single(2), 0.6, target=10.0)
    assert run.generations.get(number=1).cut_score is None


def test_peoples_labels_and_texts_on_a_screen_stay_under_a_certificate(project, versions, user):
    run = audited_run(project, versions, target_error=TARGET)
    answer(run, user, open_items(run)[:5])
    held = [lease.item for lease in claim(project=project, user_id=user.pk, n=10)]
    person = set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class"))
    follow(run, single(2), 0.1)
    finish(run)
    assert set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class")) == person
    assert {item.pk for item in open_items(run)} >= {item.pk for item in held}
    assert Lease.objects.filter(expires_at__gt=timezone.now() - timedelta(hours=1)).count() == 10
    assert_counters_equal_recount(run)


def test_votes_that_come_later_are_routed_by_the_certificate_too(project, versions, settings):
    settings.CHUNK_ROWS = 20
    run = audited_run(project, versions, target_error=TARGET)
    Run.objects.filter(pk=run.pk).update(state=RunState.CANCELLED)
    other = start(project, run.dataset, versions, target_error=TARGET)
    until_chunk(other, "vote")
    assert follow(other, single(2), 0.6)
    finish(other)
    assert {route for score, route in routes_of(other) if score >= 0.6} == {Route.ACCEPT}
    assert {route for score, route in routes_of(other) if score < 0.6} == {Route.REVIEW}
    assert_counters_equal_recount(other)


@pytest.mark.parametrize("stage", ["revote", "renew"])
def test_a_part_killed_under_a_certificate_is_done_again(project, versions, stage, lose_part, settings):
    settings.CHUNK_ROWS = 20
    run = audited_run(project, versions, target_error=TARGET)
    follow(run, single(2), 0.6)
    until_chunk(run, stage)
    lose_part(run)
    finish(run)
    assert {route for score, route in routes_of(run) if score < 0.6} == {Route.REVIEW}
    assert Consensus.objects.filter(run=run, generation=1).count() == 100
    assert_counters_equal_recount(run)


def test_following_the_same_assessment_again_changes_nothing(project, versions):
    run = audited_run(project, versions, target_error=TARGET)
    first = assess(run, single(2), 0.6)
    with transaction.atomic():
        assert [follow_assessment(run=run, assessment=first) for _ in range(2)] == [True, False]
    assert run.generations.count() == 2
