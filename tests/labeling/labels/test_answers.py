"""A language model's answers: all copies of a text are labeled or sent to people, and a person always wins."""

from uuid import uuid4

import pytest
from django.db import transaction

from annotator_core.types import LabelSource, Route
from labeling.labels.actions.answers import AnswerRow, Ruling, record_answers, settle_texts
from labeling.labels.actions.audit import open_audit_items
from labeling.labels.actions.renewal import record_revote
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.answer_queries import NOTHING_ELSE, count_to_ask, hashes_to_settle, rows_to_rule, texts_to_ask
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, VerifierAnswer
from labeling.runs.models import Mode, PoolGeneration, Run, RunState
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user, vote_rows
from tests.labeling.llm.calling import make_connection

pytestmark = pytest.mark.django_db
TEXTS = ["one", "two", "one", "three"]


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def run(user):
    dataset = make_dataset(make_project(user), TEXTS)
    run = Run.objects.create(
        project=dataset.project, dataset=dataset, number=1, min_agree=3, row_count=4, mode=Mode.LLM
    )
    PoolGeneration.objects.create(run=run)
    vote_rows(run)
    Run.objects.update(state=RunState.REVIEWING)
    run.refresh_from_db()
    return run


def hash_of(run, text):
    return run.dataset.samples.filter(text=text).values_list("text_hash", flat=True)[0]


def settle(run, **rulings):
    """Texts by name, each with the position of its class or None."""
    classes = list(run.project.classes.values_list("id", flat=True))
    found = [Ruling(hash_of(run, text), None if at is None else classes[at], 0.9) for text, at in rulings.items()]
    with transaction.atomic():
        settle_texts(run=run, rulings=found, source=LabelSource.VERIFIER)
    assert_counters_equal_recount(run)
    return run.asking, run.verified, run.to_review, run.decided


def answer(run, user, text):
    """A person answers the text for an audit."""
    text_hash = hash_of(run, text)
    open_audit_items(dataset=run.dataset, hashes=[text_hash])
    item = ReviewItem.objects.get(text_hash=text_hash, state=ItemState.OPEN)
    class_id = run.project.classes.last().pk
    decide(item_id=item.pk, project=run.project, user_id=user.pk, class_id=class_id, client_id=uuid4())
    assert_counters_equal_recount(run)
    return run.asking, run.verified, run.to_review, run.decided


def test_hard_rows_wait_for_the_model_and_are_in_no_queue(run):
    assert_counters_equal_recount(run)
    assert (run.hard, run.asking, run.to_review) == (4, 4, 0)
    assert not ReviewItem.objects.exists()


def test_equal_texts_are_labeled_or_sent_to_people_together(run):
    assert settle(run, one=1) == (2, 2, 0, 0)
    assert settle(run, two=None, three=0) == (0, 3, 1, 0)
    assert ReviewItem.objects.get().sample.text == "two"
    assert settle(run, one=2) == (0, 3, 1, 0)
    assert Label.objects.filter(source="verifier").count() == 3


def test_a_persons_answer_moves_a_row_and_an_undo_moves_it_back(run, user):
    assert answer(run, user, "one") == (2, 0, 0, 2)
    undo(project=run.project, user_id=user.pk, client_id=uuid4())
    assert_counters_equal_recount(run)
    assert (run.asking, run.decided) == (4, 0)
    settle(run, one=1)
    assert answer(run, user, "one") == (2, 0, 0, 2)
    assert set(Label.objects.filter(is_current=True).values_list("source", flat=True)) == {"human"}
    undo(project=run.project, user_id=user.pk, client_id=uuid4())
    assert_counters_equal_recount(run)
    assert (run.asking, run.verified, run.decided) == (2, 2, 0)
    assert set(Label.objects.filter(is_current=True).values_list("source", flat=True)) == {"verifier"}


def test_what_a_person_decided_meanwhile_is_not_settled(run, user):
    answer(run, user, "one")
    assert settle(run, one=0, two=None) == (1, 0, 1, 2)
    assert not Label.objects.filter(source="verifier").exists()


def test_a_run_is_done_when_the_last_row_is_labeled(run):
    settle(run, one=1, two=1)
    assert Run.objects.get().state == RunState.REVIEWING
    settle(run, three=1)
    assert Run.objects.get().state == RunState.DONE


def test_an_answer_is_stored_once_a_text_and_model(run):
    connection, sample = make_connection(run.project), run.dataset.samples.first()
    class_id = run.project.classes.first().pk
    for outcome, given in (("answered", class_id), ("empty", None)):
        rows = [AnswerRow(sample.pk, sample.text_hash, given, 0.5, outcome, "because")]
        record_answers(run=run, connection=connection, prompt_version="v1", rows=rows)
    stored = VerifierAnswer.objects.get()
    assert (stored.outcome, stored.label_class_id, stored.model, stored.call) == (
        "answered",
        class_id,
        "gpt-mini",
        None,
    )


def test_texts_are_asked_about_until_every_model_has_answered(run):
    models = [make_connection(run.project, "a"), make_connection(run.project, "b")]
    ids = [one.pk for one in models]
    assert [one.text for one in texts_to_ask(run, ids, 10)] == ["three", "one", "two"]
    sample = run.dataset.samples.first()
    for model in models:
        assert count_to_ask(run, ids) == 3
        rows = [AnswerRow(sample.pk, sample.text_hash, None, None, "empty", "")]
        record_answers(run=run, connection=model, prompt_version="v1", rows=rows)
    assert (count_to_ask(run, ids), hashes_to_settle(run, ids)) == (2, [sample.text_hash])
    assert [one.text for one in texts_to_ask(run, ids, 10)] == ["three", "two"]
    assert rows_to_rule(run, NOTHING_ELSE).count() == 4


def test_a_text_answered_otherwise_stays_with_people_when_a_newer_pool_agrees(run):
    connection = make_connection(run.project)
    classes = list(run.project.classes.values_list("id", flat=True))
    for text in ("two", "three"):
        sample = run.dataset.samples.get(text=text)
        rows = [AnswerRow(sample.pk, sample.text_hash, classes[0], 0.4, "answered", "")]
        record_answers(run=run, connection=connection, prompt_version="v1", rows=rows)
    settle(run, two=None, three=None)
    PoolGeneration.objects.create(run=run, number=1)
    newer = [
        ConsensusRow(sample.pk, sample.text_hash, class_id, 0.0, 0.9, 0.9, is_hard=False)
        for sample, class_id in zip(run.dataset.samples.filter(text__in=("two", "three")), classes[:2], strict=True)
    ]
    with transaction.atomic():
        off = record_revote(run=run, generation=1, votes=[], rows=newer)
    assert off == {newer[0].sample_id}
    assert_counters_equal_recount(run)
    kept = Consensus.objects.get(run=run, sample=newer[1].sample_id, is_current=True)
    assert (kept.route, kept.generation, run.to_review) == (Route.REVIEW, 1, 1)
