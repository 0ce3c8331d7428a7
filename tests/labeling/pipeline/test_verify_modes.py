"""Who reviews after a language model: its confidence, the pool against it, several models, examples, votes shown."""

import pytest

from annotator_core.fakes.openai_answers import find_item, make_answerer
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, ReviewItem, VerifierAnswer
from labeling.runs.actions import resume_verification
from labeling.runs.models import AnswerUse, AskStrategy, Mode, RunState
from labeling.runs.policies import paper_policy
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_user
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(30)]
SURE = {"schema": "json_schema", "has_logprobs": True}
REPLACE = {"answer_use": AnswerUse.REPLACE, "mode": Mode.LLM_THEN_HUMAN}


@pytest.fixture
def project():
    return make_project(make_user(), guideline="Say how it reads.")


@pytest.fixture
def voted(project):
    return make_voted(project, TEXTS)


def finish(run):
    work_off()
    assert_counters_equal_recount(run)
    return run


def wrong(messages):
    """The class after the one that all fakes agree on."""
    right = make_answerer(CLASSES, 1.0)(messages)
    return CLASSES[(CLASSES.index(right) + 1) % 3]


@pytest.mark.parametrize(("confidence", "to_people"), [(0.95, False), (0.6, True)])
def test_an_unsure_answer_goes_to_a_person(project, voted, settings, confidence, to_people):
    with serving(settings, confidence=confidence) as server:
        run = finish(start(project, *voted, [make_connection(project, server, capability=SURE)], **REPLACE))
    assert not ReviewItem.objects.filter(run=run, reason=ItemReason.CONFLICT).exists()
    assert {one.confidence > 0.9 for one in VerifierAnswer.objects.all()} == {not to_people}
    assert run.to_review == (run.hard if to_people else 0)
    assert run.verified == run.hard - run.to_review


def test_an_answer_against_a_confident_pool_goes_to_a_person(project, settings):
    voted = make_voted(project, TEXTS, sure=0.97, noise=0.3)
    with serving(settings, answerer=wrong, confidence=0.99) as server:
        connection = make_connection(project, server, capability=SURE)
        run = finish(start(project, *voted, [connection], sure_from=0.5, review_budget=100, **REPLACE))
    waiting = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
    assert set(waiting.values_list("reason", flat=True)) == {ItemReason.CONFLICT}
    classes = dict(VerifierAnswer.objects.values_list("sample_id", "label_class"))
    rows = Consensus.objects.filter(run=run, is_current=True).exclude(route="accept")
    against = {r.sample_id for r in rows if r.confidence >= 0.8 and r.label_class_id != classes[r.sample_id]}
    assert set(waiting.values_list("sample", flat=True)) == against
    assert run.verified == run.hard - len(against)
    assert 0 < len(against) < run.hard


def test_a_fusion_that_no_audit_has_measured_never_overrules_the_model(project, settings):
    """It is sure of itself all the same: voters that err alike count as independent."""
    voted = make_voted(project, TEXTS, sure=0.6, noise=0.3)
    half = [False]

    def wrong_half_of_the_time(messages):
        half[0] = not half[0]
        return wrong(messages) if half[0] else make_answerer(CLASSES, 1.0)(messages)

    with serving(settings, answerer=wrong_half_of_the_time) as server:
        connection = make_connection(project, server, concurrency=1, capability=SURE)
        run = finish(start(project, *voted, [connection], mode=Mode.LLM_THEN_HUMAN, sure_from=0.1))
    answers = dict(VerifierAnswer.objects.values_list("text_hash", "label_class"))
    fused = Label.objects.filter(source="fused").values_list("sample__text_hash", "label_class")
    assert 0 < run.verified < run.hard
    assert all(answers[text_hash] == class_id for text_hash, class_id in fused)


@pytest.mark.parametrize(("own", "to_people"), [({}, True), (SURE, False)])
def test_before_an_audit_the_model_is_as_sure_as_it_says_and_not_as_the_fusion_is(
    project, voted, settings, own, to_people
):
    """It is always right here, and so is the fusion: surer than 0.8 of most, but only votes say so."""
    with serving(settings, confidence=0.95) as server:
        connection = make_connection(project, server, capability=own)
        run = finish(start(project, *voted, [connection], mode=Mode.LLM_THEN_HUMAN, sure_from=0.8))
    labels = Label.objects.filter(run=run, source="fused")
    assert run.hard > 5
    assert (labels.count() == run.verified > 0) is not to_people
    assert (run.to_review == run.hard) is to_people


def test_the_majority_of_several_models_is_the_answer(project, voted, settings):
    with serving(settings) as one, serving(settings) as two, serving(settings, answerer=wrong) as three:
        models = [make_connection(project, server, name) for name, server in (("a", one), ("b", two), ("c", three))]
        run = finish(start(project, *voted, models, answer_use=AnswerUse.REPLACE))
        assert run.verified == run.hard == len(three.script.list_questions())
    right = dict(VerifierAnswer.objects.filter(connection=models[0]).values_list("sample_id", "label_class"))
    labels = Label.objects.filter(run=run, source="verifier")
    assert dict(labels.values_list("sample_id", "label_class")) == right
    assert {round(one.confidence, 3) for one in labels} == {0.667}


def test_models_that_do_not_agree_leave_it_to_a_person(project, voted, settings):
    with serving(settings) as one, serving(settings, answerer=wrong) as two:
        models = [make_connection(project, one, "a"), make_connection(project, two, "b")]
        run = finish(start(project, *voted, models))
    assert (run.verified, run.to_review, run.state) == (0, run.hard, RunState.REVIEWING)


def test_examples_are_human_verified_and_never_the_text_or_an_audits(project, voted, settings):
    dataset, versions = voted
    framed = sorted(dataset.samples.values_list("text_hash", flat=True))[:6]
    dataset.frame_until = framed[-1]
    dataset.save()
    verified = make_dataset(project, [*TEXTS[:12], "another text", "one more"])
    rows = [LabelRow(sample.pk, versions[0].class_ids[0]) for sample in verified.samples.all()]
    set_labels(rows=rows, source=LabelSource.HUMAN)
    set_labels(rows=[LabelRow(dataset.samples.last().pk, versions[0].class_ids[0])], source=LabelSource.CONSENSUS)
    with serving(settings) as server:
        run = finish(
            start(project, dataset, versions, [make_connection(project, server)], ask_strategy=AskStrategy.FEW_SHOT)
        )
        asked = [question.body["messages"] for question in server.script.list_questions()]
    may_stand = set(verified.samples.exclude(text_hash__in=framed).values_list("text", flat=True))
    assert run.verified == run.hard > 0
    for messages in asked:
        shown = {find_item([one]) for one in messages if one["role"] == "user"} - {find_item(messages)}
        assert len(shown) == 5
        assert shown <= may_stand - {find_item(messages)}


def test_one_shot_shows_one_example_however_many_texts_are_verified(project, voted, settings):
    verified = make_dataset(project, ["a verified text", "a second one", "a third one"])
    rows = [LabelRow(sample.pk, voted[1][0].class_ids[0]) for sample in verified.samples.all()]
    set_labels(rows=rows, source=LabelSource.HUMAN)
    with serving(settings) as server:
        connection = make_connection(project, server)
        run = finish(start(project, *voted, [connection], ask_strategy=AskStrategy.ONE_SHOT))
        asked = [question.body["messages"] for question in server.script.list_questions()]
    assert run.verified == run.hard == len(asked) > 0
    may_stand = {*verified.samples.values_list("text", flat=True)}
    for messages in asked:
        questions = [find_item([one]) for one in messages if one["role"] == "user"]
        assert [one in may_stand for one in questions] == [True, False]
        assert [one["role"] for one in messages].count("assistant") == 1
        assert sum(text in str(messages) for text in may_stand) == 1


def test_few_shot_without_a_verified_text_waits_for_one(project, voted, settings):
    with serving(settings) as server:
        run = start(project, *voted, [make_connection(project, server)], ask_strategy=AskStrategy.ONE_SHOT)
        assert finish(run).asking == run.hard
        assert (verify_job(run).state, server.script.asked) == ("paused", [])
        assert "Label some texts" in verify_job(run).error
        verified = make_dataset(project, ["a verified text"])
        set_labels(rows=[LabelRow(verified.samples.get().pk, voted[1][0].class_ids[0])], source=LabelSource.HUMAN)
        resume_verification(run=run)
        assert finish(run).verified == run.hard


def test_votes_are_shown_where_asked_for(project, voted, settings):
    with serving(settings) as server:
        run = finish(start(project, *voted, [make_connection(project, server)], shows_votes=True))
        questions = [one.body["messages"][-1]["content"] for one in server.script.list_questions()]
    names = [version.specialist.name for version in voted[1]]
    assert run.verified == run.hard
    assert all(all(name in question for name in names) for question in questions)


def test_the_guideline_is_told_but_not_in_the_papers_prompt(project, voted, settings):
    for policy, is_told in (({}, True), (vars_of(paper_policy(3, beta=1_000, mode=Mode.LLM)), False)):
        with serving(settings) as server:
            dataset, versions = (voted[0], voted[1]) if is_told else make_voted_again(project, voted)
            run = start(project, dataset, versions, [make_connection(project, server, f"told {is_told}")], **policy)
            finish(run)
            assert run.verified == run.hard > 0
            system = server.script.list_questions()[0].body["messages"][0]["content"]
        assert ("Say how it reads." in system) is is_told


def vars_of(policy):
    return {name: getattr(policy, name) for name in policy.__dataclass_fields__}


def make_voted_again(project, voted):
    from tests.labeling.asking import store_votes

    dataset = make_dataset(project, [f"another text {number}" for number in range(20)])
    store_votes(dataset, voted[1])
    return dataset, voted[1]


def test_equal_texts_share_one_question(project, settings):
    voted = make_voted(project, TEXTS[:10] * 3)
    with serving(settings) as server:
        run = finish(start(project, *voted, [make_connection(project, server)]))
        assert run.verified == run.hard == 3 * len(server.script.list_questions())
    assert run.state == RunState.DONE
