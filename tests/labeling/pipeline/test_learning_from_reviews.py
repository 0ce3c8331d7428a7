"""What a run's race learns from the texts that people decide because of their votes."""

from dataclasses import replace
from uuid import uuid4

import pytest

from annotator_core.consensus.milestones import LEARN_AT
from labeling.labels.actions.verdicts import undo
from labeling.labels.models import Verdict, VerdictMode
from labeling.labels.reviewed_queries import reviewed_texts
from labeling.pipeline.reviewed import Lesson, has_more_to_learn, read_lesson
from labeling.quality.actions import draw_audit
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment
from labeling.quality.queries import looks_at, newest_assessment
from labeling.quality.wording import winner_sentence
from labeling.runs.models import GenerationOrigin, PoolGeneration
from labeling.runs.queries import current_generation, members_of
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import finish, open_items, start
from tests.labeling.pool import make_pool
from tests.labeling.quality.audits import answer_items, audit_items, framed, make_framed
from tests.labeling.refinement.learning import answer_to

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
FIRST = LEARN_AT[0]


@pytest.fixture
def user():
    return make_user()


def shifted(item):
    """What a person says who takes each class for the one after it: votes alone tell little of that."""
    class_ids = sorted(item.project.classes.values_list("id", flat=True))
    return class_ids[(answer_to(item.sample.text) + 1) % len(class_ids)]


def make_audited(user, tmp_path, aggregator="race", **policy):
    """A run that follows its audit, answered whole, with over a hundred texts left to people."""
    project = make_project(user)
    versions = make_pool(project, tmp_path, noise=[0.2, 0.3, 0.3])
    dataset = make_framed(project, texts=500, copies=20, frame=155)
    run = finish(start(project, dataset, versions, aggregator=aggregator, **policy))
    draw_audit(dataset=dataset, count=155, by=user)
    answer_items(audit_items(dataset), user, shifted)
    return finish(run)


def decide_until(run, user, decided):
    """People decide until so many texts of the run are decided."""
    run.refresh_from_db()
    answer_items(open_items(run)[: decided - run.decided], user, shifted)
    return finish(run)


def figures_of(run):
    return from_json(newest_assessment(run).figures)


def test_the_winner_learns_from_reviews_at_a_milestone_and_the_run_follows(user, tmp_path):
    run = make_audited(user, tmp_path, review_budget=70)
    before, audited = newest_assessment(run), run.decided
    run = decide_until(run, user, audited + FIRST - 1)
    assert figures_of(run).learned == 0
    run = decide_until(run, user, audited + FIRST + 25)
    after, figures = newest_assessment(run), figures_of(run)
    assert (after.winner, figures.learned) == ("stacker", FIRST)
    assert FIRST <= figures.usable <= FIRST + 25
    assert not has_more_to_learn(run, figures)
    assert "has learned from 100 reviewed texts, too" in winner_sentence(figures)
    assert PoolGeneration.objects.filter(run=run, origin=GenerationOrigin.AUDIT, number__gt=before.generation).exists()
    assert current_generation(run).aggregation == after.aggregation
    assert_counters_equal_recount(run)


def test_a_certificate_of_what_was_learned_is_another_look(user, tmp_path):
    run = make_audited(user, tmp_path, review_budget=70)
    before = looks_at(run.dataset_id)
    run = decide_until(run, user, run.decided + FIRST + 25)
    assert figures_of(run).learned == FIRST
    assert len(looks_at(run.dataset_id)) > len(before)


def test_nothing_is_learned_of_the_audit_frame_nor_of_what_an_audit_asked_for(user, tmp_path):
    run = make_audited(user, tmp_path)
    run = decide_until(run, user, run.decided + 30)
    found = reviewed_texts(run, 1_000)
    assert len(found) == 30 == len({one.text_hash for one in found})
    assert not {one.text_hash for one in found} & framed(run.dataset)
    assert reviewed_texts(run, 7) == found[-7:]


def test_an_answer_taken_back_teaches_no_more(user, tmp_path):
    run = make_audited(user, tmp_path)
    run = decide_until(run, user, run.decided + 3)
    item = undo(project=run.project, user_id=user.pk, client_id=uuid4())
    left = [one.text_hash for one in reviewed_texts(run, 9)]
    assert len(left) == 2
    assert item.text_hash not in left


@pytest.mark.parametrize("policy", [{"target_error": 30.0}, {"aggregator": "majority"}], ids=["target", "majority"])
def test_a_run_that_does_not_follow_the_race_or_has_a_target_error_learns_nothing(user, tmp_path, policy):
    run = make_audited(user, tmp_path, **policy)
    asked = len(open_items(run))
    before = Assessment.objects.filter(run=run).count()
    run = decide_until(run, user, run.decided + min(FIRST, asked - 1))
    assert figures_of(run).learned == 0
    assert Assessment.objects.filter(run=run).count() == before


def test_texts_that_taught_a_member_teach_the_race_nothing(user, tmp_path):
    run = make_audited(user, tmp_path)
    run = decide_until(run, user, run.decided + FIRST + 10)
    members = members_of(run, run.generation)
    found = read_lesson(run, members, set())
    assert (found.usable, len(found.reviewed)) == (FIRST + 10, FIRST)
    taught = {one.text_hash for one in reviewed_texts(run, 11)}
    assert read_lesson(run, members, taught) == Lesson(FIRST - 1, None)


def test_what_was_of_no_use_is_missing_until_others_are_reviewed(user, tmp_path):
    """A milestone is one of texts that teach: after a promotion it is reached anew; no measurement asks for itself."""
    run = make_audited(user, tmp_path)
    found = replace(figures_of(run), decided=run.decided, usable=FIRST - 1)
    assert not has_more_to_learn(run, found)
    run.decided += 1
    assert has_more_to_learn(run, found)
    assert not has_more_to_learn(run, replace(found, decided=run.decided))
    assert has_more_to_learn(run, replace(found, usable=0, decided=run.decided - FIRST))
    assert not has_more_to_learn(run, replace(found, usable=FIRST, decided=run.decided - FIRST))


def test_what_was_confirmed_with_others_teaches_nothing(user, tmp_path):
    run = make_audited(user, tmp_path)
    run = decide_until(run, user, run.decided + 3)
    first, *others = reviewed_texts(run, 9)
    Verdict.objects.filter(item__run=run, item__text_hash=first.text_hash).update(mode=VerdictMode.BULK)
    assert reviewed_texts(run, 9) == others
